"""The list of tapes over a real connection: cut in the middle, another user, a server's own find."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.real.conftest import StartOpenSsh
from tests.real.cutting import CutWay
from tests.real.openssh import OpenSsh
from tests.real.reaching import connector
from vtsconf.core.errors import Unreachable
from vtsconf.core.migrate.tape import Tape
from vtsconf.transport.shell import ShellServer
from vtsconf.transport.tapes import TapesSeen

VAULT = "/VAULT01"


@pytest.fixture
def vts(openssh: StartOpenSsh) -> OpenSsh:
    server = openssh(own=(VAULT, "/VAULT02"))
    for number in range(3000):
        pool = server.path(f"{VAULT}/POOL{number % 3}")
        pool.mkdir(exist_ok=True)
        with (pool / f"T{number:05}").open("wb") as tape:
            tape.truncate(number)
    return server


def server_of(vts: OpenSsh, tmp_path: Path, **changes: object) -> ShellServer:
    session = connector(tmp_path).connect(vts.target(**changes))
    return ShellServer(session, new_mark=lambda: f"m{secrets.token_hex(8)}")


def listed(server: ShellServer, *vaults: str) -> tuple[list[Tape], TapesSeen]:
    tapes: list[Tape] = []
    return tapes, server.tapes(vaults, tapes.append)


def test_every_vault_is_found_with_one_command(vts, tmp_path):
    server = server_of(vts, tmp_path)
    before = vts.execs()
    tapes, seen = listed(server)

    assert (3000, ()) == (seen.count, seen.problems)
    assert sum(range(3000)) == sum(tape.size for tape in tapes)
    assert {("VAULT01", f"POOL{n}", "root") for n in range(3)} == {(t.vault, t.pool, t.owner) for t in tapes}
    assert before + 1 == vts.execs()


def test_a_vault_that_is_a_link(vts, tmp_path):
    vts.run("ln -s /VAULT01 /VAULT03")
    tapes, seen = listed(server_of(vts, tmp_path))

    assert 3000 == len(tapes)
    assert ("/VAULT03: a symbolic link to /VAULT01; not followed, for a tape has one name",) == seen.problems


def test_no_vault_at_all(openssh, tmp_path):
    _, seen = listed(server_of(openssh(), tmp_path))

    assert (0, ("/VAULT??: not there",)) == (seen.count, seen.problems)


def test_a_connection_that_is_cut_in_the_middle_is_an_error(vts, tmp_path):
    with CutWay(vts.port) as way:
        server = server_of(vts, tmp_path, port=way.port)
        told: list[Tape] = []

        def cut(tape: Tape) -> None:
            told.append(tape)
            if len(told) == 10:
                way.cut()

        for number in range(60_000):  # more than what is on its way
            (vts.path(f"{VAULT}/POOL0") / f"X{number:05}").touch()
        with pytest.raises(Unreachable):
            server.tapes([VAULT], cut)

    assert 10 <= len(told) < 63_000


def replace_find(vts: OpenSsh, instead: str) -> None:
    """What lists tapes from now on; everything else still is `find`."""
    text = f'#!/bin/sh\ncase $* in *mindepth*) {instead} ;; esac\nexec find.real "$@"\n'
    vts.path("/VAULT02/.find").write_text(text)
    vts.run("mv /usr/bin/find /usr/bin/find.real; cp /VAULT02/.find /usr/bin/find; chmod 755 /usr/bin/find")


def test_a_server_that_dies_in_the_middle_is_an_error(vts, tmp_path):
    server = server_of(vts, tmp_path)
    replace_find(vts, 'find.real "$@" | head -c 50000; sleep 1000')
    with pytest.raises(Unreachable):
        server.tapes([VAULT], lambda _: vts.kill())


def test_silence_is_ended_and_a_long_list_is_not(vts, tmp_path):
    """The limit on the whole time does not hold for a list that goes on; the one on silence does."""
    slow = "for n in 1 2 3 4 5 6 7 8; do printf 'f2 1 1.0 1 0 0 /VAULT01/P/T\\0'; sleep 0.25; done"
    replace_find(vts, f"{slow}; [ ! -e /VAULT02/silent ] || sleep 1000; exit 0")
    _, seen = listed(server_of(vts, tmp_path, idle_timeout=3, total_timeout=1), VAULT)
    vts.path("/VAULT02/silent").touch()

    assert 8 == seen.count
    with pytest.raises(Unreachable, match="nothing heard"):
        listed(server_of(vts, tmp_path, idle_timeout=3, total_timeout=1), VAULT)

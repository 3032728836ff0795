"""Detached runs on a real OpenSSH server: lost connections, reboots, another user, a full disk, and what it costs."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.real.conftest import StartOpenSsh
from tests.real.cutting import CutWay
from tests.real.openssh import OpenSsh
from tests.real.reaching import connector
from tests.transport.box import wait_until
from vtsconf.core.connection import Become
from vtsconf.core.errors import Failed, Unreachable
from vtsconf.core.secret import Secret
from vtsconf.transport.runs import Guard, RunSpec, RunState
from vtsconf.transport.shell import ShellServer

STATE = "/var/lib/vtsconf"
VAULT = "/VAULT01"
# Counts itself: a line when it begins, one when it ends.
BMA = f"echo begin >>{VAULT}/count; sleep $1; echo end >>{VAULT}/count; echo archived"

Reach = Callable[..., ShellServer]


@pytest.fixture
def vts(openssh: StartOpenSsh) -> OpenSsh:
    return openssh(own=(VAULT, STATE))


@pytest.fixture
def reach(tmp_path: Path) -> Iterator[Reach]:
    """Connects; one connection each."""
    open_: list[ShellServer] = []

    def connect(server: OpenSsh, **changes: object) -> ShellServer:
        session = connector(tmp_path).connect(server.target(**changes))
        open_.append(ShellServer(session, new_mark=lambda: f"m{secrets.token_hex(8)}"))
        return open_[-1]

    yield connect
    for server in open_:
        server.close()


def spec(seconds: str = "0", attempt: int = 1, **more: object) -> RunSpec:
    return RunSpec(**{"id": "j1", "attempt": attempt, "argv": ("sh", "-c", BMA, "sh", seconds), **more})


def state(server: ShellServer) -> RunState:
    return server.look(["j1"], STATE).runs[0]


def counted(vts: OpenSsh) -> list[str]:
    path = vts.path(f"{VAULT}/count")
    return path.read_text().split() if path.exists() else []


def test_a_job_outlives_its_connection(vts, reach):
    first = reach(vts)
    first.start(spec("1"), STATE)
    first.close()
    again = reach(vts)
    wait_until(lambda: state(again).state == "ended")
    run = state(again)

    assert (0, b"archived\n") == (run.exit, run.output)
    assert ["begin", "end"] == counted(vts)
    assert "ended" == again.start(spec(), STATE).state
    assert ["begin", "end"] == counted(vts)


def test_a_connection_is_cut_while_the_job_is_started(vts, reach):
    """What was started is not known here; the next contact finds out, and starts nothing again."""
    wait = f"touch {VAULT}/waits; until [ -e {VAULT}/go ]; do sleep 0.05; done"
    asked = spec("0.3", checks=(("sh", "-c", wait),))
    with CutWay(vts.port) as way:
        server = reach(vts, port=way.port)
        cutting = threading.Thread(target=lambda: (wait_until(vts.path(f"{VAULT}/waits").exists), way.cut()))
        cutting.start()
        with pytest.raises(Unreachable):
            server.start(asked, STATE)
        cutting.join()
    again = reach(vts)
    nothing_yet = state(again).state
    vts.path(f"{VAULT}/go").touch()
    wait_until(lambda: state(again).state == "ended")

    assert "none" == nothing_yet
    assert ("ended", 1) == ((run := again.start(asked, STATE)).state, run.attempt)
    assert ["begin", "end"] == counted(vts)


def test_a_server_reboots(vts, reach):
    reach(vts).start(spec("1000"), STATE)
    wait_until(lambda: counted(vts) == ["begin"])
    vts.kill()
    vts.restart()
    again = reach(vts)

    assert ("lost", None) == (state(again).state, state(again).exit)
    assert ("lost", 1) == ((run := again.start(spec(), STATE)).state, run.attempt)
    assert 2 == again.start(spec(attempt=2), STATE).attempt
    wait_until(lambda: state(again).state == "ended")
    assert ["begin", "begin", "end"] == counted(vts)


def test_as_another_user(openssh, reach):
    """sudo asks for a password, and its session ends with the connection: the job does not."""
    vts = openssh(
        own=(VAULT, STATE),
        user="operator1",
        setup=f"useradd -m -N -s /bin/sh vtsrun\necho 'operator1:pa ss' | chpasswd\nchown vtsrun {STATE} {VAULT}\n"
        "echo 'operator1 ALL=(vtsrun) ALL' >/etc/sudoers.d/x\nchmod 440 /etc/sudoers.d/x\n",
    )
    become = Become(user="vtsrun", method="sudo", password=Secret(b"pa ss"))
    first = reach(vts, become=become)
    first.start(spec("0.5", checks=(("sh", "-c", '[ "$(id -un)" = vtsrun ]'),)), STATE)
    first.close()
    again = reach(vts, become=become)
    wait_until(lambda: state(again).state == "ended")

    assert 0 == state(again).exit
    assert ["begin", "end"] == counted(vts)
    assert vts.path(f"{VAULT}/count").stat().st_uid != 0


def test_a_full_disk_starts_nothing_and_says_so(openssh, reach):
    vts = openssh(own=(VAULT,), mounts={STATE: "tmpfs:size=256k,nr_inodes=200"})
    server = reach(vts)
    full = vts.run(f"mkdir -p {STATE}/jobs; head -c 1000000 /dev/zero >{STATE}/fill")

    assert b"No space" in full.stderr
    with pytest.raises(Failed, match="disk full"):
        server.start(spec(stdin="x" * 9000), STATE)
    assert "none" == state(server).state
    vts.run(f"rm {STATE}/fill")
    assert 1 == server.start(spec(), STATE).attempt
    wait_until(lambda: state(server).state == "ended")


def test_a_disk_that_fills_up_meanwhile_loses_no_end(openssh, reach):
    vts = openssh(own=(VAULT,), mounts={STATE: "tmpfs:size=256k,nr_inodes=200"})
    server = reach(vts)
    server.start(
        spec(argv=("sh", "-c", f"head -c 1000000 /dev/zero >{STATE}/fill; yes | head -c 300000; exit 7")),
        STATE,
    )
    wait_until(lambda: state(server).state == "ended")

    assert 7 == state(server).exit


def test_many_jobs_are_seen_with_one_command(vts, reach):
    server = reach(vts)
    names = [f"j{number}" for number in range(30)]
    for name in names:
        server.start(RunSpec(id=name, attempt=1, argv=("sleep", "1000")), STATE)
    vts.path(f"{VAULT}/T").write_text("x")
    before = vts.execs()
    seen = server.look(names, STATE, [f"{VAULT}/T"])

    assert before + 1 == vts.execs()
    assert {"running"} == {run.state for run in seen.runs}
    assert 1 == seen.files[f"{VAULT}/T"].size


def test_controllers_and_servers_die_at_random(vts, reach):
    """Controllers start the same attempts at once, one of them is cut off, the server's power goes now and then."""
    attempt, reboots = 1, 0
    while True:
        threads = [threading.Thread(target=_try, args=(reach, vts, attempt)) for _ in range(5)]
        for thread in threads:
            thread.start()
        if reboots < 3:
            wait_until(lambda: any((vts.path(STATE) / "jobs").glob("*/.new*")) or counted(vts))
            vts.kill()
            vts.restart()
            reboots += 1
        for thread in threads:
            thread.join()
        server = reach(vts)
        wait_until(lambda: state(server).state != "running")  # noqa: B023 of this round
        run = state(server)
        if run.state == "ended":
            break
        attempt = run.attempt + 1

    began = len(list((vts.path(STATE) / "jobs/j1").glob("[0-9]*")))
    assert 0 == run.exit
    assert counted(vts).count("end") <= counted(vts).count("begin") <= began


def _try(reach: Reach, vts: OpenSsh, attempt: int) -> None:
    with suppress(Unreachable, Failed):
        reach(vts).start(spec("0.2", attempt), STATE)


def test_a_tape_that_was_written_to_is_not_started(vts, reach):
    tape = vts.path(f"{VAULT}/T")
    tape.write_text("x")
    status = tape.stat()
    guard = Guard(path=f"{VAULT}/T", size=1, mtime=status.st_mtime_ns, inode=status.st_ino)
    os.utime(tape, ns=(0, status.st_mtime_ns + 1))

    assert "refused" == reach(vts).start(spec(guards=(guard,)), STATE).state
    assert [] == counted(vts)

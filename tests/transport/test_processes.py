"""What a server has to start for us: the cost that counts where fifty servers are one machine, and on an old one."""

from __future__ import annotations

import pytest

from tests.transport.box import Box, put
from vtsconf.core.plan import base_of
from vtsconf.core.probe import Query, ReadFile

OLD, NEW = b"old\n", b"new\n"
FACT = Query("fact", ("sleep", "0"))


@pytest.fixture
def server(box: Box) -> Box:
    for number in range(20):
        box.file(f"{number}.conf").write_bytes(OLD)
        box.file(f"{number}.conf").chmod(0o604)
    box.restart()
    return box


def probes(box: Box, files: int):
    return (*(ReadFile(str(box.file(f"{n}.conf"))) for n in range(files)), FACT)


def started(calls: list[str]) -> int:
    """Without waiting, which costs one a second; and one of them is the fact."""
    return len([name for name in calls if name != "sleep"])


def change(box: Box, files: int) -> tuple[int, int]:
    """How many programs are started by an apply that changes so many files of twice as many, and by its confirmation."""
    steps = [put(box.file(f"{n}.conf"), OLD, NEW) for n in range(files)]
    base = tuple(base_of(str(box.file(f"{n}.conf")), steps[0].before) for n in range(2 * files))
    calls, run = box.tally(), box.run_name()
    assert box.apply(steps, run=run, base=base, probes=probes(box, 2 * files)).outcome == "armed"
    applied = calls()
    assert box.confirm(run).outcome == "confirmed"
    confirmed = calls()
    return started(applied), started(confirmed)


@pytest.mark.parametrize("files", [1, 6, 20])
def test_reading_any_number_of_files_starts_a_handful(server, files):
    calls = server.tally()
    server.server().read(probes(server, files), str(server.state))

    assert started(calls()) <= 7


def test_a_change_of_three_files_starts_few(server):
    applied, confirmed = change(server, 3)

    assert applied <= 39
    assert confirmed <= 12


def test_a_further_file_costs_what_cannot_be_done_for_all_at_once(server):
    """To copy it, and two renames; nothing in the confirmation, nothing for a file that stays."""
    few = change(server, 3)
    for number in range(3):
        server.file(f"{number}.conf").write_bytes(OLD)
        server.file(f"{number}.conf").chmod(0o604)
    many = change(server, 9)

    assert many[0] - few[0] <= 6 * 3
    assert many[1] == few[1]

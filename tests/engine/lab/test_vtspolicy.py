"""The stand-in of the VTSPolicy command: what the documented lines do, and that all others are refused."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from vtsconf.core.eventlog import events
from vtsconf.core.vtspolicy.parse import parse
from vtsconf.engine.lab.faults import VTSPOLICY, Faults
from vtsconf.engine.lab.tree import Tree

ONE = "VTSPolicy TSM 'archive /VAULT01/POOL1/A00001'"
SYS = "SErvername TSM1\n  TCPServeraddress tsm1\n  NODename VTS1\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "a lab" / "vts1")
    made.root.mkdir(parents=True)
    made.build(datetime(2026, 11, 25, 12))  # noqa: DTZ001 a clock on the wall
    (made.root / "opt/tivoli/tsm/client/ba/bin/dsm.sys").write_text(SYS)
    return made


def give(tree: Tree, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tree.root / "bin/vtspolicy", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )  # fmt: skip


def break_(tree: Tree, *words: str, once: bool = False) -> None:
    Faults(tree.root / "faults").turn_on("vtspolicy", words, once=once)


def copies(tree: Tree) -> list[str]:
    """The tapes in the library, each as often as it is there."""
    found = (tree.root.parent / "library/tsm/VTS1").glob("[0-9]*/path")
    return sorted(path.read_text().strip().removeprefix(str(tree.root)) for path in found)


def marked(tree: Tree) -> list[str]:
    path = tree.root / "run/migrated"
    return [line.split(" ", 2)[2] for line in path.read_text().splitlines()] if path.exists() else []


def log(tree: Tree) -> list[str]:
    path = tree.root.parent / "library/log"
    return [" ".join(line.split()[:3]) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize(
    ("line", "tapes"),
    [
        (ONE, ["A00001"]),
        ("VTSPolicy TSM 'selective /VAULT01/POOL1/A00001 s = vts1.bank.example'", ["A00001"]),
        ("VTSPolicy TSM 'archive /VAULT01/POOL1'", ["A00001", "A00002", "A00004"]),  # A00003 is erased
        ('VTSPolicy TSM "/VAULT01/POOL1/A00002 s=vts1 st=y"', ["A00002"]),
    ],
)
def test_a_migration_runs_the_client_and_marks_the_tape(tree: Tree, line: str, tapes: list[str]) -> None:
    assert not isinstance(parse(line), tuple)  # it is one of the documented forms

    assert 0 == give(tree, line).returncode
    assert [f"/VAULT01/POOL1/{name}" for name in tapes] == copies(tree) == marked(tree)
    assert ["begin vtspolicy line", "end vtspolicy line"] == [log(tree)[0], log(tree)[-1]]


def test_an_erase_leaves_the_tape_and_takes_its_data(tree: Tree) -> None:
    assert 0 == give(tree, "VTSPolicy Erase - A00001 X00001 s=vts1").returncode

    sizes = {name: (tree.root / "VAULT01" / name).stat().st_size for name in ("POOL1/A00001", "TEST/X00001")}
    assert {"POOL1/A00001": 0, "TEST/X00001": 0} == sizes
    told = [event.text for event in events(tree.event_log.read_bytes())][-2:]
    assert ["Cartridge A00001 erased in Pool POOL1", "Cartridge X00001 erased in Pool TEST"] == told


@pytest.mark.parametrize(
    "line",
    [
        'VTSPolicy NBU "/VAULT01/POOL1/A00001"', "VTSPolicy Delete - A00001", "VTSPolicy TSM archive /VAULT01/POOL1",
        "VTSPolicy TSM 'archive /VAULT01/POOL1/A00001 d=vts2'", "VTSPolicy TSM 'archive /VAULT01/POOL1/A00001 x=y'",
        "VTSPolicy TSM 'archive /VAULT01/POOL1/A00001 s=vts2'", "VTSPolicy TSM 'archive /VAULT01/POOL1/A00001 o=dsm.opt'",
        "VTSPolicy TSM 'archive /VAULT01/POOL1/none'", "VTSPolicy TSM 'archive /VAULT01/../etc'",
        "VTSPolicy TSM 'archive /etc/passwd'", "VTSPolicy TSM 'archive /VAULT01/POOL1/A00001 st=y'",
        "VTSPolicy TSM 'archive /VAULT01/POOL1/A00001' 'x'", "VTSPolicy TSM ''", "vtspolicy tsm 'archive /VAULT01/POOL1'",
        "VTSPolicy Erase - A00001 none", "VTSPolicy Erase - /VAULT01/POOL1/A00001", "VTSPolicy Erase A00001",
        "VTSPolicy Erase - *", "VTSPolicy Erase - s=vts1", "",
    ],
)  # fmt: skip
def test_what_it_does_not_understand_it_refuses_and_does_nothing(tree: Tree, line: str) -> None:
    done = give(tree, line)

    assert (64, True) == (done.returncode, done.stderr.startswith("vtspolicy: "))
    assert ([], [], []) == (copies(tree), marked(tree), log(tree))
    assert (tree.root / "VAULT01/POOL1/A00001").stat().st_size


def test_a_client_that_fails_leaves_no_mark_and_is_told_in_the_event_log(tree: Tree) -> None:
    Faults(tree.root / "faults").turn_on("bma", ["exit", "12", "archive"])

    assert 1 == give(tree, ONE).returncode
    assert ([], []) == (copies(tree), marked(tree))
    *_, last = events(tree.event_log.read_bytes())
    assert ("ERROR", "Cartridge A00001 could not be migrated: its client ended with 12") == (
        last.severity,
        last.text,
    )


def test_it_need_not_wait(tree: Tree) -> None:
    Faults(tree.root / "faults").turn_on("bma", ["slow", "1", "archive"])
    started = time.monotonic()

    assert (0, []) == (give(tree, "--no-wait", ONE).returncode, copies(tree))
    assert time.monotonic() - started < 1
    while "end vtspolicy line" not in log(tree):
        assert time.monotonic() - started < 30
        time.sleep(0.05)
    assert ["/VAULT01/POOL1/A00001"] == copies(tree) == marked(tree)


@pytest.mark.parametrize(
    ("fault", "code", "there"),
    [
        ("refuses", 1, []),
        ("accepts-only", 0, []),
        ("fails-late", 1, ["/VAULT01/POOL1/A00001"]),
        ("slow", 0, ["/VAULT01/POOL1/A00001"]),
    ],
)
def test_its_faults(tree: Tree, fault: str, code: int, there: list[str]) -> None:
    break_(tree, fault, *(["1"] if fault == "slow" else []), once=True)

    assert (code, there) == (give(tree, ONE).returncode, copies(tree))
    assert 0 == give(tree, ONE).returncode  # it has struck


def test_one_that_hangs_is_ended_from_outside(tree: Tree) -> None:
    break_(tree, "hang")
    taken = subprocess.Popen([tree.root / "bin/vtspolicy", ONE], start_new_session=True)
    with pytest.raises(subprocess.TimeoutExpired):
        taken.wait(0.5)
    os.killpg(taken.pid, signal.SIGKILL)
    taken.wait()

    assert {"refuses", "accepts-only", "fails-late", "slow", "hang"} == set(VTSPOLICY)
    assert ["begin vtspolicy line"] == log(tree)

"""`submit: vtspolicy` on the lab's VTSPolicy command, which runs the lab's BMA: what is made of each way in which it fails.

What counts is what the tape library holds, and its log of every line that was taken, not what the executor says.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.host import Host
from vtsconf.engine.lab.lab import Lab
from vtsconf.engine.migrate.book import Book

TAPE = b"tape" * 500
LINE = "VTSPolicy TSM 'archive /VAULT01/ONE/T00001'"
POLICY = """\
vts:
  vtspolicy: {within: 2s}
  policies:
    one:
      select: {pools: [ONE]}
      action: migrate
      bma: tsm
      options: {type: archive}
      submit: vtspolicy
      retry: {attempts: 2, backoff: 1s}
"""
CASES = (
    # what is broken, and whether an old copy of the same size is there; the end, its reason, lines, copies
    ("", False, "done", "archived by VTS", 1, 1),
    ("", True, "done", "archived by VTS", 1, 2),
    ("vtspolicy slow 1", False, "done", "", 1, 1),
    ("vtspolicy accepts-only", False, "unproven", "no new copy", 1, 0),
    ("vtspolicy accepts-only", True, "unproven", "no new copy", 1, 1),
    ("vtspolicy refuses", False, "parked", "ended with 1", 2, 0),
    ("vtspolicy fails-late", False, "unproven", "yet the catalogue has a new copy", 1, 1),
    ("bma exit 12 archive", False, "parked", "ended with 1", 2, 0),
    ("bma exit 4 archive", True, "parked", "ended with 1", 2, 1),
    ("bma lies archive", False, "unproven", "no new copy", 1, 0),
    ("bma short archive", False, "unproven", "the catalogue has 1999 bytes, the tape 2000", 1, 1),
    ("bma dies archive", False, "unproven", "yet the catalogue has a new copy", 1, 1),
    ("bma changes-silently archive", False, "unproven", "the tape changed meanwhile", 1, 1),
    ("bma rounds locate", False, "unproven", "exact size", 1, 1),
    ("bma no-server locate", True, "parked", "does not say what it holds", 0, 1),
)


def lines(lab: Lab, host: Host) -> int:
    """How many lines its VTSPolicy command has taken, those before the run left out."""
    log = lab.folder / "library/log"
    begun = [line for line in log.read_text().splitlines() if line.startswith("begin vtspolicy line ")]
    return sum(f"s={host.name}." in line for line in begun)


def copies(host: Host) -> list[Path]:
    shelf = host.tree.root.parent / "library/tsm" / host.name.upper()
    return list(shelf.glob("[0-9]*/path"))


def site(lab: Lab, text: str = POLICY) -> None:
    """Each server names itself in its lines: so the log of the library tells whose they are."""
    (lab.folder / "group_vars" / "vts.yaml").write_text(text)
    text = "vts: {policies: {one: {options: {source: '{{ inventory_hostname }}.lab'}}}}\n"
    (lab.folder / "group_vars" / "production.yaml").write_text(text)
    (lab.folder / "group_vars" / "test.yaml").write_text(text)
    applied = run(lab, "apply", "-y")
    assert 0 == applied.returncode, applied.stderr
    for host in lab.hosts:
        host.path("/VAULT01/ONE").mkdir()
        host.path("/VAULT01/ONE/T00001").write_bytes(TAPE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("vts") / "lab", servers=len(CASES)) as lab:
        site(lab)
        for host, (fault, has_old, *_) in zip(lab.hosts, CASES, strict=True):
            if has_old:
                subprocess.run([host.path("/bin/vtspolicy"), LINE], check=True, capture_output=True)
            if fault:
                host.break_(*fault.split())
        yield lab


@pytest.fixture(scope="module")
def jobs(lab: Lab) -> dict[str, dict]:
    done = run(lab, "migrate", "run", "--json")

    assert 5 == done.returncode, done.stderr
    return {job["host"]: job for job in json.loads(done.stdout)["jobs"]}


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{f or 'well'}{', old' * o}" for f, o, *_ in CASES]
)
def test_what_is_made_of_it(lab: Lab, jobs: dict[str, dict], number: int) -> None:
    _, _, status, reason, given, there = CASES[number]
    host = lab.hosts[number]
    job = jobs[host.name]

    assert (status, True) == (job["status"], reason in job["reason"]), job["reason"]
    assert (given, there) == (lines(lab, host), len(copies(host)))


def test_only_what_is_done_is_on_record(lab: Lab, jobs: dict[str, dict]) -> None:
    book = Book(f"sqlite:///{lab.folder}/.vtsconf/vtsconf.db")
    proofs = {host.name: [proof for proof, _ in book.proofs(host.name)] for host in lab.hosts}

    assert {name: job["status"] == "done" for name, job in jobs.items()} == {
        name: bool(found) for name, found in proofs.items()
    }
    assert all(proof.is_complete for found in proofs.values() for proof in found)
    assert {name: job["status"] == "done" for name, job in jobs.items()} == {
        name: all(job["witnesses"].values()) for name, job in jobs.items()
    }


def test_no_tape_was_touched(lab: Lab, jobs: dict[str, dict]) -> None:
    assert len(CASES) == len(jobs)
    assert {TAPE} == {host.path("/VAULT01/ONE/T00001").read_bytes()[: len(TAPE)] for host in lab.hosts}


def test_vts_has_marked_what_its_bma_has_saved(lab: Lab, jobs: dict[str, dict]) -> None:
    done, refused = lab.hosts[0], lab.hosts[5]

    assert "done" == jobs[done.name]["status"]
    assert "/VAULT01/ONE/T00001" == done.path("/run/migrated").read_text().split()[-1]
    assert not refused.path("/run/migrated").exists()


# ---- one server, and time


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=1) as lab:
        yield lab


def status(lab: Lab) -> tuple[str, str]:
    (job,) = json.loads(run(lab, "migrate", "status", "--json").stdout)["jobs"]
    return job["status"], job["reason"]


def test_a_command_that_does_not_wait_leaves_it_unproven(alone: Lab) -> None:
    site(
        alone,
        POLICY.replace("{within: 2s}", "{command: [vtspolicy, --no-wait], waits: false, within: 20s}"),
    )
    (host,) = alone.hosts
    host.break_("bma", "slow", "1", "archive")

    done = run(alone, "migrate", "run", "--json")
    (job,) = json.loads(done.stdout)["jobs"]
    assert (5, "unproven") == (done.returncode, job["status"])
    assert "vts.vtspolicy.waits" in job["reason"]
    assert "2000 bytes" in job["witnesses"]["catalogue"]
    assert 1 == len(copies(host))


class Executor:
    """`migrate run` in a process of its own, until somebody kills it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vtsconf", "migrate", "run"], cwd=lab.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def when(self, words: str) -> None:
        """Until the library's log has a line that begins so."""
        log, deadline = self.lab.folder / "library/log", time.monotonic() + 60
        while not (log.exists() and any(line.startswith(words) for line in log.read_text().splitlines())):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.mark.parametrize(
    "moment", ["begin vtspolicy", "begin tsm archive", "end tsm archive", "end vtspolicy"]
)
def test_killed_between_the_line_and_the_proof_the_line_is_given_once(alone: Lab, moment: str) -> None:
    site(alone)
    (host,) = alone.hosts
    host.break_("vtspolicy", "slow", "1")
    host.break_("bma", "slow", "1", "archive")
    subprocess.run([host.path("/bin/vtspolicy"), LINE], check=True, capture_output=True)  # an old copy
    (alone.folder / "library/log").unlink()

    executor = Executor(alone)
    try:
        executor.when(moment)
    finally:
        executor.kill()
    assert 0 == run(alone, "migrate", "run").returncode

    assert ("done", "archived by VTS, and found in the catalogue") == status(alone)
    assert (1, 2) == (lines(alone, host), len(copies(host)))


def test_a_server_that_is_rebooted_in_the_middle_gets_no_second_line(alone: Lab) -> None:
    site(alone)
    (host,) = alone.hosts
    host.break_("vtspolicy", "slow", "30")
    executor = Executor(alone)
    try:
        executor.when("begin vtspolicy")
        host.break_("reboot")
        executor.process.wait(60)
    finally:
        executor.kill()

    assert ("in_doubt", True) == (status(alone)[0], "not given again by itself" in status(alone)[1])
    assert (1, 0) == (lines(alone, host), len(copies(host)))


def test_cancelled_while_vts_is_at_it(alone: Lab) -> None:
    site(alone)
    (host,) = alone.hosts
    host.break_("vtspolicy", "hang")
    executor = Executor(alone)
    try:
        executor.when("begin vtspolicy")
        assert 0 == run(alone, "migrate", "cancel", "--all").returncode
        executor.process.wait(60)
    finally:
        executor.kill()

    assert "cancelled" == status(alone)[0]
    assert [] == [line for line in host.processes() if "vtspolicy" in str(line)]


def test_what_vts_has_archived_may_be_erased_and_is_brought_back_by_vts_alone(alone: Lab) -> None:
    """The copy has no mark of ours: our restore says so, and leaves the stub as it is."""
    site(alone, POLICY + "    gone: {select: {pools: [ONE], migrated: 'yes'}, action: erase, priority: 60}\n"
         "  allow_erase: [gone]\n  tape_is_free: ['true']\n")  # fmt: skip
    (host,) = alone.hosts
    tape = host.path("/VAULT01/ONE/T00001")

    for _ in range(2):
        assert 0 == run(alone, "migrate", "run").returncode
    assert b"" == tape.read_bytes()

    refused = run(alone, "migrate", "restore", host.name, str(tape))
    assert (5, b"") == (refused.returncode, tape.read_bytes())
    assert "no mark by which this copy could be asked for" in refused.stdout

"""How `migrate run` and `migrate restore` end: with the right code, and never with a process that hangs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.lab import Lab

POLICY = """\
vts:
  policies:
    all: {select: {pools: [ENDS]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}, retry: {attempts: 1}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=2) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        assert 0 == run(lab, "apply", "-y").returncode
        for host in lab.hosts:
            host.path("/VAULT01/ENDS").mkdir()
            host.path("/VAULT01/ENDS/E00001").write_bytes(b"tape" * 500)
        yield lab


def jobs(lab: Lab) -> dict[str, dict]:
    found = json.loads(run(lab, "migrate", "status", "--json").stdout)["jobs"]
    return {f"{job['host']} {job['action']}": job for job in found}


def unreachable(lab: Lab, name: str) -> None:
    """Nobody listens there."""
    folder = lab.folder / "host_vars"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text("ansible_port: 1\n")


def test_a_server_that_is_away_is_told_and_counts(lab: Lab) -> None:
    one, two = lab.hosts
    unreachable(lab, two.name)

    done = run(lab, "migrate", "run", "--json")
    document = json.loads(done.stdout)

    assert 4 == done.returncode, done.stderr
    assert {one.name: "done"} == {job["host"]: job["status"] for job in document["jobs"]}
    assert {one.name: "judged", two.name: "unreachable"} == {
        h["host"]: h["outcome"] for h in document["hosts"]
    }


def test_what_an_earlier_run_has_left_counts_when_it_is_worked_on(lab: Lab) -> None:
    one, _ = lab.hosts
    one.break_("bma", "exit", "12", "archive")
    assert 5 == run(lab, "migrate", "run").returncode
    assert 0 == run(lab, "migrate", "retry", "--all").returncode

    again = run(lab, "migrate", "run", "--no-plan", "--json")

    assert (5, [one.name]) == (again.returncode, [job["host"] for job in json.loads(again.stdout)["jobs"]])


def test_the_report_of_a_run_shows_the_jobs_of_an_earlier_one_that_it_worked_on(lab: Lab) -> None:
    one, _ = lab.hosts
    one.break_("bma", "exit", "12", "archive")
    assert 5 == run(lab, "migrate", "run").returncode
    one.mend()
    assert 0 == run(lab, "migrate", "retry", "--all").returncode
    assert 0 == run(lab, "migrate", "run", "--no-plan").returncode

    told = json.loads(run(lab, "migrate", "report", "--json").stdout)

    assert "1 of 1 job done, 2 kB archived." == told["verdict"]
    assert [one.name] == [job["host"] for job in told["jobs"]]
    assert told["jobs"][0]["of_run"] != told["run"]


@pytest.mark.parametrize("word", ["cancel", "retry"])
def test_no_job_is_a_wrong_command_line(lab: Lab, word: str) -> None:
    assert 64 == run(lab, "migrate", word).returncode


def test_a_limit_leaves_the_jobs_of_others_alone(lab: Lab) -> None:
    """They wait on the list from another run; this one does not know their server."""
    one, two = lab.hosts
    two.break_("bma", "exit", "4", "archive")
    run(lab, "migrate", "run")
    run(lab, "migrate", "retry", "--all")

    done = run(lab, "migrate", "run", "-l", one.name)

    assert 0 == done.returncode, done.stderr
    assert ("planned", "done") == tuple(jobs(lab)[f"{host.name} migrate"]["status"] for host in (two, one))


def begun(lab: Lab, *program: str) -> subprocess.Popen[str]:
    """An executor whose archives hang, when they have begun."""
    for host in lab.hosts:
        host.break_("bma", "hang", "archive")
    executor = subprocess.Popen(
        [sys.executable, *program, "migrate", "run", "--json"], cwd=lab.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while any(not list(host.path("/var/lib/vtsconf/jobs").glob("vtsconf-*/1/session")) for host in lab.hosts):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return executor


def test_a_restore_takes_nothing_else_and_ends_though_others_are_at_work(lab: Lab) -> None:
    one, two = lab.hosts
    assert 0 == run(lab, "migrate", "run").returncode
    one.path("/VAULT01/ENDS/E00001").write_bytes(b"")
    for host in (one, two):
        host.path("/VAULT01/ENDS/E00002").write_bytes(b"more" * 500)
    killed = begun(lab, "-m", "vtsconf")
    killed.kill()
    killed.communicate()

    back = run(lab, "migrate", "restore", one.name, str(one.path("/VAULT01/ENDS/E00001")))

    assert 0 == back.returncode, back.stderr
    assert b"tape" * 500 == one.path("/VAULT01/ENDS/E00001").read_bytes()


FAILS = """
import sys, time
from vtsconf.cli.main import main
from vtsconf.core.errors import Failed
from vtsconf.engine.migrate.executor import Executor

fill = Executor.fill

def fails(self):
    if not fill(self) and self.hands.flows and time.monotonic() > began + 5:
        raise Failed("something of ours broke")
    return 0

began, Executor.fill = time.monotonic(), fails
main()
"""


def test_an_error_ends_a_process_in_which_jobs_are_at_work(lab: Lab) -> None:
    """Whoever starts it again finds them; if it hung, nobody would start it."""
    executor = begun(lab, "-c", FAILS)

    said, _ = executor.communicate(timeout=60)
    assert 5 == executor.returncode
    assert "something of ours broke" in said
    assert {"running"} == {job["status"] for job in jobs(lab).values()}


def test_stopped_it_ends_its_run_and_prints_its_document(lab: Lab) -> None:
    executor = begun(lab, "-m", "vtsconf")
    executor.terminate()
    said, _ = executor.communicate(timeout=60)
    document = json.loads(said)
    history = json.loads(run(lab, "history", "--json").stdout)
    (own,) = (one for one in history["runs"] if one["run"] == document["run"])

    assert (9, 2) == (executor.returncode, len(document["jobs"]))
    assert own["finished"] >= own["started"]

    later = subprocess.Popen(
        [sys.executable, "-m", "vtsconf", "migrate", "run", "--no-plan"], cwd=lab.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(3)
    later.terminate()
    said, _ = later.communicate(timeout=60)
    assert 9 == later.returncode
    assert ": no jobs of its own\n? 2 jobs are at work: `vtsconf migrate run` finds them again\n" in said


def test_jobs_behind_a_parked_application_are_told_with_what_to_do(lab: Lab) -> None:
    (lab.folder / "vtsconf.toml").write_text("failures_in_a_row = 1\njobs_per_bma = 1\n")
    for host in lab.hosts:
        host.break_("bma", "exit", "12", "archive")
    first = run(lab, "migrate", "run")  # this one parks it
    again = run(lab, "migrate", "run", "--no-plan")
    left = json.loads(run(lab, "migrate", "run", "--no-plan", "--json").stdout)["left"]

    assert (5, 9) == (first.returncode, again.returncode), first.stdout + again.stdout
    assert ": no jobs of its own\n" in again.stdout
    for said in (first.stdout, again.stdout):
        assert "! 1 job waits: bma tsm is parked after a failure " in said
        assert "      to do: vtsconf migrate retry --bma tsm\n" in said
    assert [("parked", "tsm", 1, 1)] == [
        (one["waits_for"], one["name"], one["jobs"], one["parked"]["failures"]) for one in left
    ]


def test_a_closed_window_ends_a_run_that_has_nothing_else_to_do(lab: Lab) -> None:
    opens = datetime.now(UTC) + timedelta(hours=4)
    window = (
        f"window: {{from: '{opens:%H:%M}', to: '{opens + timedelta(hours=2):%H:%M}', timezone: UTC}}, retry"
    )
    (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY.replace("retry", window))

    done = run(lab, "migrate", "run")
    again = run(lab, "migrate", "run")

    for one in (done, again):
        assert 9 == one.returncode, one.stderr
        assert f"? 2 jobs wait for the window of all: from {opens:%Y-%m-%d %H:%M} UTC, in 3h" in one.stdout
    assert {"planned"} == {job["status"] for job in jobs(lab).values()}

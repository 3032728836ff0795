"""The executor on the lab's stand-ins: every way in which a backup client can fail, and what is made of it.

One server for each fault, each with one tape, all in one run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.lab import Lab

PAIRS = (
    # the fault, its words; how the job ends, and what its reason must say
    ("none", (), "done", "found in the catalogue"),
    ("exit", ("4", "archive"), "parked", ""),
    ("exit", ("12", "archive"), "failed", ""),
    ("prompt", ("archive",), "failed", ""),
    ("hang", ("archive",), "parked", ""),
    ("silent", ("archive",), "parked", "text that would prove it is not there"),
    ("flood", ("archive",), "done", ""),
    ("german", ("archive",), "unproven", ""),
    ("cut", ("locate",), "unproven", "catalogue"),
    ("changes", ("archive",), "failed", "not started"),
    ("changes-silently", ("archive",), "unproven", "changed meanwhile"),
    ("full", ("archive",), "failed", "room"),
    ("no-server", ("archive",), "parked", ""),
    ("lies", ("archive",), "unproven", "catalogue"),
    ("short", ("archive",), "unproven", "bytes"),
    ("rounds", ("locate",), "unproven", "exact size"),
    ("dies", ("archive",), "unproven", "not known to mean yes"),
)
POLICY = """\
vts:
  bma: {tsm: {timeouts: {archive: 4s}}}
  policies:
    one:
      select: {pools: [ONE]}
      action: migrate
      bma: tsm
      options: {type: archive, management_class: MC7Y}
      retry: {attempts: 2, backoff: 1s}
"""
SETTINGS = "failures_in_a_row = 500\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("bma") / "lab", servers=len(PAIRS)) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        (lab.folder / "vtsconf.toml").write_text(SETTINGS)
        assert 0 == run(lab, "apply", "-y").returncode
        for host, (fault, words, *_) in zip(lab.hosts, PAIRS, strict=True):
            pool = host.path("/VAULT01/ONE")
            pool.mkdir()
            (pool / "T00001").write_bytes(b"tape" * 500)
            if fault != "none":
                host.break_("bma", fault, *words)
        yield lab


@pytest.fixture(scope="module")
def jobs(lab: Lab) -> dict[str, dict]:
    done = run(lab, "migrate", "run", "--json")

    assert 5 == done.returncode, done.stderr
    return {job["host"]: job for job in json.loads(done.stdout)["jobs"]}


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=["-".join((f, *w)) for f, w, *_ in PAIRS])
def test_what_is_made_of_a_fault(lab: Lab, jobs: dict[str, dict], number: int) -> None:
    _, _, status, reason = PAIRS[number]
    job = jobs[lab.hosts[number].name]

    assert (status, True) == (job["status"], reason in job["reason"]), job["reason"]
    assert (status == "done") == all(job["witnesses"].values())


def test_no_tape_is_in_the_library_twice(lab: Lab, jobs: dict[str, dict]) -> None:
    paths = [path.read_text().strip() for path in (lab.folder / "library/tsm").glob("*/*/path")]

    assert len(jobs) == len(PAIRS)
    assert sorted(set(paths)) == sorted(paths)


def test_nothing_on_a_server_was_touched(lab: Lab, jobs: dict[str, dict]) -> None:
    for host, (fault, *_) in zip(lab.hosts, PAIRS, strict=True):
        data = Path(host.path("/VAULT01/ONE/T00001")).read_bytes()

        assert (b"tape" * 500) == data[:2000], fault


# ---- there and back again

WITH_ERASE = """\
vts:
  allow_erase: [gone]
  tape_is_free: [sh, -c, 'test ! -e "$1.in-use"', sh]
  bma: {tsm: {timeouts: {restore: 4s}}}
  policies:
    one: {select: {pools: [ONE]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}, priority: 10, retry: {attempts: 1}}
    gone: {select: {pools: [ONE], migrated: "yes"}, action: erase, priority: 20, retry: {attempts: 1}}
"""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=1) as lab:
        (host,) = lab.hosts
        (lab.folder / "group_vars" / "vts.yaml").write_text(WITH_ERASE)
        assert 0 == run(lab, "apply", "-y").returncode
        host.path("/VAULT01/ONE").mkdir()
        host.path("/VAULT01/ONE/T00001").write_bytes(b"precious" * 1000)
        host.path("/VAULT01/ONE/T00002").write_bytes(b"mounted" * 1000)
        yield lab


def statuses(lab: Lab) -> dict[tuple[str, str], str]:
    found = json.loads(run(lab, "migrate", "status", "--json").stdout)["jobs"]
    return {(job["action"], job["cartridge"].rsplit("/", 1)[1]): job["status"] for job in found}


def test_archived_erased_and_back(pair: Lab) -> None:
    (host,) = pair.hosts
    tape, used = host.path("/VAULT01/ONE/T00001"), host.path("/VAULT01/ONE/T00002")
    before = tape.read_bytes()
    Path(f"{used}.in-use").touch()

    first = run(pair, "migrate", "run", "--policy", "one")
    assert ("done", b"precious" * 1000) == (statuses(pair)["migrate", "T00001"], tape.read_bytes()), (
        first.stdout
    )
    Path(f"{used}.in-use").unlink()
    run(pair, "migrate", "retry", "--all")
    run(pair, "migrate", "run", "--no-plan")
    Path(f"{used}.in-use").touch()

    run(pair, "migrate", "run")
    assert (0, "done") == (tape.stat().st_size, statuses(pair)["erase", "T00001"])
    assert b"mounted" * 1000 == used.read_bytes()
    assert "done" != statuses(pair)["erase", "T00002"]

    assert 0 == run(pair, "migrate", "restore", host.name, str(tape)).returncode
    assert before == tape.read_bytes()


@pytest.mark.parametrize("fault", ["partial", "hang", "no-server", "short"])
def test_a_restore_that_fails_leaves_the_empty_stub(pair: Lab, fault: str) -> None:
    (host,) = pair.hosts
    tape = host.path("/VAULT01/ONE/T00001")
    assert 0 == run(pair, "migrate", "run", "--policy", "one").returncode
    if fault == "short":
        for data in (pair.folder / "library/tsm").glob("*/*/data"):
            data.write_bytes(data.read_bytes()[:-1])
    else:
        host.break_("bma", fault, "restore")
    tape.write_bytes(b"")

    done = run(pair, "migrate", "restore", host.name, str(tape), "--attempts", "1")

    assert b"" == tape.read_bytes()
    assert "done" != statuses(pair)["restore", "T00001"], done.stdout


def test_a_tape_that_is_not_erased_is_not_restored_over(pair: Lab) -> None:
    (host,) = pair.hosts
    tape = host.path("/VAULT01/ONE/T00001")
    assert 0 == run(pair, "migrate", "run", "--policy", "one").returncode

    refused = run(pair, "migrate", "restore", host.name, str(tape))

    assert (3, "is not erased" in refused.stderr) == (refused.returncode, True)


def test_a_job_that_runs_is_cancelled_and_its_processes_end(pair: Lab) -> None:
    (host,) = pair.hosts
    host.break_("bma", "hang", "archive")
    executor = subprocess.Popen(
        [sys.executable, "-m", "vtsconf", "migrate", "run", "--policy", "one"], cwd=pair.folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while len(list(host.path("/var/lib/vtsconf/jobs").glob("vtsconf-*/1"))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert 0 == run(pair, "migrate", "cancel", "--all").returncode
        said, _ = executor.communicate(timeout=60)
    finally:
        executor.kill()

    assert {"cancelled"} == set(statuses(pair).values()), said
    assert [] == [line for line in host.processes() if "dsmc" in str(line)]

"""Two commands on one SQLite store: one of them moves the tapes, and the other one is not left alone with an error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.test_migrate import statuses
from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.lab import Lab

POLICY = """\
vts:
  policies:
    one: {select: {pools: [ONE]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}}
"""
AWAIT = 60.0  # seconds: a bound, not what is expected


def begin(lab: Lab, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vtsconf", "migrate", *words], cwd=lab.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + AWAIT
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGKILL) -> None:
    if process.poll() is None:
        os.killpg(process.pid, how)
    process.communicate()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """One server with two tapes, both archived; the first one is erased."""
    with Lab.up(tmp_path / "lab", servers=1) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        assert 0 == run(lab, "apply", "-y").returncode
        (host,) = lab.hosts
        host.path("/VAULT01/ONE").mkdir()
        for n in (1, 2):
            host.path(f"/VAULT01/ONE/T0000{n}").write_bytes(b"precious" * 1000)
        assert 0 == run(lab, "migrate", "run").returncode
        host.path("/VAULT01/ONE/T00001").write_bytes(b"")
        yield lab


@pytest.fixture
def service(lab: Lab) -> Iterator[subprocess.Popen[str]]:
    """At work: its lock says so."""
    process = begin(lab, "run", "--follow", "--no-plan")
    mine = f"process {process.pid} on".encode()
    try:
        until(
            lambda: any(
                file.read_bytes().startswith(mine) for file in (lab.folder / ".vtsconf").glob("*[!ml]")
            )
        )
        yield process
    finally:
        end(process)


def test_a_restore_is_done_by_the_service_and_waited_for(lab: Lab, service: subprocess.Popen[str]) -> None:
    (host,) = lab.hosts
    tape = host.path("/VAULT01/ONE/T00001")

    done = run(lab, "migrate", "restore", host.name, str(tape))

    assert (0, b"precious" * 1000) == (done.returncode, tape.read_bytes()), done.stderr
    assert f"is run by process {service.pid} on" in done.stderr
    assert "that executor does it" in done.stderr
    assert 1 == done.stdout.count("done  restored whole")
    assert None is service.poll()


def test_its_document_is_the_same_and_a_failure_has_its_exit_code(
    lab: Lab, service: subprocess.Popen[str]
) -> None:
    (host,) = lab.hosts
    tape = host.path("/VAULT01/ONE/T00001")
    host.break_("bma", "exit", "12", "restore")

    done = run(lab, "migrate", "restore", host.name, str(tape), "--json")
    document = json.loads(done.stdout)

    assert (5, b"") == (done.returncode, tape.read_bytes()), done.stderr
    assert ["failed"] == [job["status"] for job in document["jobs"]]
    assert (1, 1, 8000) == tuple(document["progress"][key] for key in ("jobs_done", "bad", "bytes_total"))


def test_a_restore_that_nobody_waits_for_says_how_much_it_is(lab: Lab) -> None:
    (host,) = lab.hosts
    tape = host.path("/VAULT01/ONE/T00001")

    done = run(lab, "migrate", "restore", host.name, str(tape), "--no-wait", "--json")
    progress = json.loads(done.stdout)["progress"]

    assert (9, 1, 8000, 1) == (
        done.returncode,
        *(progress[key] for key in ("jobs_total", "bytes_total", "waiting")),
    )


def test_when_the_service_dies_the_restore_takes_over(lab: Lab, service: subprocess.Popen[str]) -> None:
    (host,) = lab.hosts
    tape = host.path("/VAULT01/ONE/T00001")
    host.break_("bma", "slow", "5", "restore")
    restore = begin(lab, "restore", host.name, str(tape))
    try:
        until(lambda: statuses(lab).get(("restore", "T00001")) == "submitted")
        end(service)
        said, told = restore.communicate(timeout=AWAIT)
    finally:
        end(restore)

    assert (0, b"precious" * 1000) == (restore.returncode, tape.read_bytes()), told
    assert "done  restored whole" in said
    begun = (lab.folder / "library/log").read_text().count("begin tsm restore")
    assert 1 == begun


def test_a_restore_that_is_interrupted_stays_on_the_list(lab: Lab, service: subprocess.Popen[str]) -> None:
    (host,) = lab.hosts
    tape = host.path("/VAULT01/ONE/T00001")
    host.break_("bma", "slow", "8", "restore")
    restore = begin(lab, "restore", host.name, str(tape))
    try:
        until(lambda: statuses(lab).get(("restore", "T00001")) == "submitted")
        time.sleep(1)  # it looks on by now
        restore.send_signal(signal.SIGINT)
        _, told = restore.communicate(timeout=AWAIT)
    finally:
        end(restore)

    assert (9, True) == (restore.returncode, "the jobs stay on the list" in told), told
    until(lambda: statuses(lab)["restore", "T00001"] == "done")
    assert b"precious" * 1000 == tape.read_bytes()


def test_a_second_run_says_who_is_at_work_and_its_jobs_are_done_by_that(
    lab: Lab, service: subprocess.Popen[str]
) -> None:
    (host,) = lab.hosts
    host.path("/VAULT01/ONE/T00003").write_bytes(b"new" * 1000)

    second = run(lab, "migrate", "run")

    assert 7 == second.returncode
    assert f"is run by process {service.pid} on" in second.stderr
    assert "its 1 new job is on the list, and that executor takes it" in second.stderr
    until(lambda: statuses(lab).get(("migrate", "T00003")) == "done")

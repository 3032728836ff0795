"""`vtsconf migrate run --follow`: what the servers' event logs ask for is done within seconds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.journal import Journal
from vtsconf.engine.lab.lab import Lab
from vtsconf.engine.lab.tree import EVENT_LOG

SITE = """\
vts:
  allow_erase: [rules/erase]
  ems:
    rules:
      noise: {match: NOISE, action: ignore}
      people: {match: LIBRARY FULL|READY, action: notify}
      mount: {match: 'MOUNT (?P<path>/[^ ]+)', action: restore}
      erase: {match: '^VTSPolicy Erase', action: erase}
      asked: {match: '^VTSPolicy', action: vtspolicy, policy: one}
  tape_is_free: [sh, -c, 'test ! -e "$1.in-use"', sh]
  policies:
    one: {select: {pools: [ONE]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}}
"""
HEAD = "2006-08-28 16:25:18|INFO|200001|5900-E|127.0.0.1|vts1|super|"
AWAIT = 60.0  # seconds: a bound, not what is expected


@contextmanager
def site(folder: Path, servers: int) -> Iterator[Lab]:
    with Lab.up(folder, servers=servers) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(SITE)
        applied = run(lab, "apply", "-y")
        assert 0 == applied.returncode, applied.stderr
        for host in lab.hosts:
            host.path("/VAULT01/ONE").mkdir()
            for name in ("T00001", "T00002", "T00003"):
                host.path(f"/VAULT01/ONE/{name}").write_bytes(name.encode() * 1000)
        yield lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with site(tmp_path / "lab", servers=1) as lab:
        yield lab


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Lab]:
    with site(tmp_path / "lab", servers=2) as lab:
        yield lab


class Service:
    """The executor as a service, over one server; what it prints goes to a file."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.said = lab, lab.folder / "said"
        self.log = lab.hosts[0].path("/" + EVENT_LOG)
        self.executor: subprocess.Popen[bytes] | None = None

    def begin(self, *words: str) -> None:
        with self.said.open("ab") as out:
            self.executor = subprocess.Popen(
                [sys.executable, "-m", "vtsconf", "migrate", "run", "--follow", *(words or ["--no-plan"])], cwd=self.lab.folder,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.executor
        self.executor.send_signal(how)
        return self.executor.wait(AWAIT)

    def say(self, *texts: str, program: str = "|", host: int = 0) -> None:
        with self.lab.hosts[host].path("/" + EVENT_LOG).open("a") as log:
            log.writelines(f"{HEAD}{program}{text}\n" for text in texts)

    def rotate(self) -> None:
        away = self.log.with_name("event.log.1")
        self.log.rename(away)
        self.log.touch()
        subprocess.run(["gzip", "-f", str(away)], check=True)

    def until(self, what: Callable[[], bool]) -> float:
        """Returns the seconds that it took."""
        begun = time.monotonic()
        while not what():
            assert self.executor
            assert None is self.executor.poll(), self.said.read_text()
            assert time.monotonic() - begun < AWAIT, self.said.read_text()
            time.sleep(0.1)
        return time.monotonic() - begun

    def until_it_listens(self, host: int = 0) -> None:
        """It has seen the log once: what people are to know is told from then on."""
        marks = iter(range(1000))
        name = self.lab.hosts[host].name

        def heard() -> bool:
            self.say(f"READY {next(marks)}", host=host)
            return f"{name}  event: READY" in self.said.read_text()

        self.until(heard)

    @property
    def jobs(self) -> list[tuple[str, str, str]]:
        """(action, tape, status), oldest first."""
        told = json.loads(run(self.lab, "migrate", "status", "--json", "-v").stdout)["jobs"]
        return [(job["action"], job["cartridge"].rsplit("/", 1)[1], job["status"]) for job in told]


@contextmanager
def serving(lab: Lab, *words: str) -> Iterator[Service]:
    service = Service(lab)
    service.begin(*words)
    try:
        yield service
    finally:
        if service.executor and service.executor.poll() is None:
            os.killpg(service.executor.pid, signal.SIGKILL)
            service.executor.wait()


@pytest.fixture
def service(lab: Lab) -> Iterator[Service]:
    with serving(lab) as service:
        yield service


def test_a_line_archives_an_event_erases_and_a_mount_restores(lab: Lab, service: Service) -> None:
    (host,) = lab.hosts
    tape, other = host.path("/VAULT01/ONE/T00001"), host.path("/VAULT01/ONE/T00002")
    before = tape.read_bytes()
    service.until_it_listens()

    service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00001'", "LIBRARY FULL", "NOISE", program="")
    service.until(lambda: ("migrate", "T00001", "done") in service.jobs)
    service.say("VTSPolicy Erase - T00001 T00002")
    service.until(lambda: tape.stat().st_size == 0 and ("erase", "T00001", "done") in service.jobs)
    service.rotate()
    service.say("MOUNT /VAULT01/ONE/T00001", program="")
    service.until(lambda: tape.read_bytes() == before and ("restore", "T00001", "done") in service.jobs)

    assert 3 == len(service.jobs)
    assert b"T00002" * 1000 == other.read_bytes()
    said = service.said.read_text()
    assert "T00002 is not, as it is now, proven on tape: it is not erased" in said
    assert re.search("LIBRARY FULL .* notify", said)
    assert "NOISE" not in said
    assert 9 == service.end()


def test_what_was_said_while_it_was_killed_is_done_once(lab: Lab, service: Service) -> None:
    service.until_it_listens()
    service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00001'")
    service.until(lambda: any(tape == "T00001" for _, tape, _ in service.jobs))
    service.end(signal.SIGKILL)
    service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00002'")
    service.rotate()
    service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00003'")
    service.begin()
    wanted = [("migrate", f"T0000{n}", "done") for n in (1, 2, 3)]
    service.until(lambda: wanted == service.jobs)

    shelves = [path.read_text().strip()[-6:] for path in (lab.folder / "library/tsm").glob("*/*/path")]
    assert ["T00001", "T00002", "T00003"] == sorted(shelves)


def test_requests_that_may_be_lost_are_told_and_written_down(lab: Lab, service: Service) -> None:
    service.until_it_listens()
    service.end(signal.SIGKILL)
    service.log.write_text("")
    service.rotate()
    service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00001'")
    service.begin()
    service.until(lambda: "requests may be lost between" in service.said.read_text())
    service.until(lambda: ("migrate", "T00001", "done") in service.jobs)

    journal = Journal(f"sqlite:///{lab.folder}/.vtsconf/vtsconf.db")
    (event,) = [one for one in journal.events() if one.action == "requests-missed"]
    assert "requests may be lost between" in event.body["reason"]
    journal.close()


def test_a_server_that_hangs_delays_neither_the_events_nor_the_jobs_of_another(pair: Lab) -> None:
    """Its time-out is longer than all that is waited for here: the planner and its own listener wait for it alone."""
    (pair.folder / "vtsconf.toml").open("a").write('connect_timeout = "10m"\n')
    pair.hosts[1].break_("hang")
    with serving(pair, "--every", "1h") as service:
        service.until_it_listens()
        service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00001'")
        service.until(lambda: ("migrate", "T00001", "done") in service.jobs)

        assert "new job" not in service.said.read_text()  # the plan waits for the server that hangs
        assert 9 == service.end()


def test_what_a_server_said_before_it_went_away_is_done_when_it_is_back(pair: Lab) -> None:
    second = pair.hosts[1]
    with serving(pair) as service:
        service.until_it_listens()
        service.until_it_listens(host=1)
        second.break_("refuse")
        second.break_("reboot")
        service.until(lambda: "the event log of vts2: " in service.said.read_text())
        service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00002'", host=1)
        service.say("VTSPolicy TSM 'archive /VAULT01/ONE/T00001'")
        service.until(lambda: ("migrate", "T00001", "done") in service.jobs)
        assert 1 == len(service.jobs)

        second.mend()
        service.until(lambda: ("migrate", "T00002", "done") in service.jobs)
        said = service.said.read_text()
        assert 2 == len(service.jobs), said
        assert "the event log of vts2: it goes on" in said
        assert "the event log of vts1" not in said

"""Gates against a real OpenSSH: one exec a server, checks that hang, servers that die, the event log as it really changes."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.engine.rollout.gating import (
    FAIL,
    INCONCLUSIVE,
    LOG,
    PASS,
    RUN,
    desk,
    event_log,
    line,
    rollout,
    verdicts,
)
from tests.real.openssh import OpenSsh
from vtsconf.bma import ALL
from vtsconf.core.rollout.gate import Answer, Question, Verdict
from vtsconf.engine.reach import Lines
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.gates import ask, marks_of

TAPE = "/usr/local/tape"
SERVICE, DSMC = f"{TAPE}/service", f"{TAPE}/bin/dsmc"
EMS = Question(gate="services/ems", argv=(SERVICE, "status"), timeout=20)
HEALTH = Question(gate="health/mounts", argv=("test", "-d", f"{TAPE}/log"))
INFO = line("INFO", "an ERROR that is none |ERROR|")


@dataclass
class Site:
    """One server, what is asked of it, and a rollout that changed it."""

    server: OpenSsh
    desk: Desk
    questions: tuple[Question, ...] = (HEALTH, EMS, event_log())

    @property
    def log(self) -> Path:
        return self.server.path(LOG)

    def write(self, data: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(data)

    def mark(self) -> dict[str, str]:
        return marks_of(["vts1"], rollout({"vts1": self.questions}), self.desk)

    def ask(self, marks: dict[str, str]) -> list[Answer]:
        return ask(1, ["vts1"], rollout({"vts1": self.questions}, marks), self.desk)

    def service(self, *, up: bool) -> None:
        program = self.server.path(SERVICE)
        program.write_text(f"#!/bin/sh\necho ems: {'up' if up else 'stopped'}\nexit {0 if up else 3}\n")
        program.chmod(0o755)


@pytest.fixture
def site(openssh, tmp_path):
    def start(user: str = "root", **target: object) -> Site:
        server = openssh(own=(TAPE,), user=user)
        for folder in ("log", "bin"):
            server.path(f"{TAPE}/{folder}").mkdir()
        way = desk(
            Lines(lambda: pytest.fail("no key is needed")), {"vts1": server.target(**target)}, tmp_path
        )
        made = Site(server, way)
        made.service(up=True)
        made.write(line("ERROR", "of yesterday") + INFO)
        return made

    return start


def test_one_exec_for_the_mark_and_one_for_all_questions(site):
    made = site()
    marks = made.mark()

    assert (1, 1) == (made.server.connections(), made.server.execs())

    answers = made.ask(marks)

    assert [PASS, PASS, PASS] == [answer.verdict for answer in answers]
    assert (2, 2) == (made.server.connections(), made.server.execs())


def test_a_service_that_is_down(site):
    made = site()
    made.service(up=False)
    answers = made.ask(made.mark())

    assert {"vts1/health/mounts": PASS, "vts1/services/ems": FAIL, "vts1/event-log": PASS} == verdicts(
        answers
    )
    assert "exit 3, said: ems: stopped" == answers[1].reason


def test_a_check_that_hangs_is_ended_with_all_it_started_and_hides_no_other(site):
    made = site()
    hangs = Question(gate="checks/hangs", argv=("sh", "-c", "sleep 601 & sleep 602; echo never"), timeout=1)
    made.questions = (hangs, EMS)
    answers = made.ask({})

    assert {"vts1/checks/hangs": INCONCLUSIVE, "vts1/services/ems": PASS} == verdicts(answers)
    assert "it did not end within 1 s, and was ended" == answers[0].reason
    deadline = time.monotonic() + 10
    while any("sleep 60" in command for command in made.server.commands().values()):
        assert time.monotonic() < deadline, made.server.commands()
        time.sleep(0.02)


@pytest.mark.parametrize(
    "program", ["#!/bin/sh\nkill -9 $$\n", "#!/no/such/interpreter\n", "\x7fELF rubbish"]
)
def test_a_check_that_cannot_run(site, program):
    made = site()
    made.questions = (EMS,)
    made.server.path(SERVICE).write_text(program)

    assert {"vts1/services/ems": INCONCLUSIVE} == verdicts(made.ask({}))


def test_a_check_without_the_right_to_be_executed_or_not_there(site):
    made = site()
    made.questions = (EMS, replace(EMS, gate="services/isc", argv=("/no/such/program",)))
    made.server.path(SERVICE).chmod(0o644)
    answers = made.ask({})

    assert [INCONCLUSIVE, INCONCLUSIVE] == [answer.verdict for answer in answers]
    assert [
        f"`{SERVICE}` could not be executed (exit 126)",
        "`/no/such/program` was not found (exit 127)",
    ] == [answer.reason.partition(", said")[0] for answer in answers]


def test_the_server_dies_while_it_is_asked_and_is_asked_again(site):
    made = site()
    begun = made.server.path(f"{TAPE}/begun")
    os.mkfifo(begun)
    check = Question(gate="checks/slow", argv=("sh", "-c", f"echo >{TAPE}/begun; exec sleep 600"), timeout=60)
    made.questions = (EMS, check)

    def power_off() -> None:
        begun.read_bytes()
        made.server.kill()

    thread = threading.Thread(target=power_off)
    thread.start()
    answers = made.ask({})
    thread.join()

    assert {"vts1/services/ems": INCONCLUSIVE, "vts1/checks/slow": INCONCLUSIVE} == verdicts(answers)
    assert "it could not be asked: vts1: " in answers[0].reason

    answers = made.ask({})  # still off

    assert {INCONCLUSIVE} == set(verdicts(answers).values())

    made.server.restart()
    made.questions = (EMS,)

    assert {"vts1/services/ems": PASS} == verdicts(made.ask({}))


def test_a_server_that_answers_nobody(site):
    made = site(connect_timeout=0.3, auth_timeout=0.3)
    made.server.freeze()
    try:
        answers = made.ask(made.mark())
    finally:
        made.server.thaw()

    assert {INCONCLUSIVE} == set(verdicts(answers).values())


def test_commands_know_of_host_and_run(site):
    made = site()
    made.questions = (
        Question(gate="checks/x", argv=("sh", "-c", f'test "$VTSCONF_HOST $VTSCONF_RUN" = "vts1 {RUN}"')),
    )

    assert {"vts1/checks/x": PASS} == verdicts(made.ask({}))


# ---- the event log


def log_verdict(made: Site, marks: dict[str, str]) -> Verdict:
    (answer,) = made.ask(marks)
    return answer.verdict


@pytest.fixture
def logging(site):
    made = site()
    made.questions = (event_log("^[^|]*[|]ERROR[|].*known trouble"),)
    return made


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (b"", PASS),
        (INFO + line("WARNING"), PASS),
        (line("ERROR", "known trouble again"), PASS),
        (line("ERROR"), FAIL),
        (line("CRITICAL", fields=8), FAIL),
        (line("INFO", fields=8), PASS),
        (line("ERROR").replace(b"boom", b"\xff\xfe\0"), FAIL),
        (b"\xff\xfe\0\n" + INFO, PASS),
        (line("ERROR")[:-3], INCONCLUSIVE),
    ],
)
def test_new_lines(logging, new, verdict):
    marks = logging.mark()
    logging.write(new)

    assert verdict is log_verdict(logging, marks)


def test_ten_megabytes_of_new_lines(logging):
    marks = logging.mark()
    logging.write(INFO * (10_000_000 // len(INFO)))

    assert PASS is log_verdict(logging, marks)

    logging.write(line("ERROR") * (10_000_000 // len(line())))
    (answer,) = logging.ask(marks)

    assert FAIL is answer.verdict
    assert len(answer.reason) < 300


@pytest.mark.parametrize(("new", "verdict"), [(INFO, INCONCLUSIVE), (line("ERROR"), FAIL)])
def test_the_log_is_rotated_as_the_product_does(logging, new, verdict):
    marks = logging.mark()
    done = logging.server.run(
        f"cd {TAPE}/log && mv event.log event.log.1 && gzip event.log.1 && : >event.log"
    )
    logging.write(new)

    assert 0 == done.returncode
    assert verdict is log_verdict(logging, marks)


def test_no_log_and_then_one(logging):
    logging.log.unlink()
    marks = logging.mark()

    assert {"vts1": "absent"} == marks
    assert INCONCLUSIVE is log_verdict(logging, marks)

    logging.write(INFO)

    assert PASS is log_verdict(logging, marks)


@pytest.mark.parametrize("locked", ["log/event.log", "log"])
def test_a_log_that_may_not_be_read(site, locked):
    made = site(user="oper")
    made.questions = (event_log(),)
    made.desk.plans["vts1"] = replace(made.desk.plans["vts1"], state_dir="/tmp/vtsconf")
    marks = made.mark()
    made.write(line("ERROR"))

    assert FAIL is log_verdict(made, marks)

    made.server.path(f"{TAPE}/{locked}").chmod(0o700 if locked == "log" else 0o600)

    assert {} == made.mark()
    assert INCONCLUSIVE is log_verdict(made, marks)
    assert INCONCLUSIVE is log_verdict(made, {})


# ---- a backup client

SESSION = "Session established with server TSM1: Linux/x86_64"


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        (f"echo '{SESSION}'", PASS),
        (f"echo '{SESSION}'; exit 12", FAIL),
        ("echo 'ANS1017E Session rejected: TCP/IP connection failure.'; exit 12", FAIL),
        ("echo 'ANS1017E Session rejected: TCP/IP connection failure.'", FAIL),
        ("exec sleep 600", INCONCLUSIVE),
        ("exit 127", INCONCLUSIVE),
        ("kill -6 $$", INCONCLUSIVE),
        (f"yes x | head -c 100000; echo; echo '{SESSION}'", INCONCLUSIVE),  # behind what is kept
    ],
)
def test_a_backup_client_reaches_its_server_or_not(site, program, verdict):
    made = site()
    made.server.path(DSMC).write_text(f"#!/bin/sh\n{program}\n")
    made.server.path(DSMC).chmod(0o755)
    made.questions = (client(),)

    assert {"vts1/bma/tsm": verdict} == verdicts(made.ask({}))


def test_a_backup_client_that_is_not_installed(site):
    made = site()
    made.questions = (client(),)

    assert {"vts1/bma/tsm": INCONCLUSIVE} == verdicts(made.ask({}))


def client() -> Question:
    """As `questions_of` makes it, with less patience."""
    settings = ALL["tsm"].Settings.model_validate(
        {"servers": {"TSM1": {"tcpserveraddress": "a"}}, "dsmc": DSMC, "dsm_sys": f"{TAPE}/dsm.sys"}
    )
    (fact,) = (fact for fact in ALL["tsm"].facts(settings) if fact.name == "reachable")
    return Question(
        gate="bma/tsm", argv=fact.query.argv, pattern=fact.pattern, exit_counts=fact.exit_counts, timeout=1
    )

"""Asking after a wave: servers that are dictionaries, commands of this machine, and servers of the lab."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    moved,
    rollout,
    verdicts,
)
from vtsconf.core.connection import Target
from vtsconf.core.errors import Invalid, Unreachable
from vtsconf.core.probe import Probe, QuerySeen, Reading
from vtsconf.core.rollout.gate import Answer, Question, compare
from vtsconf.core.rollout.state import Rollout
from vtsconf.core.rollout.strategy import Gates
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.engine.lab.lab import Lab
from vtsconf.engine.prepare import prepare
from vtsconf.engine.project import Project
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.gates import ask, marks_of
from vtsconf.engine.rollout.questions import questions_of
from vtsconf.transport.fake import MemoryServer

UP = Question(gate="services/ems", argv=("ems-status",), timeout=20)
WELL = Question(gate="health/mounts", argv=("mounts-ok",))
MARK = "77 1000 123456"
CLEAN, ERRORS = b"log same whole\n>\n1\nend\n", b"log same whole\n>t|ERROR|620001|s|i|n|u||boom\n>\n2\nend\n"


@dataclass(kw_only=True)
class Fleet:
    """A way to servers that are dictionaries; keeps what each was asked. `gone` cannot be reached."""

    command: Callable[[tuple[str, ...]], QuerySeen] = lambda _: QuerySeen(exit=0)
    gone: tuple[str, ...] = ()
    reads: list[tuple[str, Sequence[Probe], str]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def __call__(self, target: Target) -> MemoryServer:
        if target.name in self.gone:
            raise Unreachable(f"{target.name}: connection refused", remedy="start it")
        self.targets.append(target)
        fleet = self

        class Server(MemoryServer):
            def read(self, probes: Sequence[Probe], state_dir: str) -> Reading:
                fleet.reads.append((target.name, probes, state_dir))
                return super().read(probes, state_dir)

        return Server(command=self.command)


def answering(**by_word: QuerySeen) -> Callable[[tuple[str, ...]], QuerySeen]:
    """A server on which a command that holds WORD answers so; "_" stands for "-"."""

    def command(argv: tuple[str, ...]) -> QuerySeen:
        words = " ".join(argv)
        return next(
            (seen for key, seen in by_word.items() if key.replace("_", "-") in words), QuerySeen(exit=0)
        )

    return command


def fleet_desk(fleet: Fleet, tmp_path: Path, hosts: Sequence[str] = ("vts1", "vts2"), **more: object) -> Desk:
    return desk(fleet, {name: Target(name=name, address=name) for name in hosts}, tmp_path, **more)


def asked(fleet: Fleet, seen: Rollout, tmp_path: Path, **more: object) -> list[Answer]:
    hosts = list(seen.seen.hosts)
    return ask(1, hosts, seen, fleet_desk(fleet, tmp_path, hosts, **more))


def test_one_reading_a_server_for_all_that_is_asked_there(tmp_path):
    fleet = Fleet(command=answering(has=QuerySeen(exit=0, stdout=CLEAN)))
    questions = [WELL, UP, event_log()]
    marks = {"vts1": MARK, "vts2": MARK}

    answers = asked(fleet, rollout({"vts1": questions, "vts2": questions}, marks), tmp_path)

    assert {PASS} == {answer.verdict for answer in answers}
    assert [("vts1", q.gate) for q in questions] + [("vts2", q.gate) for q in questions] == [
        (answer.host, answer.gate) for answer in answers
    ]
    assert ["vts1", "vts2"] == sorted(name for name, _, _ in fleet.reads)
    assert {"/var/lib/vtsconf"} == {state_dir for _, _, state_dir in fleet.reads}


def test_the_commands_know_host_and_run_and_no_word_is_lost(tmp_path):
    argv = ("A=B", "a b", "$c", "--")
    seen = rollout({"vts1": [Question(gate="checks/x", argv=argv)]})
    fleet = Fleet()
    asked(fleet, seen, tmp_path)
    (probe,) = fleet.reads[0][1]

    assert ("vts1", RUN, *argv) == probe.argv[-6:]


def test_a_server_that_cannot_be_reached_is_no_yes_and_hides_nobody(tmp_path):
    fleet = Fleet(gone=("vts1",), command=answering(ems_status=QuerySeen(exit=3, stdout=b"ems: stopped")))
    answers = asked(fleet, rollout({"vts1": [WELL, UP], "vts2": [WELL, UP]}), tmp_path)

    assert {
        "vts1/health/mounts": INCONCLUSIVE,
        "vts1/services/ems": INCONCLUSIVE,
        "vts2/health/mounts": PASS,
        "vts2/services/ems": FAIL,
    } == verdicts(answers)
    assert "it could not be asked: vts1: connection refused" == answers[0].reason
    assert "exit 3, said: ems: stopped" == answers[3].reason


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (QuerySeen(exit=1), FAIL),
        (QuerySeen(exit=None), INCONCLUSIVE),
        (QuerySeen(exit=127), INCONCLUSIVE),
        (QuerySeen(exit=137), INCONCLUSIVE),
    ],
)
def test_only_a_no_is_a_no(tmp_path, seen, verdict):
    answers = asked(Fleet(command=lambda _: seen), rollout({"vts1": [UP]}), tmp_path)

    assert {"vts1/services/ems": verdict} == verdicts(answers)


def test_a_bug_of_ours_is_no_yes(tmp_path):
    def command(argv: tuple[str, ...]) -> QuerySeen:
        raise KeyError("hunter2")

    (answer,) = asked(Fleet(command=command), rollout({"vts1": [UP]}), tmp_path)

    assert INCONCLUSIVE is answer.verdict
    assert "unexpected KeyError" in answer.reason
    assert "hunter2" not in answer.reason


def test_another_server_than_the_one_that_was_changed_is_not_asked(tmp_path):
    fleet = Fleet()
    made = fleet_desk(fleet, tmp_path, ["vts1"])
    moved(made, "vts1", "root@10.0.0.9:22")
    (answer,) = ask(1, ["vts1"], rollout({"vts1": [UP]}), made)

    assert (INCONCLUSIVE, []) == (answer.verdict, fleet.reads)
    assert "root@10.0.0.9:22 was changed; the inventory says vts1:22 by now" in answer.reason


def test_the_ways_are_looked_up_at_once_and_one_that_is_wrong_hides_nobody(tmp_path):
    made = fleet_desk(Fleet(), tmp_path, ["vts1", "vts2", "vts3"])
    find, lookups = made.find_targets, []

    def find_targets(names: Sequence[str]) -> Mapping[str, Target]:
        lookups.append(tuple(names))
        if "vts3" in names:
            raise Invalid([], "vts3: ansible_port is not a number")
        return find(names)

    made.find_targets = find_targets
    ask(1, ["vts1", "vts2"], rollout({"vts1": [UP], "vts2": [UP]}), made)

    assert [("vts1", "vts2")] == lookups

    made.known.clear()
    answers = ask(1, ["vts1", "vts3"], rollout({"vts1": [UP], "vts3": [UP]}), made)

    assert {"vts1/services/ems": PASS, "vts3/services/ems": INCONCLUSIVE} == verdicts(answers)
    assert "it could not be asked: vts3: ansible_port is not a number" == answers[1].reason


def test_a_server_that_left_the_inventory(tmp_path):
    made = fleet_desk(Fleet(), tmp_path, ["vts1"])
    made.find_targets = lambda _: {}

    assert INCONCLUSIVE is ask(1, ["vts1"], rollout({"vts1": [UP]}), made)[0].verdict


def test_a_server_of_which_nothing_was_written_down_is_no_yes(tmp_path):
    seen = rollout({"vts1": [UP], "vts2": []})
    del seen.questions["vts2"]

    assert {"vts1/services/ems": PASS, "vts2/questions": INCONCLUSIVE} == verdicts(
        asked(Fleet(), seen, tmp_path)
    )


def test_nothing_to_ask_asks_nobody(tmp_path):
    fleet = Fleet()

    assert [] == asked(fleet, rollout({"vts1": [], "vts2": []}), tmp_path)
    assert [] == ask(1, [], rollout({"vts1": [UP]}), fleet_desk(fleet, tmp_path))
    assert [] == fleet.reads


def test_after_a_stop_nothing_more_is_asked(tmp_path):
    made = fleet_desk(Fleet(), tmp_path)
    made.watch.stop.set()
    here = Question(gate="checks/x", argv=("true",), on="controller")
    answers = ask(1, ["vts1"], rollout({"vts1": [UP, here]}), made)

    assert {"vts1/services/ems": INCONCLUSIVE, "vts1/checks/x": INCONCLUSIVE} == verdicts(answers)


def test_a_secret_is_in_no_reason(tmp_path):
    said = QuerySeen(exit=1, stdout=b"cannot log in with hunter2, or password=other")
    answers = asked(
        Fleet(command=lambda _: said),
        rollout({"vts1": [UP]}),
        tmp_path,
        secrets=lambda _: {SecretRef("env", "X"): Secret(b"hunter2")},
    )

    assert "hunter2" not in answers[0].reason
    assert "other" not in answers[0].reason
    assert answers[0].reason.startswith("exit 1, said: cannot log in with [not shown]")


def test_a_secret_that_cannot_be_had_changes_no_answer(tmp_path):
    def secrets(_: object) -> dict[SecretRef, Secret]:
        raise Invalid([])

    fleet = Fleet(command=lambda _: QuerySeen(exit=1, stdout=b"no"))

    assert FAIL is asked(fleet, rollout({"vts1": [UP]}), tmp_path, secrets=secrets)[0].verdict


def test_secrets_are_looked_up_only_where_something_is_shown(tmp_path):
    def secrets(_: object) -> dict[SecretRef, Secret]:
        pytest.fail("nothing is shown")

    fleet = Fleet(command=lambda _: QuerySeen(exit=0, stdout=b"fine"))

    assert PASS is asked(fleet, rollout({"vts1": [UP]}), tmp_path, secrets=secrets)[0].verdict


def test_a_check_may_be_silent_as_long_as_its_time_out(tmp_path):
    fleet = Fleet()
    asked(fleet, rollout({"vts1": [Question(gate="checks/x", argv=("x",), timeout=900), UP]}), tmp_path)
    (target,) = fleet.targets

    assert target.idle_timeout > 900
    assert target.total_timeout > 920


@pytest.mark.parametrize(
    "wrong", [{"kind": "later"}, {"on": "moon"}, {"kind": "event-log", "on": "controller"}]
)
def test_a_question_of_a_later_version_is_no_yes(tmp_path, wrong):
    question = Question.from_json({"gate": "checks/x", "argv": ["true"], **wrong})

    assert INCONCLUSIVE is asked(Fleet(), rollout({"vts1": [question]}), tmp_path)[0].verdict


@pytest.mark.parametrize("on", ["server", "controller", "once"])
def test_a_command_without_words_is_no_yes(tmp_path, on):
    (answer,) = asked(Fleet(), rollout({"vts1": [Question(gate="checks/x", on=on)]}), tmp_path)

    assert INCONCLUSIVE is answer.verdict
    assert "as if they held a secret" in answer.reason


@pytest.mark.parametrize("timeout", [0, -5, 10**9])
def test_no_question_waits_for_ever(tmp_path, timeout):
    fleet = Fleet()
    asked(fleet, rollout({"vts1": [Question(gate="checks/x", argv=("x",), timeout=timeout)]}), tmp_path)

    assert 1 <= fleet.reads[0][1][0].timeout <= 3600


# ---- marks


def test_marks_are_read_once_a_server_and_only_where_the_log_is_asked(tmp_path):
    fleet = Fleet(command=answering(cksum=QuerySeen(exit=0, stdout=f"mark {MARK}\n".encode())))
    seen = rollout({"vts1": [UP, event_log()], "vts2": [UP], "vts3": [event_log()]})
    hosts = ["vts1", "vts2", "vts3"]

    assert {"vts1": MARK, "vts3": MARK} == marks_of(hosts, seen, fleet_desk(fleet, tmp_path, hosts))
    assert ["vts1", "vts3"] == sorted(name for name, _, _ in fleet.reads)


@pytest.mark.parametrize(
    "said",
    [
        QuerySeen(exit=0, stdout=b"mark x"),
        QuerySeen(exit=1, stdout=b"mark 1 2 3"),
        QuerySeen(exit=None),
        QuerySeen(exit=0, stdout=b"hidden"),
    ],
)
def test_a_mark_that_cannot_be_had_is_missing_and_the_gate_is_unsure(tmp_path, said):
    fleet = Fleet(command=lambda _: said)
    seen = rollout({"vts1": [event_log()]})

    assert {} == marks_of(["vts1"], seen, fleet_desk(fleet, tmp_path))
    assert {"vts1/event-log": INCONCLUSIVE} == verdicts(asked(fleet, seen, tmp_path))


def test_an_unreachable_server_does_not_stop_the_marks(tmp_path):
    fleet = Fleet(gone=("vts1",), command=lambda _: QuerySeen(exit=0, stdout=b"absent\n"))
    seen = rollout({"vts1": [event_log()], "vts2": [event_log()]})

    assert {"vts2": "absent"} == marks_of(["vts1", "vts2"], seen, fleet_desk(fleet, tmp_path))


def test_a_log_that_passed_and_has_an_error_after_the_soak_time(tmp_path):
    seen = rollout({"vts1": [event_log()]}, {"vts1": MARK})
    first = asked(Fleet(command=lambda _: QuerySeen(exit=0, stdout=CLEAN)), seen, tmp_path)
    last = asked(Fleet(command=lambda _: QuerySeen(exit=0, stdout=ERRORS)), seen, tmp_path)
    (told,) = compare(first, last)

    assert (PASS, FAIL) == (first[0].verdict, told.verdict)
    assert told.reason == (
        f"passed before the soak time, now: 1 new line of ERROR or CRITICAL in {LOG}: t|ERROR|620001|s|i|n|u||boom"
    )


# ---- on the controller


def here(*argv: str, timeout: int = 30, **more: object) -> Question:
    return Question(gate="checks/here", argv=argv, timeout=timeout, **{"on": "controller", **more})


def on_controller(tmp_path: Path, question: Question, *hosts: str) -> list[Answer]:
    return asked(Fleet(), rollout({host: [question] for host in hosts or ("vts1",)}), tmp_path)


@pytest.mark.parametrize(
    ("argv", "verdict"),
    [
        (("true",), PASS),
        (("false",), FAIL),
        (("sh", "-c", "exit 75"), INCONCLUSIVE),
        (("sh", "-c", "kill -9 $$"), INCONCLUSIVE),
        (("sh", "-c", "kill -1 $$"), INCONCLUSIVE),
        (("no-such-program-anywhere",), INCONCLUSIVE),
        (("/",), INCONCLUSIVE),
        (("/dev/null",), INCONCLUSIVE),
        (("sh", "-c", "exec >&- 2>&-; exit 1"), FAIL),
        (("sh", "-c", "exec >&- 2>&-"), PASS),
        (
            ("sh", "-c", "(exec sleep 60) & exit 1"),
            FAIL,
        ),  # a child keeps the pipe open: we do not wait for it
    ],
)
def test_a_command_here(tmp_path, argv, verdict):
    (answer,) = on_controller(tmp_path, here(*argv, unsure=(75,)))

    assert verdict is answer.verdict


def test_it_knows_of_which_server_and_which_run(tmp_path):
    told = tmp_path / "told"
    question = here("sh", "-c", f'echo "$VTSCONF_HOST $VTSCONF_RUN" >>{told}')
    on_controller(tmp_path, question, "vts1", "vts2")

    assert [f"vts1 {RUN}", f"vts2 {RUN}"] == sorted(told.read_text().splitlines())


def test_once_is_asked_once_for_all_servers_of_the_wave(tmp_path):
    told = tmp_path / "told"
    question = here("sh", "-c", f'echo "$VTSCONF_HOSTS" >>{told}; exit 1', on="once")
    answers = on_controller(tmp_path, question, "vts1", "vts2")

    assert ["vts1 vts2"] == told.read_text().splitlines()
    assert {"/checks/here": FAIL} == verdicts(answers)


def test_the_time_out_ends_all_that_it_started(tmp_path):
    pids = tmp_path / "pids"
    question = here("sh", "-c", f"sleep 600 & echo $! $$ >{pids}; echo waiting; wait", timeout=1)
    (answer,) = on_controller(tmp_path, question)

    assert (INCONCLUSIVE, "it did not end within 1 s, and was ended, said: waiting") == (
        answer.verdict,
        answer.reason,
    )
    wait_until_gone(*map(int, pids.read_text().split()))


def wait_until_gone(*pids: int) -> None:
    deadline = time.monotonic() + 10
    while any(
        Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids
    ):
        assert time.monotonic() < deadline, "still there"
        time.sleep(0.01)


def test_an_endless_output_is_not_kept(tmp_path):
    (answer,) = on_controller(tmp_path, here("yes", "x" * 1000, timeout=1))

    assert INCONCLUSIVE is answer.verdict
    assert len(answer.reason) < 300


def test_a_stop_ends_a_command_here_at_once(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    made = fleet_desk(Fleet(), tmp_path)

    def stop() -> None:
        fifo.read_bytes()  # it has begun
        made.watch.stop.set()

    thread = threading.Thread(target=stop)
    thread.start()
    question = here("sh", "-c", f"echo begun >{fifo}; exec sleep 600", timeout=600)
    (answer,) = ask(1, ["vts1"], rollout({"vts1": [question]}), made)
    thread.join()

    assert (INCONCLUSIVE, True) == (answer.verdict, "told to stop" in answer.reason)


# ---- which questions

DOCUMENT = """\
all:
  hosts:
    vts1:
      site_password: hunter2
      vts_root: /lab/vts1
      vts:
        services:
          ems: {status: [ems, status], restart: [ems, restart]}
          silent: {restart: [x]}
        health:
          mounts: {run: [mounts]}
          tickets: {run: [tickets], on: controller}
          telling: {run: [ask, --user, admin, "--password", "x"]}
          plain: {run: [ask, "-p{{ site_password }}"]}
          address: {run: [curl, "https://me:pw@host/"]}
          fine: {run: [grep, password, /etc/x, "--password-file", /x, "sh -c 'x --token=$TOKEN'"]}
        bma:
          tsm: {servers: {TSM1: {tcpserveraddress: a}}, dsm_sys: /x/dsm.sys}
"""


@pytest.fixture
def ready(tmp_path):
    (tmp_path / "inventory.yaml").write_text(DOCUMENT)
    project = Project.load(tmp_path)
    (made,) = prepare(project, project.hosts()).ready
    return made


def test_the_questions_of_a_server(ready):
    check = Question(gate="checks/drives", argv=("drives",), on="once", unsure=(75,))
    gates = Gates(bma=True, event_log=True, ignore=("known", ""), checks=(check,))
    found = {question.gate: question for question in questions_of(ready, gates)}

    assert [
        "health/mounts", "health/tickets", "health/telling", "health/plain", "health/address", "health/fine",
        "services/ems", "bma/tsm", "event-log", "checks/drives",
    ] == list(found)  # fmt: skip
    assert ("controller", "server") == (found["health/tickets"].on, found["health/mounts"].on)
    assert ("ems", "status") == found["services/ems"].argv
    assert "Session established" in found["bma/tsm"].pattern
    assert (f"/lab/vts1{LOG}", "ERROR", "CRITICAL", "--", "known") == found["event-log"].argv
    assert check == found["checks/drives"]


def test_words_that_are_or_look_like_a_secret_are_not_written_down(ready):
    found = {question.gate: question.argv for question in questions_of(ready, Gates())}
    without = [gate for gate, argv in found.items() if not argv]

    assert ["health/telling", "health/plain", "health/address"] == without
    assert "hunter2" not in str(found)


def test_gates_that_are_off_ask_nothing(ready):
    assert () == questions_of(ready, Gates(health=False, services=False))


# ---- the lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("lab") / "lab", servers=2) as made:
        yield made


@pytest.fixture
def seen(lab: Lab, tmp_path: Path) -> Iterator[tuple[Rollout, Desk]]:
    """A rollout over the lab with the questions of its own documents, and marks taken now."""
    from vtsconf.engine.reach import Lines

    project = Project.load(lab.folder)
    readies = prepare(project, project.hosts()).ready
    gates = Gates(event_log=True)
    made = desk(
        Lines(lambda: pytest.fail("no key is needed")),
        {one.name: one.target for one in readies},
        tmp_path,
        state_dir=f"{lab.folder}/vts1/var/lib/vtsconf",
    )
    questions = {one.name: questions_of(one, gates) for one in readies}
    marks = marks_of(list(questions), rollout(questions), made)
    yield rollout(questions, marks), made
    for host in lab.hosts:
        host.mend()


def restart(lab: Lab, host: str) -> None:
    import subprocess

    subprocess.run([lab.host(host).path("/bin/vts-service"), "ems", "restart"], check=True)


def unwell(answers: list[Answer]) -> dict[str, str]:
    return {f"{a.host}/{a.gate}": a.verdict for a in answers if a.verdict is not PASS}


def test_a_lab_that_is_well(lab, seen):
    restart(lab, "vts1")  # it logs an INFO
    answers = ask(1, ["vts1", "vts2"], *seen)

    assert {} == unwell(answers)
    assert {"event-log", "services/ems"} <= {answer.gate for answer in answers}


def test_a_lab_server_that_logs_an_error_after_its_restart(lab, seen):
    lab.host("vts2").break_("logs-error", "ems")
    restart(lab, "vts2")

    assert {"vts2/event-log": FAIL} == unwell(ask(1, ["vts1", "vts2"], *seen))


def test_a_lab_server_whose_service_is_down(lab, seen):
    lab.host("vts2").break_("status-fails", "ems")

    assert {"vts2/services/ems": FAIL} == unwell(ask(1, ["vts1", "vts2"], *seen))


@pytest.mark.parametrize("fault", ["refuse", "drop-on-connect", "drop"])
def test_a_lab_server_that_cannot_be_asked(lab, seen, fault):
    lab.host("vts2").break_(fault)
    answers = ask(1, ["vts1", "vts2"], *seen)

    assert {INCONCLUSIVE} == set(unwell(answers).values())
    assert {"vts2"} == {key.partition("/")[0] for key in unwell(answers)}

"""`vtsconf rollout …` where no server is reached: what is shown, what is refused and why, documents, exit codes."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.report.rollouts import BOSS, CAREFUL, OPS, Run, answers, done, plan_of, stopped
from tests.e2e.conftest import Ended, Vtsconf
from vtsconf.cli.rollout import COMMANDS
from vtsconf.cli.rollout.leading import left_off
from vtsconf.core import plan as plans
from vtsconf.core.outcome import Exit, PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.rollout.gate import Verdict
from vtsconf.core.rollout.strategy import Gates, Share, Strategy
from vtsconf.engine.durable import Client, State, Work
from vtsconf.engine.journal import Journal

DONE, STOPPED, WAITS = "20261125-090000-cd34", "20261125-080000-ab12", "20261126-080000-ef56"
HOSTS = [f"vts{number:02}" for number in range(1, 5)]

ME = pwd.getpwuid(os.getuid()).pw_name
Keep = Callable[..., None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with four servers that nobody reaches, and a plan for the first; we stand in it."""
    hosts = ", ".join(f"{name}: {{ansible_host: 127.0.0.1, ansible_port: 9}}" for name in HOSTS)
    (tmp_path / "inventory.yaml").write_text(f"all: {{hosts: {{{hosts}}}}}\n")
    (tmp_path / "friday.json").write_text(_without_secrets(plan_of("vts01")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _without_secrets(document: str) -> str:
    plan = plans.load(document.encode(), "friday.json")
    (host,) = plan.hosts
    alone = replace(host, changes=host.changes[:1], steps=host.steps[:1], base=host.base[:1])
    return json.dumps(plans.to_json(replace(plan, hosts=(alone,))))


@pytest.fixture
def keep(project: Path) -> Iterator[Keep]:
    """`keep(run, …)`: these runs are in the store."""
    journal = Journal(f"sqlite:///{project}/.vtsconf/vtsconf.db")

    def add(*runs: Run) -> None:
        for run in runs:
            journal.add_all(run.events)
            journal.keep_plans(run.name, run.plans)

    yield add
    journal.close()


def waiting(by: str = OPS, **strategy: object) -> Run:
    """The canary is done; it waits for an approval."""
    chosen = {"canary": "1", "waves": (Share(number=3),), "approve": ("canary",), "gates": Gates()}
    run = Run(WAITS, HOSTS, [HOSTS[:1], HOSTS[1:]], Strategy(**(chosen | strategy)), by=by, canary=True)
    run.wave(1)
    run.change(HOSTS[:1], [2.0])
    run.ask(1, "first", answers(HOSTS[:1]))
    return run


# ---- help


@pytest.mark.parametrize("name", ["", *[name for group in COMMANDS.values() for name in group]])
def test_help_has_an_example(vtsconf: Vtsconf, name: str) -> None:
    ended = vtsconf("rollout", *name.split(), "--help")

    assert Exit.DONE == ended.code
    assert "Example" in ended.out
    assert "vtsconf rollout" in ended.out.partition("Example")[2]


def test_a_command_that_is_not_there_is_guessed(vtsconf: Vtsconf) -> None:
    ended = vtsconf("rollout", "rezume")

    assert Exit.USAGE == ended.code
    assert "`resume`" in ended.err


# ---- what is refused, and what to do instead

START = ("start", "friday.json", "--strategy")


@pytest.mark.parametrize(
    ("words", "code", "what", "remedy"),
    [
        (("start",), 64, "Missing argument 'PLAN_FILE'", "--help"),
        (("start", "friday.json"), 64, "Missing option '--strategy'", "--help"),
        (("start", "monday.json", "--strategy", "canary"), 64, "'monday.json' does not exist", "--help"),
        ((*START, "canry", "-y"), 64, "there is no strategy `canry`", "did you mean `canary`?"),
        ((*START, "broken", "-y"), 3, "wavs", "did you mean `waves`?"),
        ((*START, "rollouts/no.yaml", "-y"), 3, "rollouts/no.yaml", ""),
        ((*START, "apart", "-y"), 64, "no group of the inventory is called `pairs_*`", "vtsconf inventory"),
        (
            (*START, "elsewhere", "-y"),
            64,
            "no server of the canary `vts02` has anything to do",
            "`canary: 1`",
        ),
        ((*START, "canary"), 3, "there is nobody to ask", "--show`, then give --yes"),
        ((*START, "canary", "--json"), 3, "nobody is asked", "--show`, then give --yes"),
        ((*START, "canary", "--lines"), 3, "nobody is asked", "--show`, then give --yes"),
        (
            ("status", "1999"),
            64,
            "no rollouts in the journal begin with '1999'",
            "`vtsconf rollout status` lists",
        ),
        (("resume", "202611"), 64, "3 rollouts in the journal begin with '202611'", "name one"),
        (("resume", DONE), 3, f"rollout {DONE} has ended (done)", "vtsconf rollout status"),
        (("pause", STOPPED), 3, "has ended (stopped: gate services/ems", "vtsconf rollout status"),
        (("approve", DONE), 3, "has ended", "vtsconf rollout status"),
        (("abort", DONE, "-y"), 3, "has ended", "vtsconf rollout status"),
        (("abort", WAITS), 3, "there is nobody to ask", "--yes"),
        (("join", WAITS), 3, "SQLite", "postgresql://"),
    ],
)
def test_refused(
    project: Path, keep: Keep, vtsconf: Vtsconf, words: tuple[str, ...], code: int, what: str, remedy: str
) -> None:
    keep(stopped(), done(), waiting())
    (project / "rollouts").mkdir()
    (project / "rollouts/broken.yaml").write_text("wavs: [1]\n")
    (project / "rollouts/apart.yaml").write_text("apart: ['pairs_*']\n")
    (project / "rollouts/elsewhere.yaml").write_text("canary: vts02\n")
    ended = vtsconf("rollout", *words)
    document = vtsconf("rollout", *words, "--json").json

    assert code == ended.code, ended
    assert what in ended.err
    assert remedy in ended.err
    assert ("vtsconf/error/1", code) == (document["format"], document["exit"])
    assert 3 == len(Journal(f"sqlite:///{project}/.vtsconf/vtsconf.db").run_names())


def test_without_a_name_it_is_the_only_one_that_has_not_ended(
    keep: Keep, vtsconf: Vtsconf, project: Path
) -> None:
    keep(done())
    none = vtsconf("rollout", "pause")
    keep(waiting())
    one = vtsconf("rollout", "pause", "--why", "alarm")

    assert (Exit.USAGE, Exit.DONE) == (none.code, one.code)
    assert "no rollout is under way" in none.err
    assert f"Rollout {WAITS} paused: alarm" in one.out
    again = vtsconf("rollout", "pause")
    assert Exit.INVALID == again.code
    assert f"rollout {WAITS} is paused already: alarm" in again.err
    assert f"`vtsconf rollout resume {WAITS}` goes on" in again.err


@pytest.mark.parametrize("said", ["", "eve"])
@pytest.mark.parametrize(("by", "code"), [(f"{ME}@elsewhere", Exit.INVALID), ("ops@here", Exit.DONE)])
def test_four_eyes_are_two_people(
    keep: Keep, vtsconf: Vtsconf, monkeypatch: pytest.MonkeyPatch, by: str, code: Exit, said: str
) -> None:
    """Two whom the system knows apart: a name in the environment is nobody."""
    for name in ("LOGNAME", "USER") if said else ():
        monkeypatch.setenv(name, said)
    keep(waiting(by, four_eyes=True))
    ended = vtsconf("rollout", "approve", "--why", "CHG0012345")

    assert code == ended.code
    assert code is Exit.DONE or f"{ME} started rollout" in ended.err
    twice = vtsconf("rollout", "approve")
    assert Exit.INVALID == twice.code


def test_paused_it_takes_no_approval(keep: Keep, vtsconf: Vtsconf, project: Path) -> None:
    keep(waiting())
    assert Exit.DONE == vtsconf("rollout", "pause").code
    ended = vtsconf("rollout", "approve")

    assert Exit.INVALID == ended.code
    assert "does not wait for an approval" in ended.err


# ---- what is shown


def test_show_tells_the_waves_and_what_is_asked_and_does_nothing(vtsconf: Vtsconf, project: Path) -> None:
    people = vtsconf("rollout", *START, "careful", "--show")
    document = vtsconf("rollout", *START, "careful", "--show", "--json").json

    assert Exit.DONE == people.code
    for line in (
        "wave 1 (canary): vts01",
        "approval: canary",
        "gates after each wave: confirmed, health, services, event-log",
        "soak time: 10m (30m after the canary)",
        "tolerated failures: 0; on a stop what was changed is taken back",
    ):
        assert line in people.out
    assert ("vtsconf/course/1", [["vts01"]]) == (document["format"], document["waves"])
    assert not (project / ".vtsconf/vtsconf.db").exists()


def test_the_document_of_a_rollout(keep: Keep, vtsconf: Vtsconf, project: Path) -> None:
    keep(stopped(6))
    ended = vtsconf("rollout", "status", STOPPED, "--json")
    document = ended.json

    assert Exit.REVERTED == ended.code
    assert {
        "format": "vtsconf/rollout/1",
        "run": STOPPED,
        "state": "stopped",
        "why": "gate services/ems after wave 2 on vts04: exit 3: ems is not running (pid file is stale)",
        "by": OPS,
        "failures": 1,
        "tolerated": 0,
    } == {key: document[key] for key in ("format", "run", "state", "why", "by", "failures", "tolerated")}
    assert CAREFUL.name == document["strategy"]["name"]
    second = document["waves"][1]
    assert (2, False, ["vts02", "vts03", "vts04"], BOSS) == tuple(
        second[key] for key in ("wave", "canary", "hosts", "approved")
    )
    assert [("first", "fail")] == [(asked["ask"], asked["verdict"]) for asked in second["gates"]]
    assert {"gate", "verdict", "reason", "host", "seconds"} == set(second["gates"][0]["answers"][0])
    hosts = [(host["host"], host["wave"], host["outcome"]) for host in document["hosts"]]
    assert [
        ("vts01", 1, "changed"),
        ("vts02", 2, "changed"),
        ("vts03", 2, "reverted"),
        ("vts04", 2, "changed"),
        ("vts05", 3, "skipped"),
        ("vts06", None, "unchanged"),
    ] == hosts
    assert all(host["reason"] for host in document["hosts"] if host["outcome"] in ("reverted", "skipped"))


def test_status_lists_the_last_ones(keep: Keep, vtsconf: Vtsconf, project: Path) -> None:
    nothing = vtsconf("rollout", "status")
    empty = vtsconf("rollout", "status", "--json").json
    keep(stopped(), done(), waiting())
    listed = vtsconf("rollout", "status", "-n", "2", "--json")

    assert (Exit.DONE, "") == (nothing.code, nothing.out)
    assert "`vtsconf rollout start PLAN --strategy canary` begins one" in nothing.err
    assert {"format": "vtsconf/rollouts/1", "rollouts": []} == empty
    assert [(DONE, "done"), (WAITS, "waiting")] == [(r["run"], r["state"]) for r in listed.json["rollouts"]]
    assert Exit.DONE == listed.code


@pytest.mark.parametrize(
    ("run", "code", "lines"),
    [
        (done(), Exit.DONE, ["wave 3: 1 changed  gate: pass", "done", "rollout report " + DONE]),
        (waiting(), Exit.WAITING, ["wave 2: 3 not tried yet", "waiting: approval is asked for after the canary", f"approve {WAITS}"]),
        (stopped(6), Exit.REVERTED, ["vts03  reverted", "the old bytes are back", "stopped: gate services/ems"]),
    ],
    ids=["done", "waiting", "stopped"],
)  # fmt: skip
def test_status_for_people(
    keep: Keep, vtsconf: Vtsconf, project: Path, run: Run, code: Exit, lines: list[str]
) -> None:
    keep(run)
    ended = vtsconf("rollout", "status", run.name)

    assert code == ended.code
    assert [] == [line for line in lines if line not in ended.out], ended.out


def test_a_rollout_that_has_ended_is_followed_to_its_end(keep: Keep, vtsconf: Vtsconf, project: Path) -> None:
    run = stopped(6)
    keep(run)
    lines = vtsconf("rollout", "status", STOPPED, "--follow", "--lines")
    at_once = vtsconf("rollout", "status", STOPPED, "--lines")
    people = vtsconf("rollout", "status", STOPPED, "--follow")

    assert [Exit.REVERTED] * 2 == [lines.code, people.code]
    assert [event.action for event in run.events] == [line["action"] for line in _lines(lines)]
    assert (lines.code, lines.out) == (at_once.code, at_once.out)
    assert {"vtsconf/event/1"} == {line["format"] for line in _lines(lines)}
    for told in (
        "Approved wave 2 by jon@ctl2.bank: canary looks good",
        "Paused",
        "Gate after wave 2: fail",
        "Stopped: gate",
    ):
        assert told in people.out


def _lines(ended: Ended) -> list[dict[str, object]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def test_what_a_server_or_a_person_wrote_is_shown_harmless(
    keep: Keep, vtsconf: Vtsconf, project: Path
) -> None:
    run = waiting()
    run.add("paused", by="eve\x1b[2J@there", why="\x1b]0;own\x07ed", cause="asked")
    run.begin("vts02")
    run.end("vts02", "failed", reason="said \x1b[31mred\x1b[0m\rover", detail="\x1b[2J")
    keep(run)
    shown = [
        vtsconf("rollout", "status"),
        vtsconf("rollout", "status", WAITS, "-v"),
        vtsconf("rollout", "status", WAITS, "--follow", "-v"),
        vtsconf("rollout", "pause", WAITS),
    ]

    assert [] == [
        ended for ended in shown if "\x1b" in ended.out + ended.err or "\r" in ended.out + ended.err
    ]
    assert "ed" in shown[1].out


@pytest.mark.parametrize("words", [("status",), ("status", WAITS), ("--help",), ("start", "--help")])
def test_a_look_loads_neither_engine_nor_ssh(keep: Keep, project: Path, words: tuple[str, ...]) -> None:
    keep(waiting())
    program = (
        f"import sys; from vtsconf.cli.main import run; run({['rollout', *words]}); "
        "print(sorted({'dbos', 'sqlalchemy', 'psycopg', 'paramiko', 'deepdiff'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "[]" == done.stdout.splitlines()[-1], done.stdout + done.stderr


def test_an_inconclusive_gate_says_what_to_do(keep: Keep, vtsconf: Vtsconf, project: Path) -> None:
    run = Run(WAITS, HOSTS, [HOSTS[:1], HOSTS[1:]], Strategy(gates=Gates()))
    run.wave(1)
    run.change(HOSTS[:1], [2.0])
    run.ask(1, "first", answers(HOSTS[:1], vts01=(Verdict.INCONCLUSIVE, "exit 75")))
    keep(run)
    ended = vtsconf("rollout", "status", WAITS)

    assert Exit.WAITING == ended.code
    assert "paused: inconclusive: gate services/ems after wave 1 on vts01: exit 75" in ended.out
    assert f"go on: vtsconf rollout resume {WAITS}; end it: vtsconf rollout abort {WAITS}" in ended.out


def test_a_plan_of_a_server_that_was_not_reached_is_not_done(project: Path, vtsconf: Vtsconf) -> None:
    plan = plans.load((project / "friday.json").read_bytes(), "friday.json")
    lost = HostPlan(host="vts01", outcome=PlanOutcome.UNREACHABLE, reason="no route to host")
    (project / "lost.json").write_text(json.dumps(plans.to_json(replace(plan, hosts=(lost,)))))

    assert Exit.UNREACHABLE == vtsconf("rollout", "start", "lost.json", "--strategy", "canary", "-y").code


# ---- it cannot go on from here


def test_a_leader_that_left_off_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    halt = {"kind": "stopped", "why": "the journal cannot be written: disk\x1b full"}
    codes = [
        left_off(Work(id="r#1", flow="lead r", state=State.DONE, result=result))
        for result in (halt, {"kind": "ended", "why": ""}, None)
    ]

    assert [Exit.ERROR, 0, 0] == [*codes]
    assert 0 == left_off(None)
    assert "stopped: the journal cannot be written: disk\\x1b full\n" == capsys.readouterr().err


# ---- its controller was killed

ROLLOUT = [sys.executable, "-m", "vtsconf", "rollout"]


def start_and_kill(project: Path) -> None:
    """Killed while it waits for an approval, which is written down and not heard of."""
    (project / "slow.yaml").write_text("waves: [100%]\napprove: [start]\n")
    words = [*ROLLOUT, "start", "friday.json", "--strategy", "slow.yaml", "-y"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as leader:
        assert leader.stderr
        assert "waiting: approval" in leader.stderr.readline()
        leader.kill()


def legs(project: Path) -> list[str]:
    with Client(f"sqlite:///{project}/.vtsconf/vtsconf.db") as client:
        return [f"{work.id.rpartition('#')[2]} {work.state} {work.by}" for work in client.running()]


def test_a_pause_ends_only_when_who_led_has_left(project: Path, vtsconf: Vtsconf) -> None:
    """It had not heard of the pause: what it led comes to its end first, then one leads on."""
    start_and_kill(project)
    assert Exit.DONE == vtsconf("rollout", "pause").code
    ended = subprocess.run([*ROLLOUT, "resume", "--no-wait"], capture_output=True, text=True, check=False)

    assert Exit.WAITING == ended.returncode
    assert ["2"] == [leg.partition(" ")[0] for leg in legs(project)]


def test_another_rollout_does_not_take_it_up(project: Path, vtsconf: Vtsconf) -> None:
    """Only `resume` does, and `join`: its servers may be no business of whoever starts another one."""
    (project / "monday.json").write_text(_without_secrets(plan_of("vts02")))
    start_and_kill(project)
    before = legs(project)
    words = ["start", "monday.json", "--strategy", "slow.yaml", "-y", "--no-wait"]
    ended = subprocess.run([*ROLLOUT, *words], capture_output=True, text=True, check=False)

    assert Exit.WAITING == ended.returncode, ended.stderr
    assert (1, 2) == (len(before), len(legs(project)))
    assert before[0] in legs(project)

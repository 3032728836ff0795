"""The report's document: everything in it, nothing made up, and the same however often it is made."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.core.report import rollouts
from tests.core.report.rollouts import BOSS, LEAKED, OPS, Run
from vtsconf.core.report.document import FORMAT, digest, document, text
from vtsconf.core.rollout.strategy import Gates, Share, Strategy
from vtsconf.core.runs import Event

MADE = {"at": rollouts.START + 9000, "by": OPS, "version": "1.2"}
CASES = sorted((Path(__file__).parents[2] / "cases" / "report").glob("*.json"))
RUNS = [rollouts.stopped, rollouts.done, rollouts.paused, rollouts.applied, rollouts.hostile]


def told(run: Run):
    return document(run.name, run.events, run.plans, MADE)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_journal_that_was_written_once_still_tells_the_same(path):
    case = json.loads(path.read_text())
    events = [Event(**event) for event in case["events"]]
    plans = {host: json.dumps(plan) for host, plan in case["plans"].items()}
    one = document(case["run"], events, plans, MADE)

    assert (case["verdict"], case["state"]) == (one["verdict"], one["state"])
    assert case["outcomes"] == {server["host"]: server["outcome"] for server in one["servers"]}


@pytest.mark.parametrize("make", RUNS)
def test_every_server_has_exactly_one_outcome_wherever_the_journal_is_cut(make):
    run = make()
    hosts = run.events[0].body["hosts"]
    for cut in range(1, len(run.events) + 1):
        one = document(run.name, run.events[:cut], run.plans, MADE)

        assert hosts == [server["host"] for server in one["servers"]]
        assert len(hosts) == sum(
            n for word, n in one["summary"].items() if word not in ("servers", "changes", "taken_back")
        )
        assert (run.events[cut - 1].action == "run-finished") == (one["finished"] is not None)


def test_servers_that_were_never_tried_say_why():
    servers = {server["host"]: server for server in told(rollouts.stopped())["servers"]}

    assert ("skipped", "the rollout was stopped before its turn", 3) == tuple(
        servers["vts10"][key] for key in ("outcome", "reason", "wave")
    )


def test_people_waves_gates_and_times_are_all_there():
    one = told(rollouts.stopped())

    assert [
        ("run-started", OPS, ""),
        ("approved", BOSS, "canary looks good, CHG0031337"),
        ("paused", BOSS, "looking at vts03"),
        ("resumed", BOSS, "a disk, not us"),
    ] == [(one["action"], one["by"], one.get("why", "")) for one in one["decisions"][:4]]
    assert [(1, "first", "pass", 2), (1, "last", "pass", 2), (2, "first", "fail", 6)] == [
        (gate["wave"], gate["ask"], gate["verdict"], len(gate["answers"])) for gate in one["gates"]
    ]
    assert [1800, 300, 300] == [wave["soak"] for wave in one["waves"]]
    assert BOSS == one["waves"][1]["approved"]["by"]
    assert {"failures": 1, "tolerated": 2, "spent": False} == one["budget"]
    assert [4.1] == [round(t["finished"] - t["started"], 2) for t in one["servers"][0]["tries"]]


def test_an_inconclusive_answer_stays_in_the_evidence_after_it_was_asked_again():
    run = rollouts.paused()
    run.add("resumed", by=BOSS, why="the service answers again")
    run.ask(1, "first", rollouts.answers(["vts1"]))
    one = told(run)

    assert ["inconclusive", "pass"] == [gate["verdict"] for gate in one["gates"]]


def test_what_was_planned_is_there_with_the_digests_of_before_and_after():
    plan = told(rollouts.done(1))["servers"][0]["planned"]

    assert ["ems/ems_keep_alive", "files//etc/motd", "bma/tsm/password"] == [
        c["address"] for c in plan["changes"]
    ]
    assert [(rollouts.CONFIG, False, False), ("/opt/tsm/dsm.opt", True, True)] == [
        (file["path"], file["before"] is None, file["after"]["keyed"]) for file in plan["files"]
    ]
    assert 64 == len(plan["files"][0]["before"]["digest"]) == len(plan["files"][0]["after"]["digest"])
    assert plan["seal"] == json.loads(rollouts.plan_of("vts1"))["seal"]


def test_a_plan_that_was_changed_after_it_was_made_is_not_shown():
    run = rollouts.done(1)
    run.plans["vts1"] = run.plans["vts1"].replace('"300"', '"301"')
    plan = told(run)["servers"][0]["planned"]

    assert {"problem": "the journal's plan for vts1 was changed after it was made"} == plan


@pytest.mark.parametrize("make", RUNS)
def test_the_digest_is_of_the_content_and_not_of_when_it_was_made(make):
    run = make()
    one = told(run)
    later = document(run.name, run.events, run.plans, {"at": 1.0, "by": "x", "version": "9"})
    read = json.loads(text(one))

    assert one["digest"] == later["digest"] == digest(read)
    assert one == read
    assert read["digest"] != digest(read | {"by": "somebody else"})
    assert FORMAT == read["format"]


@pytest.mark.parametrize(
    ("strategy", "state", "verdict"),
    [
        (Strategy(approve=("start",)), "approval", "approval is asked for before the first wave"),
        (Strategy(gates=Gates()), "open", "not finished when this report was made"),
    ],
)
def test_a_run_that_has_not_ended_says_so_and_what_it_waits_for(strategy, state, verdict):
    one = told(Run("r", ["a", "b"], [["a"], ["b"]], strategy))

    assert (state, 2) == (one["state"], one["summary"]["not tried"])
    assert verdict in one["verdict"]


def test_soaking_is_told_as_of_the_last_event():
    run = Run("r", ["a"], [["a"]], Strategy(soak=600, gates=Gates()))
    run.wave(1)
    run.change(["a"], [2.0])
    run.ask(1, "first", rollouts.answers(["a"]))
    one = told(run)

    assert ("waiting", "soaking after wave 1") == (one["state"], one["why"])


def test_a_spent_budget_and_what_is_taken_back_are_told():
    hosts = ["a", "b", "c"]
    run = Run("r", hosts, [["a"], ["b", "c"]], Strategy(max_failures=Share(percent=10), on_failure="revert"))
    run.wave(1)
    run.change(["a"], [1.0])
    run.wave(2)
    run.change(["b", "c"], [1.0, 2.0], b={"outcome": "failed", "reason": "no space"})
    why = "1 of 3 servers failed; 0 are tolerated"
    run.add("stopped", why=why, cause="budget", revert=True)
    run.add("host-settled", "c", outcome="reverted", reason="the rollout was stopped")
    run.add("host-settled", "a", outcome="changed", reason="unreachable", stays=True)
    run.finish("stopped", why)
    one = told(run)
    servers = {server["host"]: server for server in one["servers"]}

    assert {"failures": 1, "tolerated": 0, "spent": True} == one["budget"]
    assert (
        f"1 of 3 servers changed and confirmed, 1 reverted (1 of them because it stopped), 1 failed; stopped: {why}."
        == one["verdict"]
    )
    assert ("changed", True) == (servers["a"]["outcome"], servers["a"]["stays"])
    assert ["reverted"] == [settled["outcome"] for settled in servers["c"]["settled"]]


def test_a_second_try_is_a_second_bar():
    run = Run("r", ["a"], [["a"]])
    run.wave(1)
    run.begin("a")
    run.add("host-started", "a", after=9, **{"as": "r-2", "wave": 1, "by": BOSS})
    run.end("a", after=2, seconds=2.0)
    run.finish("done")
    one = told(run)

    assert [("r", None), ("r-2", "changed")] == [
        (t["run"], t["outcome"] or None) for t in one["servers"][0]["tries"]
    ]
    assert [OPS, BOSS] == one["controllers"]


def test_questions_stand_once_with_the_servers_that_they_are_asked_of():
    questions = told(rollouts.stopped())["questions"]

    assert [("services/ems", 19), ("health/mounts", 19)] == [
        (q["gate"], len(q["servers"])) for q in questions
    ]


def test_what_looks_like_a_secret_is_not_in_the_document():
    run = rollouts.hostile()
    whole = text(told(run))
    kept = json.dumps([event.body for event in run.events]) + "".join(run.plans.values())

    assert Counter(LEAKED) == Counter(leak for leak in LEAKED if leak in kept)
    assert [] == [leak for leak in LEAKED if leak in whole]


def test_a_secret_that_the_plan_hides_stays_hidden():
    run = rollouts.done(1)
    run.plan("vts1", password="correct horse")
    whole = text(told(run))

    assert "keyed:99aa88bb77cc" in whole
    assert "correct horse" not in whole

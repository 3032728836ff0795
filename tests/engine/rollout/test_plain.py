"""A run over several hosts: every host in exactly one outcome, the journal told before and after."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.test_apply import KEY, PATH, Way, order, plan, seen, server
from vtsconf.core.connection import Target
from vtsconf.core.errors import VtsconfError
from vtsconf.core.outcome import PlanOutcome, RunOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.engine.apply import Order
from vtsconf.engine.fan import Stop, fan
from vtsconf.engine.journal import Journal
from vtsconf.engine.rollout.desk import Desk, Watch
from vtsconf.engine.rollout.document import to_json
from vtsconf.engine.rollout.plain import carry_out
from vtsconf.engine.undo import plan_to_undo
from vtsconf.transport.fake import MemoryServer

ENDPOINT = "127.0.0.1:22"


def host(name: str, **more: object) -> HostPlan:
    return replace(plan(**more), host=name, endpoint=ENDPOINT)


def fleet(*hosts: HostPlan) -> tuple[Plan, dict[str, Target]]:
    targets = {h.host: Target(name=h.host, address="127.0.0.1") for h in hosts}
    return Plan(made=1, by="ops@here", revision="abc", hosts=hosts), targets


class Fleet:
    """A way to many servers by name."""

    def __init__(self, *names: str) -> None:
        self.servers = {name: server() for name in names}

    def __call__(self, target: Target) -> MemoryServer:
        return self.servers[target.name]


def go(
    tmp_path: Path,
    made: Plan,
    targets: dict[str, Target],
    way: object,
    run: str = "r1",
    **watch: object,
) -> tuple:
    journal = Journal(f"sqlite:///{tmp_path}/vtsconf.db")
    return carry_out(made, desk(targets, order(way, run=run), journal, **watch), "apply"), journal


def desk(
    targets: dict[str, Target], what: Order, journal: Journal, *, parallel: int = 4, **watch: object
) -> Desk:
    return Desk(
        run=what.run, order=what, journal=journal, find_targets=lambda _: targets, now=lambda: 7.0,
        parallel=parallel, watch=Watch(**watch),
    )  # fmt: skip


def test_results_come_in_the_order_of_the_plan_one_for_each_host(tmp_path: Path) -> None:
    names = [f"vts{n}" for n in range(12)]
    made, targets = fleet(*(host(n) for n in names))

    results, _ = go(tmp_path, made, targets, Fleet(*names))

    assert [(n, RunOutcome.CHANGED) for n in names] == [(r.host, r.outcome) for r in results]


def test_the_journal_knows_who_from_where_and_how_each_host_ended(tmp_path: Path) -> None:
    made, targets = fleet(host("a"), host("b", steps=(), restarts=()))

    _, journal = go(tmp_path, made, targets, Fleet("a", "b"))

    (run,) = journal.runs()
    assert ("ops@here", "abc", False) == (run.by, run.revision, run.is_open)
    assert {"a": "changed", "b": "unchanged"} == {n: e["outcome"] for n, e in run.hosts.items()}
    assert {"a"} == set(journal.plans(run.run))


def test_where_no_host_has_work_there_is_no_run(tmp_path: Path) -> None:
    idle = host("a", steps=(), restarts=())
    lost = replace(idle, host="b", outcome=PlanOutcome.ERROR, reason="no")
    made, targets = fleet(idle, lost)

    results, journal = go(tmp_path, made, targets, Fleet("a", "b"))

    assert [RunOutcome.UNCHANGED, RunOutcome.FAILED] == [r.outcome for r in results]
    assert not journal.exists


def test_a_plan_is_not_carried_to_another_server(tmp_path: Path) -> None:
    made, _ = fleet(host("a"), host("b"))
    targets = {"a": Target(name="a", address="127.0.0.2")}
    servers = Fleet("a", "b")

    results, _ = go(tmp_path, made, targets, servers)

    assert [RunOutcome.REFUSED] * 2 == [r.outcome for r in results]
    assert "was made for 127.0.0.1:22; the inventory says 127.0.0.2:22" in results[0].reason
    assert b"old" == servers.servers["a"].files[PATH].data


def test_a_stopped_run_skips_what_has_not_begun(tmp_path: Path) -> None:
    stop = Stop()
    stop.set()
    made, targets = fleet(host("a"))
    servers = Fleet("a")

    results, journal = go(tmp_path, made, targets, servers, stop=stop)

    assert [RunOutcome.SKIPPED] == [r.outcome for r in results]
    assert b"old" == servers.servers["a"].files[PATH].data
    assert not journal.runs()[0].is_open


def test_what_the_journal_knows_takes_the_run_back(tmp_path: Path) -> None:
    made, targets = fleet(host("a"), host("b"))
    servers = Fleet("a", "b")
    _, journal = go(tmp_path, made, targets, servers)

    undo = plan_to_undo(journal, None, {"a"}, now=8, by="ops@here")
    results = carry_out(undo, desk(targets, order(servers, run="r2"), journal), "rollback")

    assert ("r1", ["a"]) == (undo.reverses, [h.host for h in undo.hosts])
    assert [RunOutcome.CHANGED] == [r.outcome for r in results]
    assert (b"old", b"new") == tuple(servers.servers[n].files[PATH].data for n in ("a", "b"))


def test_a_rollback_that_is_stale_is_told_as_one(tmp_path: Path) -> None:
    made, targets = fleet(host("a"))
    servers = Fleet("a")
    _, journal = go(tmp_path, made, targets, servers)
    servers.servers["a"].files[PATH] = seen(b"by hand")

    undo = plan_to_undo(journal, "r1", {"a"}, now=8, by="ops@here")
    results, _ = go(tmp_path, undo, targets, servers, "r2")

    assert RunOutcome.STALE is results[0].outcome
    assert "since run r1" in results[0].remedy


def test_the_summary_counts_every_host_once(tmp_path: Path) -> None:
    made, targets = fleet(host("a"), host("b"))
    servers = Fleet("a", "b")
    servers.servers["b"].files.clear()

    results, _ = go(tmp_path, made, targets, servers)
    document = to_json("r1", results)

    assert {"hosts": 2, "changed": 1, "stale": 1, "changes": 0}.items() <= document["summary"].items()
    assert ["changed", "stale"] == [h["outcome"] for h in document["hosts"]]


def test_fan_gives_every_item_exactly_once() -> None:
    done = dict(fan(range(100), lambda n: n * n, parallel=7))

    assert {n: n * n for n in range(100)} == done


def test_the_key_of_these_tests_is_what_the_server_uses() -> None:
    assert hashlib.sha256(b"00ffx").hexdigest() == KEY.digest(b"x")
    assert Way(server())(Target(name="x")).files


def test_a_bug_on_one_host_does_not_stop_the_other(tmp_path: Path) -> None:
    made, targets = fleet(host("a"), host("b"))
    servers = Fleet("a", "b")
    servers.servers["a"].apply = None  # calling it is a TypeError

    results, _ = go(tmp_path, made, targets, servers)

    assert [RunOutcome.FAILED, RunOutcome.CHANGED] == [r.outcome for r in results]
    assert "bug in vtsconf" in results[0].reason


def test_without_a_journal_nothing_is_changed(tmp_path: Path) -> None:
    made, targets = fleet(host("a"))
    servers = Fleet("a")
    (tmp_path / "vtsconf.db").mkdir()

    with pytest.raises(VtsconfError, match="cannot be opened"):
        go(tmp_path, made, targets, servers)

    assert b"old" == servers.servers["a"].files[PATH].data


def test_a_journal_that_fails_in_the_middle_is_told_and_begins_no_other_host(tmp_path: Path) -> None:
    made, targets = fleet(host("a"), host("b"))
    servers = Fleet("a", "b")
    database = tmp_path / "vtsconf.db"

    def lose_it(host: str, event: str) -> None:
        if event == "confirming":
            with sqlite3.connect(database) as db:
                db.execute("drop table events")

    journal = Journal(f"sqlite:///{database}")
    results = carry_out(made, desk(targets, order(servers, on_event=lose_it), journal, parallel=1), "apply")

    assert [RunOutcome.CHANGED, RunOutcome.SKIPPED] == [r.outcome for r in results]
    assert all("cannot be written" in r.reason for r in results)
    assert (b"new", b"old") == tuple(servers.servers[n].files[PATH].data for n in ("a", "b"))

"""The plan of a fleet: which jobs, in which order, what is left for the next run; its document and its warnings."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.core.migrate.asked import DAY, NOW, judged, migrate, planned, policy, proof, tape
from vtsconf.core.migrate.aftermath import circle
from vtsconf.core.migrate.document import decisions, plan_document
from vtsconf.core.migrate.job import Job
from vtsconf.core.migrate.plan import Part, totals
from vtsconf.core.migrate.policy import Select, in_order
from vtsconf.core.migrate.warn import warnings
from vtsconf.core.window import Window

NIGHT = Window(start=22 * 60, end=6 * 60, timezone="Europe/Berlin")


def paths(rows) -> list[str]:
    return [row.job.cartridge.rpartition("/")[2] for row in rows]


def test_jobs_come_as_they_would_run() -> None:
    """Those that may begin now, restores first, then by priority, then the oldest."""
    tapes = [
        tape("/VAULT01/P/OLD", age=9 * DAY),
        tape("/VAULT01/P/OLDER", age=10 * DAY),
        tape("/VAULT01/P/ERASED", age=DAY, size=0),
        tape("/VAULT01/Q/NIGHT", age=99 * DAY),
        tape("/VAULT01/R/URGENT", age=DAY),
    ]
    judge = judged(
        [
            migrate("usual", select=Select(pools=("P",))),
            migrate("urgent", select=Select(pools=("R",)), priority=1),
            migrate("night", select=Select(pools=("Q",)), priority=0, window=NIGHT),
            policy("back", "restore"),
        ],
        tapes,
        {tapes[2].path: proof(tapes[2], size=10**6, token="vtsconf-abc")},
    )
    rows = list(planned(judge).planned())

    assert ["ERASED", "URGENT", "OLDER", "OLD", "NIGHT"] == paths(rows)
    assert [NOW] * 4 + [NIGHT.opens(NOW)] == [row.opens for row in rows]
    assert (0, "vtsconf-abc", 0, 10**6) == (
        rows[0].job.priority,
        rows[0].job.token,
        rows[0].job.bytes,
        rows[0].job.moves,
    )


def test_servers_share_one_row() -> None:
    first = judged([migrate()], [tape("/VAULT01/P/A", age=DAY), tape("/VAULT01/P/C", age=3 * DAY)])
    second = judged([migrate()], [tape("/VAULT01/P/B", age=2 * DAY)], host=1)
    rows = list(planned(first, second).planned())

    assert [("C", "vts1"), ("B", "vts2"), ("A", "vts1")] == list(
        zip(paths(rows), [row.job.host for row in rows], strict=True)
    )


def test_bytes_per_run_ends_at_the_first_that_does_not_fit() -> None:
    tapes = [
        tape(f"/VAULT01/P/T{n}", age=(9 - n) * DAY, size=size) for n, size in enumerate([400, 500, 200, 50])
    ]
    rows = list(planned(judged([migrate(bytes_per_run=1000)], tapes)).planned())

    assert ["", ""] == [row.later for row in rows[:2]]
    assert ["bytes_per_run of m is 1 kB, and 900 B go before it"] * 2 == [row.later for row in rows[2:]]


def test_a_tape_that_is_larger_than_a_run_goes_alone() -> None:
    tapes = [tape(f"/VAULT01/P/T{n}", age=(9 - n) * DAY, size=5000) for n in range(2)]
    rows = list(planned(judged([migrate(bytes_per_run=1000)], tapes)).planned())

    assert [True, False] == [not row.later for row in rows]


def test_bytes_per_run_counts_all_servers_and_only_this_policy() -> None:
    policies = [
        migrate("small", select=Select(pools=("P",)), bytes_per_run=6000),
        migrate("free", select=Select(pools=("Q",))),
    ]
    made = [
        judged(policies, [tape("/VAULT01/P/A"), tape("/VAULT01/Q/B"), tape("/VAULT01/Q/C")], host=host)
        for host in (0, 1)
    ]
    sums = totals(planned(*made))

    assert {
        ("vts1", "small"): (1, 0),
        ("vts2", "small"): (0, 1),
        ("vts1", "free"): (2, 0),
        ("vts2", "free"): (2, 0),
    } == {(total.host, total.policy.name): (total.jobs, total.later) for total in sums}


def test_a_file_with_two_names_goes_once() -> None:
    """A vault that is a link to another: the same inode, size and mtime under the same name."""
    tapes = [tape("/VAULT01/P/A"), tape("/VAULT02/P/A"), tape("/VAULT02/P/B"), tape("/VAULT02/Q/A", inode=8)]
    rows = list(planned(judged([migrate()], tapes)).planned())

    assert [("/VAULT02/P/A", "the same file as /VAULT01/P/A (inode, size and mtime): once is enough")] == [
        (row.job.cartridge, row.later) for row in rows if row.later
    ]


def test_a_second_copy_is_another_job_than_the_first() -> None:
    one = tape()
    again = judged([migrate(select=Select(migrated="any"))], [one], {one.path: proof(one)})
    never = judged([migrate(select=Select(migrated="any"))], [one])
    (second,), (first,) = planned(again).planned(), planned(never).planned()

    assert (first.job.nonce, second.job.nonce) == ("", "again-1795161600")
    assert first.job.id != second.job.id


def test_an_erase_has_no_bma_and_moves_nothing() -> None:
    one = tape()
    (row,) = planned(judged([policy("e", "erase", is_allowed=True)], [one], {one.path: proof(one)})).planned()

    assert ("erase", "", 0, 5000) == (row.job.action, row.job.bma, row.job.moves, row.job.bytes)


def whole() -> dict[str, Any]:
    tapes = [
        tape("/VAULT01/P/A"),
        tape("/VAULT01/P/B", age=5),
        tape("/VAULT01/P/é"),
        tape("/VAULT01/Q/Z", size=0),
    ]
    policies = [
        migrate("m", select=Select(pools=("P",), min_age=DAY), window=NIGHT, per_host=2, bytes_per_run=6000),
        policy("back", "restore"),
    ]
    judge = judged(policies, tapes)
    plan = planned(judge, rate=1000)
    plan.parts.append(Part(host="vts9", outcome="unreachable", reason="no route"))
    return plan_document(plan, [row for one in tapes for row in decisions(judge, one, "vts1")])


def test_the_document_holds_what_others_build_on() -> None:
    document = json.loads(json.dumps(whole()))

    assert "vtsconf/migration-plan/1" == document["format"]
    assert {"id", "host", "cartridge", "action", "policy", "bma", "bytes"} <= set(document["jobs"][0])
    assert {"host", "cartridge", "policy", "verdict", "reason"} <= set(document["decisions"][0])
    assert {"policy", "matched", "shadowed_by"} <= set(document["rules"][0])
    assert 8 == len(document["decisions"])
    assert (1, 1) == (len(document["jobs"]), len(document["later"]))
    assert "bytes_per_run of m is 6 kB, and 5 kB go before it" == document["later"][0]["reason"]
    assert (2, 1, 4, 1, 5000) == tuple(
        document["summary"][key] for key in ("hosts", "unreachable", "tapes", "jobs", "moves")
    )


def test_a_job_of_the_document_is_the_job() -> None:
    document = json.loads(json.dumps(whole()))
    job = Job.from_json(document["jobs"][0])

    assert document["jobs"][0]["id"] == job.id


def test_the_document_estimates_only_with_a_rate_that_somebody_assumes() -> None:
    (row,) = whole()["estimates"]

    assert (1000, 1, 1) == (row["assumed_rate"], row["at_once"], row["drives"])
    assert NIGHT.opens(NOW) + 5 == row["ends"]
    (row,) = plan_document(planned(judged([migrate()], [tape()])))["estimates"]
    assert (None, False) == (row["assumed_rate"], "ends" in row)


def test_one_decision_for_each_tape_is_the_one_that_decided() -> None:
    policies = [
        migrate("pool", select=Select(pools=("Z",))),
        migrate("young", select=Select(min_age=99 * DAY)),
    ]
    judge = judged(policies, [tape()])
    (row,) = decisions(judge, tape(), "vts1", each=False)

    assert ("young", "leave", "young") == (row["policy"], row["verdict"], row["code"])
    assert [] == list(decisions(judged([], [tape()]), tape(), "vts1", each=False))


def codes(plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for warning in warnings(plan):
        found.setdefault(warning.code, []).append(warning.policy)
    return found


def test_rules_that_do_nothing_are_told_and_why() -> None:
    judge = judged(
        [
            migrate("all"),
            migrate("later", priority=60, select=Select(pools=("PROD*",))),
            migrate("typo", select=Select(pools=("PORD*",))),
            policy("never", "erase", select=Select(migrated="never"), is_allowed=True),
        ],
        [tape()],
    )

    assert {
        "shadowed": ["later"],
        "matched-nothing": ["typo"],
        "impossible": ["never"],
        "wanted-twice": [""],
    } == codes(planned(judge))
    texts = [warning.text for warning in warnings(planned(judge))]
    assert "typo takes no tape: 1 in another pool" in texts
    assert "later is wholly shadowed: all 1 tapes that it wants go to all, which goes first" in texts


def test_a_rule_that_gets_some_is_not_shadowed() -> None:
    judge = judged(
        [migrate("a", select=Select(pools=("P",))), migrate("b")],
        [tape("/VAULT01/P/1"), tape("/VAULT01/Q/2")],
    )

    assert {"wanted-twice": [""]} == codes(planned(judge))


def test_an_erase_that_is_not_allowed_takes_nothing_and_says_so() -> None:
    one = tape()
    judge = judged([policy("wipe", "erase")], [one], {one.path: proof(one)})

    assert {"forbidden": ["wipe"]} == codes(planned(judge))
    assert [] == judge.taken


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([migrate("again", select=Select(migrated="any"))], ("again",)),
        ([migrate("again", select=Select(migrated="yes"))], ("again",)),
        ([migrate("once")], ()),
        ([migrate("once", select=Select(migrated="never"))], ()),
        ([policy("wipe", "erase", is_allowed=True)], ()),
        ([policy("wipe", "erase", is_allowed=True), policy("back", "restore")], ("wipe", "back")),
        # A restore that is about another pool leaves it erased.
        ([policy("wipe", "erase", is_allowed=True), policy("back", "restore", select=Select(pools=("Q",)))], ()),
        ([migrate("m", select=Select(migrated="never")), policy("wipe", "erase", is_allowed=True)], ()),
    ],
    ids=lambda value: "-".join(one if isinstance(one, str) else one.name for one in value) or "rest",
)  # fmt: skip
def test_a_policy_that_takes_what_it_has_produced_goes_round(policies, expected) -> None:
    asked = in_order(policies)
    wanting = next(n for n, each in enumerate(asked) if each.action != "restore")

    assert expected == circle(asked, wanting, tape(), proof(), NOW)


def test_the_same_moment_simulated_gives_the_same_plan() -> None:
    judge = judged([migrate(window=NIGHT)], [tape()])
    plan = planned(judge)

    assert plan_document(plan) == plan_document(replace(plan))


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-10-24", 9), ("2027-03-27", 7), ("2026-11-25", 8)],  # clocks back, forward, and neither
)
def test_a_window_over_a_change_of_clocks_is_as_long_as_the_wall_says(day: str, hours: int) -> None:
    evening = int(
        datetime.fromisoformat(f"{day}T21:00").replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    )
    from vtsconf.core.migrate.schedule import Demand, estimate

    demand = Demand(jobs=1, bytes=100 * 3600 * 1000, at_servers=1, window=NIGHT)
    first, second, *_ = estimate(demand, 1000, evening).openings

    assert hours * 3600 * 1000 == first.bytes
    assert "22:00" == f"{datetime.fromtimestamp(first.opens, ZoneInfo('Europe/Berlin')):%H:%M}"
    assert "06:00" == f"{datetime.fromtimestamp(first.closes or 0, ZoneInfo('Europe/Berlin')):%H:%M}"
    assert second.opens > (first.closes or 0)


@pytest.mark.parametrize("jump", [-40 * DAY, -3600, 3600, 400 * DAY])
def test_a_clock_that_jumps_moves_the_ages_and_nothing_is_taken_from_the_future(jump: int) -> None:
    from vtsconf.core.migrate.judge import Judge
    from vtsconf.core.migrate.why import Why

    judge = Judge([migrate(select=Select(min_age=31 * DAY))], NOW + jump)
    ((_, why, _),) = judge.verdicts(tape())
    expected = {-40 * DAY: Why.FUTURE, -3600: Why.YOUNG, 3600: Why.YOUNG, 400 * DAY: Why.TAKEN}

    assert expected[jump] is why
    assert datetime.fromtimestamp(NOW, UTC).year == 2026

"""`bytes_per_run` over many plans: one budget for an opening of the window, whatever the clocks do meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.core.migrate.asked import DAY, NOW, judged, migrate, planned, tape
from vtsconf.core.migrate.at import at
from vtsconf.core.migrate.budget import Listed, Spent, since, spent
from vtsconf.core.window import Window

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = migrate(window=Window(start=22 * 60, end=6 * 60, timezone="Europe/Berlin"))


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp())


@pytest.mark.parametrize(
    ("now", "began"),
    [
        ("2026-11-24T21:59", "2026-11-24T06:00"),  # closed: it counts for the opening to come
        ("2026-11-24T22:00", "2026-11-24T06:00"),
        ("2026-11-25T05:59", "2026-11-24T06:00"),  # still the same opening
        ("2026-11-25T06:00", "2026-11-25T06:00"),  # over
        ("2026-10-25T05:59", "2026-10-24T06:00"),  # a night of nine hours, clocks back
        ("2026-10-25T21:00", "2026-10-25T06:00"),
        ("2027-03-28T05:59", "2027-03-27T06:00"),  # a night of seven, clocks forward
        ("2027-03-28T21:00", "2027-03-28T06:00"),
    ],
)
def test_a_budget_is_for_one_opening(now: str, began: str) -> None:
    assert moment(began) == since(NIGHT, moment(now))


def test_a_window_that_is_left_out_when_the_clocks_go_forward_has_no_budget_of_its_own() -> None:
    sunday = migrate(window=Window(start=130, end=170, days=(6,), timezone="Europe/Berlin"))

    assert moment("2027-03-21T02:50") == since(sunday, moment("2027-03-30T12:00"))


def test_as_of_another_moment() -> None:
    """As `--at 'mon 22:00'` says it."""
    now = datetime.fromtimestamp(NOW, BERLIN)  # a Wednesday

    assert moment("2026-11-30T06:00") == since(NIGHT, at("mon 22:00", now))


def test_without_a_window_it_is_for_a_day_at_every_moment() -> None:
    assert NOW - DAY == since(migrate(), NOW)


JOBS = (
    Listed(id="before", host="vts1", policy="m", moves=1, begun=NOW - 1),
    Listed(id="since", host="vts1", policy="m", moves=2, begun=NOW),
    Listed(id="waits", host="vts1", policy="m", moves=4, begun=None),
    Listed(id="elsewhere", host="vts2", policy="m", moves=8, begun=NOW - 1),
    Listed(id="not asked about", host="vts3", policy="m", moves=16, begun=NOW),
    Listed(id="another", host="vts1", policy="n", moves=32, begun=NOW),
)


def test_what_began_since_counts_and_what_waits() -> None:
    began = {("vts1", "m"): NOW, ("vts2", "m"): NOW - DAY}  # each host's own window

    expected = Spent(bytes=14, jobs=frozenset({"before", "since", "waits", "elsewhere"}))
    assert {"m": expected} == spent(JOBS, began)


def test_a_plan_goes_on_where_the_budget_is() -> None:
    """Not one byte more in ten minutes: what is on the list is not counted twice, and takes no room from what is new."""
    old = [tape(f"/VAULT01/P/T{n}", age=(9 - n) * DAY, size=400) for n in range(2)]
    new = [tape(f"/VAULT01/P/T{n}", age=(9 - n) * DAY, size=150) for n in range(2, 4)]
    policy = migrate(bytes_per_run=1000)
    first = planned(judged([policy], old))
    ids = [row.job.id for row in first.planned()]
    on_list = Spent(bytes=800, jobs=frozenset(ids))

    again = planned(judged([policy], [*old, *new]), spent={"m": on_list})
    assert [*ids, ""] == [row.job.id if row.job.id in ids else row.later for row in again.planned()][:3]
    assert "bytes_per_run of m is 1 kB, and 950 B go before it" == list(again.planned())[3].later

    done = replace(again, parts=planned(judged([policy], new)).parts)  # the old ones are proven by now
    assert [False, True] == [bool(row.later) for row in done.planned()]


def test_a_budget_that_is_gone_lets_nothing_new_begin() -> None:
    plan = planned(judged([migrate(bytes_per_run=1000)], [tape(size=1)]), spent={"m": Spent(bytes=1000)})

    assert ["bytes_per_run of m is 1 kB, and 1 kB go before it"] == [row.later for row in plan.planned()]


def test_what_failed_before_takes_nothing_from_the_others() -> None:
    """Its job is on the list, and nobody does it again by itself."""
    tapes = [tape("/VAULT01/P/A", age=9 * DAY, size=900), tape("/VAULT01/P/B", size=900)]
    policy = migrate(bytes_per_run=1000)
    (stuck, _) = planned(judged([policy], tapes)).planned()

    plan = planned(judged([policy], tapes), spent={"m": Spent(jobs=frozenset({stuck.job.id}))})
    assert ["", ""] == [row.later for row in plan.planned()]

"""How long it would take: from bytes, an assumed rate, and a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.migrate.asked import DAY, NOW
from vtsconf.core.migrate.schedule import Demand, estimate
from vtsconf.core.window import Window

NOON = Window(start=13 * 60, end=14 * 60)  # an hour a day; NOW is 12:00


@pytest.mark.parametrize(
    ("limits", "lanes", "drives"),
    [
        ({}, 3, 3),
        ({"at_servers": 6}, 6, 6),
        ({"at_servers": 6, "per_bma": 4}, 4, 4),
        ({"at_servers": 6, "per_drive": 4}, 6, 2),
        ({"per_bma": 1}, 1, 1),
        ({"at_servers": 99}, 10, 10),  # no more than there are jobs
        ({"at_servers": 6, "has_drives": 2}, 2, 2),  # one job has a drive for itself
        ({"at_servers": 9, "has_drives": 2, "per_drive": 3}, 6, 2),
        ({"at_servers": 9, "has_drives": 2, "per_drive": 3, "per_bma": 4}, 4, 2),
    ],
)
def test_limits_say_how_many_drives_are_needed(limits, lanes, drives) -> None:
    demand = Demand(**{"jobs": 10, "bytes": 1, "at_servers": 3, **limits})

    assert (lanes, drives) == (demand.lanes, demand.drives)


def test_without_a_window_it_begins_now() -> None:
    made = estimate(Demand(jobs=1, bytes=1001, at_servers=1), 100, NOW)

    assert (NOW + 11, [(NOW, None, 1001)]) == (
        made.ends,
        [(o.opens, o.closes, o.bytes) for o in made.openings],
    )


def test_what_does_not_fit_waits_for_the_next_opening() -> None:
    made = estimate(Demand(jobs=1, bytes=9000, at_servers=1, window=NOON), 1, NOW)

    assert [3600, 3600, 1800] == [opening.bytes for opening in made.openings]
    assert [NOW + 3600, NOW + 3600 + DAY, NOW + 3600 + 2 * DAY] == [
        opening.opens for opening in made.openings
    ]
    assert NOW + 3600 + 2 * DAY + 1800 == made.ends


def test_in_the_middle_of_an_opening_only_the_rest_of_it_counts() -> None:
    made = estimate(Demand(jobs=1, bytes=9000, at_servers=1, window=NOON), 1, NOW + 3600 + 1800)

    assert [1800, 3600, 3600] == [opening.bytes for opening in made.openings]


def test_what_takes_years_has_no_end() -> None:
    assert estimate(Demand(jobs=1, bytes=10**15, at_servers=1, window=NOON), 1, NOW).ends is None
    assert estimate(Demand(jobs=1, bytes=10**15, at_servers=1), 1, NOW).ends is None


@given(st.integers(1, 10**7), st.integers(1, 500), st.integers(0, 7 * DAY))
def test_all_bytes_are_in_some_opening(size: int, rate: int, later: int) -> None:
    made = estimate(Demand(jobs=1, bytes=size, at_servers=1, window=NOON), rate, NOW + later)

    assert made.ends is None or size == sum(opening.bytes for opening in made.openings)
    assert all(
        a.closes is not None and a.closes <= b.opens
        for a, b in zip(made.openings, made.openings[1:], strict=False)
    )

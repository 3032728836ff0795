"""Windows, held against a clock on the wall that is looked at minute by minute."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.hours import Window as Written
from vtsconf.core.window import Window
from vtsconf.resources.policies import Policy

WEEKS = 4
SUN = 6
CHANGES = [
    ("Europe/Berlin", "2026-10-20"),
    ("Europe/Berlin", "2027-03-24"),
    ("America/New_York", "2026-10-28"),
    ("America/New_York", "2027-03-10"),
    ("Australia/Lord_Howe", "2026-09-30"),  # half an hour
    ("America/Havana", "2027-03-10"),  # at midnight: a day begins at 01:00
    ("America/Havana", "2026-10-28"),  # at 01:00 back to midnight
    ("Pacific/Apia", "2011-12-27"),  # a whole day is left out
    ("Asia/Kathmandu", "2026-10-20"),
]


def seconds(text, zone="UTC", fold=0):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


@cache
def wall(zone, day):
    """What a clock on the wall shows at each minute: (weekday, minute of the day)."""
    start, there = datetime.fromisoformat(day).replace(tzinfo=UTC), ZoneInfo(zone)
    moments = ((start + timedelta(minutes=m)).astimezone(there) for m in range(WEEKS * 7 * 1440))
    return [(moment.weekday(), moment.hour * 60 + moment.minute) for moment in moments]


def shows_inside(window, weekday, minute):
    days = window.days or range(7)
    if window.start < window.end:
        return weekday in days and window.start <= minute < window.end
    evening = weekday in days and minute >= window.start
    return evening or ((weekday - 1) % 7 in days and minute < window.end)


minutes = st.integers(0, 1439) | st.integers(0, 240)  # the clocks are changed in the night
days = st.sets(st.integers(0, 6)).map(sorted).map(tuple)


@settings(deadline=None)  # the table of a zone is made when it is first looked at
@given(
    st.sampled_from(CHANGES),
    st.tuples(minutes, minutes).filter(lambda times: times[0] != times[1]),
    days,
    st.integers(0, 10 * 1440 - 1),
    st.integers(0, 59),
)
def test_it_is_open_when_a_clock_on_the_wall_says_so(change, times, days, minute, second):
    zone, day = change
    window = Window(start=times[0], end=times[1], days=days, timezone=zone)
    shown = wall(zone, day)
    base = seconds(day)
    now = base + minute * 60 + second

    def first(wanted):
        at = next(at for at in range(minute, len(shown)) if shows_inside(window, *shown[at]) is wanted)
        return max(now, base + at * 60)

    assert first(True) == window.opens(now)
    assert first(False) == window.closes(now)
    assert shows_inside(window, *shown[minute]) == window.is_open(now)


@settings(deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.tuples(minutes, minutes).filter(lambda times: times[0] != times[1]),
    days,
    st.integers(0, 21 * 1440 * 60),
)
def test_the_last_opening_that_is_over(change, times, days, second):
    zone, day = change
    window = Window(start=times[0], end=times[1], days=days, timezone=zone)
    now = seconds(day) + second
    end = window.ended(now)

    assert end <= now < window.closes(window.opens(end))  # none has ended since
    assert window.is_open(end - 1)
    assert not window.is_open(end)


def berlin(start, end, *days):
    written = Written.model_validate({"from": start, "to": end, "timezone": "Europe/Berlin"})
    return Window(start=written.meant.start, end=written.meant.end, days=days, timezone="Europe/Berlin")


def test_over_midnight_it_belongs_to_the_day_on_which_it_opens():
    window, zone = berlin("22:00", "06:00", 0), "Europe/Berlin"
    monday, tuesday = "2026-11-23", "2026-11-24"

    assert seconds(f"{monday}T22:00", zone) == window.opens(seconds(f"{monday}T03:00", zone))
    assert window.is_open(seconds(f"{tuesday}T05:59:59", zone))
    assert seconds(f"{tuesday}T06:00", zone) == window.closes(seconds(f"{monday}T23:00", zone))
    assert seconds("2026-11-30T22:00", zone) == window.opens(seconds(f"{tuesday}T06:00", zone))


def test_an_opening_that_the_clocks_leave_out_is_as_soon_as_they_show_a_later_time():
    saturday = seconds("2027-03-27T12:00")

    assert seconds("2027-03-28T01:00") == berlin("02:30", "04:00", SUN).opens(saturday)
    assert seconds("2027-03-28T02:00") == berlin("02:30", "04:00", SUN).closes(seconds("2027-03-28T01:00"))


def test_a_window_that_the_clocks_leave_out_does_not_open_that_day():
    assert seconds("2027-04-04T00:15") == berlin("02:15", "02:45", SUN).opens(seconds("2027-03-27T12:00"))


def test_an_hour_that_comes_twice_counts_twice():
    window = berlin("02:00", "03:00", SUN)

    assert seconds("2026-10-25T00:00") == window.opens(seconds("2026-10-24T12:00"))
    assert seconds("2026-10-25T02:00") == window.closes(seconds("2026-10-25T00:00"))


def test_a_window_that_ends_in_the_hour_that_comes_twice_opens_twice():
    window = berlin("01:30", "02:30", SUN)
    first = window.opens(seconds("2026-10-24T12:00"))
    pause = window.closes(first)

    assert seconds("2026-10-24T23:30") == first
    assert seconds("2026-10-25T00:30") == pause
    assert seconds("2026-10-25T01:00") == window.opens(pause)
    assert seconds("2026-10-25T01:30") == window.closes(window.opens(pause))


@pytest.mark.parametrize("wrong", [{"start": 5, "end": 5}, {"start": -1}, {"end": 1440}, {"days": (7,)}])
def test_what_could_never_open_is_refused(wrong):
    with pytest.raises(ValueError, match="a window"):
        Window(**{"start": 0, "end": 60, **wrong})


@pytest.mark.parametrize("model", [Written, Policy.model_fields["window"].annotation.__args__[0]])
def test_written_in_a_strategy_and_in_a_policy_it_means_the_same(model):
    written = {"days": ["sun", "mon"], "from": "22:00", "to": "06:30", "timezone": "America/New_York"}
    expected = Window(start=1320, end=390, days=(0, 6), timezone="America/New_York")

    assert expected == model.model_validate(written).meant
    assert "22:00-06:30 America/New_York" == str(expected)


def test_a_system_without_time_zones_has_those_of_the_package():
    code = (
        "from vtsconf.core.window import Window; "
        "print(Window(start=0, end=60, timezone='Europe/Berlin').opens(1_800_000_000))"
    )
    environment = {**os.environ, "PYTHONTZPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )

    assert (f"{seconds('2027-01-15T23:00')}\n", "") == (done.stdout, done.stderr)

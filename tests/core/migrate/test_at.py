"""The moment of a simulation, as people write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vtsconf.core.migrate.at import at

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 13, 30, 5, tzinfo=BERLIN)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25T22:00+01:00", "2026-11-25T21:00Z"),
        ("2026-11-25T22:00Z", "2026-11-25T22:00Z"),
        ("2026-11-25 22:00:30+00:00", "2026-11-25T22:00:30Z"),
        ("wed 22:00", "2026-11-25T21:00Z"),
        ("Wed 9:00", "2026-12-02T08:00Z"),  # past today: next week
        ("mon 22:00", "2026-11-30T21:00Z"),
        (" sun 0:05 ", "2026-11-28T23:05Z"),
    ],
)
def test_a_moment_is_understood(text: str, expected: str) -> None:
    assert datetime.fromisoformat(expected).timestamp() == at(text, NOW)


def test_the_next_evening_is_on_the_wall_although_the_clocks_change_before() -> None:
    saturday = datetime(2026, 10, 24, 23, 0, tzinfo=BERLIN)

    assert datetime(2026, 10, 25, 21, 0, tzinfo=UTC).timestamp() == at("sun 22:00", saturday)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-25T22:00", "has no time zone: write 2026-11-25T13:00+01:00, or Z"),
        ("tomorrow", "is not a time"),
        ("xyz 22:00", "is not a day: write one of mon, tue"),
        ("mon 24:00", "is not a time"),
        ("", "is not a time"),
        ("9999-99-99T00:00Z", "is not a time"),
        ("x" * 500, "is not a time"),
    ],
)
def test_what_is_no_moment_is_told_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as told:
        at(text, NOW)

    assert len(str(told.value)) < 200

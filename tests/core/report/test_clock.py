"""Times as a report writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vtsconf.core.report.clock import Clock, length

AUTUMN = datetime(2026, 10, 25, tzinfo=UTC).timestamp()  # an hour before the clocks go back in Berlin


def test_a_time_of_another_day_or_offset_is_told_whole():
    clock = Clock(zone=ZoneInfo("Europe/Berlin"), day=AUTUMN)

    assert "02:00:01" == clock.brief(AUTUMN + 1).local
    assert "2026-10-25 02:00:01 +01:00" == clock.brief(AUTUMN + 3601).local
    assert "2026-10-26 00:30:00 +01:00" == clock.brief(AUTUMN + 23.5 * 3600).local
    assert "2026-10-25T00:00:01Z" == clock.brief(AUTUMN + 1).iso
    assert clock.brief(None) is None


def test_the_zone_is_named_with_its_offset():
    assert "CEST, UTC+02:00" == Clock(zone=ZoneInfo("Europe/Berlin")).zone_word(AUTUMN)
    assert "UTC+05:45" == Clock(zone=ZoneInfo("Asia/Kathmandu")).zone_word(AUTUMN)
    assert "UTC" == Clock(zone=UTC).zone_word(AUTUMN)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (-3.5, "0 s"),
        (3, "3 s"),
        (3.0, "3.0 s"),
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 05 min"),
        (3 * 86400 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_lengths_of_time_read_as_people_say_them(seconds, words):
    assert words == length(seconds)

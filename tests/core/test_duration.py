from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.duration import LONGEST, octets, seconds, spelled, wait


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", 30),
        ("10m", 600),
        ("4h", 14400),
        ("7d", 604800),
        ("2w", 1209600),
        ("90", 90),
        (15, 15),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("0s", 0),
    ],
)
def test_durations(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "10 parsecs", "-5s", "1.5h", "s", "5ms", "10mm", "9" * 40, "٣s", -1, "1h30", "h1"]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512", 512),
        (512, 512),
        ("1kB", 1000),
        ("1MB", 10**6),
        ("2TB", 2 * 10**12),
        ("1MiB", 2**20),
        ("1.5 GB", 1_500_000_000),
        ("3b", 3),
    ],
)
def test_sizes(text, expected):
    assert octets(text) == expected


@pytest.mark.parametrize("text", ["", "big", "1XB", "-1MB", "MB", "1..5MB", "1e9", -5])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="size"):
        octets(text)


@given(st.integers(0, 10**9))
def test_a_length_is_spelled_as_it_is_read(length):
    assert seconds(spelled(length)) == length


def test_a_time_to_wait_has_a_unit_and_bounds():
    assert [wait("1s"), wait("10m"), wait("4h"), wait("1h 30m")] == [1, 600, LONGEST, 5400]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (5, "`5` has no unit"),
        ("5", "`5` has no unit"),
        (" 5 ", "has no unit"),
        ("0s", "`0s` is out of range: from 1s to 4h"),
        ("99999d", "`99999d` is out of range"),
        ("14401s", "out of range"),
        ("soon", "`soon` is not a duration"),
        (True, "must be a duration"),
        (1.5, "must be a duration"),
        (None, "must be a duration"),
    ],
)
def test_what_nobody_would_wait_is_refused(written, sentence):
    with pytest.raises(ValueError, match=sentence):
        wait(written)

"""Ages and sizes as plain blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.migrate.histogram import blocks, of_ages, of_sizes


def test_each_class_has_its_line() -> None:
    histogram = of_sizes()
    for size, taken in ((0, False), (1, True), (10**6, True), (10**6 + 1, False), (10**12, False)):
        histogram.add(size, taken)

    assert [
        "       erased 1 ░░░░░░░░",
        "       < 1 MB 1 ████████",
        "   1 - 100 MB 2 ████████░░░░░░░░",
        "   0.1 - 1 GB 0",
        "    1 - 10 GB 0",
        "  10 - 100 GB 0",
        "     > 100 GB 1 ░░░░░░░░",
    ] == list(blocks(histogram, 34))


def test_the_future_counts_as_young() -> None:
    histogram = of_ages()
    histogram.add(-5, False)

    assert 1 == histogram.seen[0]


def test_one_tape_among_a_million_is_seen() -> None:
    histogram = of_sizes()
    histogram.seen = [0, 1_000_000, 1, 0, 0, 0, 0]
    histogram.taken = [0, 1, 0, 0, 0, 0, 0]
    lines = list(blocks(histogram, 60))

    assert "█" == lines[1].split()[-1].rstrip("░")
    assert lines[2].endswith("1 ░")


@given(st.lists(st.integers(0, 10**14), max_size=30), st.integers(0, 200))
def test_no_line_is_wider_than_the_terminal_allows(sizes: list[int], width: int) -> None:
    histogram = of_sizes()
    for size in sizes:
        histogram.add(size, size % 2 == 0)

    assert all(len(line) <= max(width, 20) for line in blocks(histogram, width))


@pytest.mark.parametrize("width", [0, 10, 24])
def test_a_narrow_terminal_has_numbers_only(width: int) -> None:
    histogram = of_sizes()
    histogram.add(5, True)

    assert not any("█" in line for line in blocks(histogram, width))


def test_servers_add_up() -> None:
    one, two = of_ages(), of_ages()
    one.add(5, True)
    two.add(10**9, False)
    one.absorb(two)

    assert ([1, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 0]) == (one.seen, one.taken)

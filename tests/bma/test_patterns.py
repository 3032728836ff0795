"""No hostile line makes a pattern of an adapter go back and forth: its steps are counted, at one size and at twice that size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

import pytest

from tests.bma.movers import MOVERS, SHELF
from tests.bma.steps import Counter
from tests.bma.test_answers import SAID
from vtsconf.bma.bacula.meaning import MESSAGES
from vtsconf.bma.judging import LONGEST, shortened, whole_lines
from vtsconf.bma.netbackup import catalogue as netbackup
from vtsconf.bma.networker import catalogue as networker
from vtsconf.bma.tsm import catalogue as tsm

HEADS = [
    "", "           10  B  2016-04-01 02:17:31    /RetInit:x", "10  B  2016-04-01 02:17:31    /V", "10  B  2016-04-01 02:17:31    D A ",
    "-rw-r----- root root 72191 Apr 01 2016 02:17:31", "-rw-r----- ", " 123 01/02/2026 10:00:00 AM 1 1", " 123 01/02/26 10:00:00 1 1 V",
    "save: ", "Total number of objects deleted:", "Total number of objects archived: 1", "--- User Action is Required ---", "| nsrinfo: ",
    "  Media Class: ", "File size of restored file ", "EXIT STATUS 3", "Received 1", "'",
]  # fmt: skip
REPEATED = [
    " ", "1", "1 ", ",111", "/", "x", " Never", " Never ", " 2033-01-01", " 2033-01-01 ", " RetInit:x", " RetInit: ", "1 file(s) ", " A ", " A /",
    "Action [x] ", "Volume ID: ", "File size of restored file ", "Waiting for ", "\t", "\n", "1 file(s)\n", "'", "' -> '", "[", " 2026", "KB ",
]  # fmt: skip
SIZE = 160
FEW = 4  # steps a character: below that there is no square of it
OLD = (
    r" *(?:(?P<size>\d+)  ?B) +(?P<when>\d{4}-\d\d-\d\d +\d\d:\d\d:\d\d) +"
    r"(?P<rest>(?=.*RetInit:\w)/.* +(?:Never|\d{4}-\d\d-\d\d) .*RetInit:\w+.*|\S+ +[AI] +/.*)"
)


def texts():
    """Of every adapter: what its judge looks for."""
    for name, (_, mover) in MOVERS.items():
        for number, row in enumerate((getattr(mover, "TABLES", None) or mover.tables).rows()):
            if pattern := getattr(row, "pattern", ""):
                yield pytest.param(pattern, id=f"{name}-{number}")
    for number, row in enumerate(MESSAGES):
        yield pytest.param(row.pattern, id=f"bacula-{number}")


TEXTS = list(texts())
LINES = [  # asked once a line, from its beginning
    pytest.param(pattern, id=name)
    for name, pattern in {
        "tsm": tsm.ROW,
        "tsm-version": tsm._VERSION.pattern,
        "tsm-volume": tsm._VOLUME.pattern,
        "netbackup": netbackup.ROW,
        "networker": networker.ROW,
        "shelf": SHELF.written.locate.found,
    }.items()
]


def growth(
    pattern: str, how: str = "search", heads: Sequence[str] = HEADS, parts: Sequence[str] = REPEATED
) -> tuple[float, str]:
    """By how much the steps of the worst text grow when it is twice as long, and how it begins."""
    worst = (0.0, "")
    counter = Counter(pattern)
    for head, part in product(heads, parts) if counter.repeats else ():
        steps = []
        for size in (SIZE, 2 * SIZE):
            getattr(counter, how)(f"{head}{(part * size)[:size]}!\n")
            steps.append(counter.steps)
            if counter.steps < FEW * SIZE:
                break
        worst = max(worst, (steps[-1] / steps[0], head + part))
    return worst


@pytest.mark.parametrize("pattern", TEXTS)
def test_a_text_twice_as_long_takes_twice_the_steps(pattern):
    """Not four times, as with the square of its length."""
    times, text = growth(pattern)

    assert times < 2.6, text


@pytest.mark.parametrize("pattern", LINES)
def test_a_line_twice_as_long_takes_twice_the_steps(pattern):
    times, text = growth(rf"{pattern}$", "match")

    assert times < 2.6, text


@pytest.mark.parametrize(
    ("pattern", "head", "part"),
    [
        (OLD, HEADS[1], " "),
        (r"^save: .* (\d+) +file\(s\).*\ncompleted", "save: ", "1 file(s) "),
        (r"Volume.*JD", "", "Volume ID: "),
        (r"^[^|]*mminfo", "", "\n"),
    ],
)
def test_the_counting_sees_the_square(pattern, head, part):
    """Patterns that were here once."""
    assert growth(pattern, heads=[head], parts=[part])[0] > 3


@pytest.mark.parametrize("pattern", [*TEXTS, *LINES])
def test_the_counting_finds_what_re_finds(pattern):
    for said in SAID.values():
        for _, text in (said.good, said.none, said.away):
            assert Counter(pattern).search(text) is bool(re.search(pattern, text, re.MULTILINE))


def test_long_lines_are_no_rows_and_are_read_no_further():
    long, short = "x" * (LONGEST + 1), "y" * LONGEST
    text = f"{long}\n{short}\r\n{long}"

    assert ["", short] == whole_lines(f"{long}\n{short}\n{long}")
    assert max(map(len, shortened(text).split("\n"))) == LONGEST

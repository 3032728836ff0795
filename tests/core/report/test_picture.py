"""The timeline: everything at its place, nothing outside the paper, readable for three servers and for thousands."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.report import rollouts
from tests.core.report.rollouts import START, Run
from vtsconf.core.report.clock import Clock
from vtsconf.core.report.document import document
from vtsconf.core.report.picture import timeline
from vtsconf.core.report.picture.canvas import spread
from vtsconf.core.report.picture.scale import scale
from vtsconf.core.report.picture.shape import LEFT, RIGHT, WIDTH, cut

BERLIN = ZoneInfo("Europe/Berlin")
RUNS = [rollouts.stopped, rollouts.done, rollouts.paused, rollouts.applied, rollouts.hostile]
LARGE = [lambda: rollouts.fleet(100, 25), lambda: rollouts.fleet(1000, 8), lambda: rollouts.fleet(600, 600)]


def figures(run: Run):
    one = document(run.name, run.events, run.plans, {})
    return timeline(one, Clock(zone=BERLIN, day=one["started"]))


def bars(run: Run):
    return [box for figure in figures(run) for box in figure.boxes if box.look.startswith("o-")]


@pytest.mark.parametrize("make", [*RUNS, *LARGE])
def test_everything_is_on_the_paper(make):
    for figure in figures(make()):
        for box in figure.boxes:
            assert 0 <= box.x <= box.x + box.width <= WIDTH + 0.5
            assert 0 <= box.y <= box.y + box.height <= figure.height
        for item in (*figure.texts, *figure.marks):
            assert 0 <= item.x <= WIDTH
            assert 0 <= item.y <= figure.height


@pytest.mark.parametrize("make", [*RUNS, *LARGE])
def test_a_figure_fits_on_a_printed_page(make):
    assert all(figure.height <= WIDTH * 1.35 for figure in figures(make()))


def test_a_bar_goes_from_the_beginning_of_a_server_to_its_end():
    run = Run("r", ["a", "b"], [["a", "b"]])
    run.wave(1)
    run.change(["a", "b"], [10.0, 20.0], b={"outcome": "failed", "seconds": 20.0})
    run.finish("done")
    first, second = bars(run)

    assert ("o-changed", "o-failed") == (first.look, second.look)
    assert first.x == second.x
    assert second.width == pytest.approx(2 * first.width, rel=0.01)
    assert "b: failed, from 09:00:00 (08:00:00Z), 20 s" == second.says


def test_a_server_that_was_not_heard_of_has_a_bar_to_the_last_event():
    _, open_bar = bars(rollouts.paused())

    assert "o-in-doubt" == open_bar.look
    assert "its end was not heard of" in open_bar.says


def test_a_soak_time_of_hours_does_not_hide_work_of_seconds():
    canary, second, *_ = bars(rollouts.stopped())
    (figure,) = figures(rollouts.stopped())

    assert min(canary.width, second.width) > 30
    assert {"30 min", "7 min", "10 min"} <= {text.text for text in figure.texts if text.look == "gap"}
    assert ["soak time: 30 min"] == [box.says for box in figure.boxes if box.look == "soak"]
    assert ["paused for 10 min: looking at vts03"] == [
        box.says for box in figure.boxes if box.look == "pause"
    ]


def test_gates_and_decisions_are_marked():
    (figure,) = figures(rollouts.stopped())
    signs = [mark.sign for mark in figure.marks]

    assert ["run-started", "approved", "paused", "resumed", "stopped", "run-finished"] == signs[:6]
    assert ["pass", "pass", "fail"] == signs[6:]


@pytest.mark.parametrize("make", [*RUNS, lambda: rollouts.fleet(100, 25)])
def test_each_server_that_was_begun_has_its_row_and_its_outcome_in_words(make):
    run = make()
    one = document(run.name, run.events, run.plans, {})
    rows = [text for figure in figures(run) for text in figure.texts]
    names = [text.says for text in rows if text.look == "name"]
    words = [text for text in rows if text.look.startswith("word o-")]
    begun = [server["host"] for server in one["servers"] if server["tries"]]

    assert set(begun) <= set(names)
    assert len(set(names)) == len(names) == len(words)


def test_thousands_of_servers_are_counted_wave_by_wave():
    found = figures(rollouts.fleet(1000, 8))
    waves = [text.text for figure in found for text in figure.texts if text.look == "wave"]

    assert ("Waves 1–4", 32) == (waves[0], len(waves))
    assert sum(len(figure.boxes) for figure in found) < 10_000


def test_what_failed_is_seen_among_hundreds():
    hosts = [f"vts{number}" for number in range(400)]
    run = Run("r", hosts, [hosts])
    run.wave(1)
    run.change(hosts, [3.0] * 400, vts7={"outcome": "failed"})
    run.finish("done")
    (failed,) = [box for box in bars(run) if box.look == "o-failed"]

    assert "1 failed" == failed.says
    assert failed.height >= 2


def test_a_run_in_which_nothing_was_begun_has_no_picture():
    assert [] == figures(Run("r", ["a"], [["a"]]))


MOMENTS = st.floats(min_value=START, max_value=START + 1e6, allow_nan=False)
INTERVALS = st.lists(st.tuples(MOMENTS, st.floats(min_value=0, max_value=5000)), min_size=1, max_size=60)


@given(INTERVALS)
@settings(max_examples=200, deadline=None)
def test_time_goes_from_left_to_right_and_all_work_has_a_place(drawn):
    busy = [(start, start + length) for start, length in drawn]
    axis = scale(busy, left=LEFT, right=RIGHT)
    places = [axis.x(moment) for moment in sorted({moment for one in busy for moment in one})]

    assert all(before <= after for before, after in pairwise(places))
    assert LEFT <= places[0] <= places[-1] <= RIGHT + 0.01
    assert axis.right == pytest.approx(RIGHT)
    ticks = axis.ticks(58)
    assert ticks
    assert all(axis.x(b) - axis.x(a) >= 58 for a, b in pairwise(ticks))


@given(st.lists(st.floats(min_value=LEFT, max_value=RIGHT), min_size=1, max_size=30).map(sorted))
def test_marks_are_moved_apart_and_stay_in_order(places):
    moved = spread(places, 15, LEFT, RIGHT)

    assert all(after - before >= 14.98 for before, after in pairwise(moved))
    assert moved[-1] <= RIGHT


def test_long_names_keep_both_ends():
    assert "vts-very-l….example-17" == cut("vts-very-long-name-of-a-server.example-17", 22)
    assert "short" == cut("short", 22)

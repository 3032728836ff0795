"""The report in a real browser: it opens in silence, asks for nothing, holds every server, and prints."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.core.report import rollouts
from tests.core.report.markup import read
from tests.core.report.rollouts import OPS, START, Run
from tests.real.chromium import Chromium, pages_of
from vtsconf.core.printable import visible
from vtsconf.core.report.document import document
from vtsconf.core.report.page import page
from vtsconf.engine.share import template

MADE = {"at": START + 9000, "by": OPS, "version": "1.2"}


def written(run: Run, folder: Path, change=lambda text: text) -> Path:
    text = page(document(run.name, run.events, run.plans, MADE), template, ZoneInfo("Europe/Berlin"))
    path = folder / "report.html"
    path.write_text(change(text), encoding="utf-8")
    return path


@pytest.mark.parametrize("make", [rollouts.stopped, rollouts.hostile])
def test_it_opens_in_silence_and_holds_every_server(make, tmp_path):
    run = make()
    seen = Chromium(tmp_path).open(written(run, tmp_path))
    dom = read(seen.dom)
    (table,) = dom.all("table", class_="servers")
    named = [next(row.all("th")).text for row in next(table.all("tbody")).all("tr")]

    assert ([], []) == (seen.console, seen.asked)
    assert [visible(name) for name in run.events[0].body["hosts"]] == named
    assert [] == list(dom.all("script"))


def test_ten_thousand_servers_open_too(tmp_path):
    run = rollouts.fleet(10_000, 500)
    seen = Chromium(tmp_path).open(written(run, tmp_path))

    assert ([], []) == (seen.console, seen.asked)
    assert [] == [name for name in run.events[0].body["hosts"] if name not in seen.dom]


@pytest.mark.parametrize(
    ("make", "least", "most"),
    [(rollouts.done, 3, 6), (rollouts.stopped, 5, 10), (lambda: rollouts.fleet(600, 60), 5, 14)],
)
def test_it_prints_on_a_sane_number_of_pages(make, least, most, tmp_path):
    paper = Chromium(tmp_path).print(written(make(), tmp_path))

    assert paper.startswith(b"%PDF-")
    assert least <= pages_of(paper) <= most


def test_the_browser_itself_refuses_what_a_page_should_not_ask_for(tmp_path):
    remote = '<img src="https://elsewhere.example/pixel.png"></footer>'
    seen = Chromium(tmp_path).open(
        written(rollouts.done(), tmp_path, lambda text: text.replace("</footer>", remote))
    )

    assert [] == seen.asked
    assert any("Content Security Policy" in line for line in seen.console)


def test_a_page_that_asks_for_something_would_be_noticed(tmp_path):
    path = tmp_path / "asks.html"
    path.write_text('<!DOCTYPE html><link rel="stylesheet" href="https://elsewhere.example/x.css">')

    assert {"https://elsewhere.example/x.css"} == set(Chromium(tmp_path).open(path).asked)

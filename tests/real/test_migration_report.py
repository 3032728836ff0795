"""The report of a run of jobs in a real browser: it opens in silence, asks for nothing, and prints."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from tests.core.report.migrations import HOSTILE, MADE, RUN, events, row
from tests.real.chromium import Chromium, pages_of
from vtsconf.core.migrate.job import Status
from vtsconf.core.report.migration import document
from vtsconf.core.report.migrationview import page
from vtsconf.engine.share import template


def test_it_opens_in_silence_and_prints(tmp_path: Path) -> None:
    rows = [row(n, Status.FAILED if n % 20 == 0 else Status.DONE, said=HOSTILE) for n in range(200)]
    path = tmp_path / "report.html"
    path.write_text(
        page(document(RUN, events(rows), rows, [], MADE), template, ZoneInfo("Europe/Berlin")),
        encoding="utf-8",
    )
    browser = Chromium(tmp_path)
    seen = browser.open(path)

    assert ([], []) == (seen.console, seen.asked)
    assert [] == [r["cartridge"] for r in rows if r["cartridge"] not in seen.dom]
    assert 2 <= pages_of(browser.print(path)) <= 8

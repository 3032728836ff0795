"""The page: all of it escaped, nothing outside of it asked for, everything in it that the document has."""

from __future__ import annotations

import json
import re
from datetime import timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.core.report import rollouts
from tests.core.report.markup import dangers, read
from tests.core.report.rollouts import LEAKED, OPS, START, Run
from vtsconf.core.printable import visible
from vtsconf.core.report.document import document, text
from vtsconf.core.report.page import page
from vtsconf.core.templates.page import page as render
from vtsconf.engine.share import template

BERLIN = ZoneInfo("Europe/Berlin")
MADE = {"at": START + 9000, "by": OPS, "version": "1.2"}
RUNS = [rollouts.stopped, rollouts.done, rollouts.paused, rollouts.applied, rollouts.hostile]
TEMPLATES = sorted((Path(__file__).parents[3] / "templates" / "report").iterdir())


def told(run: Run):
    return document(run.name, run.events, run.plans, MADE)


def shown(run: Run, zone=BERLIN):
    return read(page(told(run), template, zone))


@pytest.mark.parametrize("make", RUNS)
def test_nothing_in_it_runs_or_asks_for_anything_outside(make):
    assert [] == dangers(shown(make()))


def test_that_check_finds_what_it_looks_for():
    bad = '<p onclick="x"><img src="https://x/y.png"><style>@import "x"; a{background:url(x.png)}</style><a href="x">'

    assert 6 == len(dangers(read(bad + "</a></p>")))


@pytest.mark.parametrize("make", [rollouts.stopped, rollouts.done, rollouts.paused, rollouts.applied])
def test_a_usual_page_holds_no_address_of_the_web(make):
    assert [] == re.findall(r"https?://\S*", page(told(make()), template, BERLIN))


def test_the_browser_is_told_to_ask_for_nothing():
    policy = next(shown(rollouts.done()).all("meta", **{"http-equiv": "Content-Security-Policy"}))

    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" == policy.attributes["content"]


@pytest.mark.parametrize("make", RUNS)
def test_every_server_stands_once_in_the_table_with_its_outcome(make):
    one = told(make())
    (table,) = read(page(one, template, BERLIN)).all("table", class_="servers")
    body = next(table.all("tbody")).all("tr")
    rows = [(next(row.all("th")).text, next(row.all("span", class_="badge")).text) for row in body]
    words = {"skipped": "never tried"}

    assert [(visible(s["host"]), words.get(s["outcome"], s["outcome"])) for s in one["servers"]] == rows


def test_hostile_names_and_reasons_are_text_one_can_see():
    run = rollouts.hostile()
    whole = shown(run)

    for name in rollouts.EVIL:
        assert visible(name) in whole.text
    assert "\\u202e" in whole.text
    assert not [c for c in page(told(run), template, BERLIN) if c in "\x00\x07\x1b\u202e\u2066\u200f\udc80"]


def test_the_page_can_be_written_whatever_the_names_are():
    assert page(told(rollouts.hostile()), template, BERLIN).encode("utf-8")


def test_what_looks_like_a_secret_is_not_on_the_page():
    whole = page(told(rollouts.hostile()), template, BERLIN)

    assert [] == [leak for leak in LEAKED if leak in whole]
    assert "[not shown: looks like a secret]" in whole


@pytest.mark.parametrize("make", RUNS)
def test_a_page_made_from_the_file_is_the_same_page(make):
    one = told(make())

    assert page(one, template, BERLIN) == page(json.loads(text(one)), template, BERLIN)


def test_the_head_says_how_it_ended_and_which_data_belongs_to_it():
    one = told(rollouts.stopped())
    whole = read(page(one, template, BERLIN))
    (head,) = whole.all("p", class_="verdict")

    assert f"Stopped {one['verdict']}" == head.text
    assert one["digest"] in whole.text
    assert "It is no signature" in whole.text
    assert "as the controllers reported them" in whole.text
    assert "en" == next(whole.all("html")).attributes["lang"]
    assert "Rollout 20261125-080000-ab12: Stopped" == next(whole.all("title")).text


@pytest.mark.parametrize(
    ("make", "word"),
    [(rollouts.paused, "Paused"), (rollouts.done, "Done"), (rollouts.applied, "Ended with failures")],
)
def test_the_state_is_the_first_word(make, word):
    (head,) = shown(make()).all("span", class_="state")

    assert word == head.text


def test_times_are_told_here_with_the_offset_and_in_utc():
    whole = shown(rollouts.done())
    far = shown(rollouts.done(), timezone(timedelta(hours=-5, minutes=-30)))

    assert "2026-11-25 09:00:00 +01:00" in whole.text
    assert "2026-11-25 08:00:00Z" in whole.text
    assert "2026-11-25 02:30:00 -05:30" in far.text


def test_all_that_was_decided_asked_and_planned_is_on_the_page():
    whole = shown(rollouts.stopped()).text

    for words in (
        "canary looks good, CHG0031337",
        "a disk, not us",
        "exit 3: ems is not running (pid file is stale)",
        "mount: /VAULT02: can't read superblock",
        "+Ask the VTS team before you log in.",
        "keyed:99aa88bb77cc",
        "10% of all servers may fail",
        "servers that are changed already keep the change",
        "whoever approves is not who started",
        "4f1c09a7be21",
        "/usr/local/tape/ems status",
        json.loads(rollouts.plan_of("vts01"))["hosts"][0]["steps"][0]["before"]["digest"],
        json.loads(rollouts.plan_of("vts01"))["hosts"][0]["steps"][0]["after"]["digest"],
    ):
        assert words in whole


def test_a_restart_that_is_owed_is_told():
    run = Run("r", ["a"], [["a"]])
    run.wave(1)
    run.change(["a"], [1.0], a={"outcome": "changed", "debts": ["ems"]})
    run.finish("done")

    assert "restart owed ems" in shown(run).text


def test_tables_have_heads_and_pictures_have_titles():
    whole = shown(rollouts.stopped())

    for table in whole.all("table"):
        assert all(cell.attributes.get("scope") == "col" for cell in next(table.all("thead")).all("th"))
    pictures = list(whole.all("svg", role="img"))
    for picture in pictures:
        assert picture.attributes["aria-labelledby"].split() == [
            next(picture.all(name)).attributes["id"] for name in ("title", "desc")
        ]
    assert pictures


def test_ten_thousand_servers_fit_on_a_page_and_each_is_named():
    run = rollouts.fleet(10_000, 500, planned=300)
    one = told(run)
    whole = page(one, template, BERLIN)
    named = read(whole).text

    assert len(whole) < 2_000_000
    assert [] == [server["host"] for server in one["servers"] if server["host"] not in named]
    assert "in the JSON document" in named


def test_a_thousand_waves_and_long_reasons_stay_small():
    hosts = [f"vts{number}" for number in range(2000)]
    run = Run("r", hosts, [hosts[start : start + 2] for start in range(0, 2000, 2)])
    for number, wave in enumerate(run.waves, 1):
        run.wave(number)
        run.change(
            wave, [1.0, 2.0], **{host: {"outcome": "failed", "reason": f"{host} " * 2000} for host in wave}
        )
        run.add("paused", by=OPS, why="x" * 10_000)
        run.add("resumed", by=OPS, why="y" * 10_000)
    run.finish("done")

    assert len(page(told(run), template, BERLIN)) < 5_000_000


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_templates_switch_no_escaping_off(path):
    assert not re.search(r"\|\s*safe\b|autoescape|Markup|<script", path.read_text())


def test_a_page_escapes_and_shows_what_cannot_be_seen():
    source = "{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}{{ a }} {{ m(a) }} {{ n }}"

    assert "&lt;b&gt;\\x07 <i>&lt;b&gt;\\x07</i> 3" == render(
        "x", {"x": source}.get, {"a": "<b>\x07", "n": 3}
    )

"""The report of a run in a journal: found, gathered, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.report import rollouts
from tests.core.report.rollouts import OPS, START, Run
from vtsconf.core.errors import Refused, Usage, VtsconfError
from vtsconf.core.report.document import digest
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
from vtsconf.engine.report import gather, write_report


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(f"sqlite:///{tmp_path}/vtsconf.db")


def keep(journal: Journal, run: Run) -> None:
    journal.add_all(run.events)
    journal.keep_plans(run.name, run.plans)


def told(journal: Journal, wanted: str | None):
    return gather(journal, wanted, now=START + 9000, by=OPS, version="1.2")


def test_a_run_is_found_by_its_first_letters_or_is_the_last(journal):
    for make in (rollouts.applied, rollouts.stopped, rollouts.done):
        keep(journal, make())

    keep(journal, Run("20261125-090000-cd34-back", ["vts1"], [["vts1"]], command="rollback"))

    assert "20261120-070000-0001" == told(journal, "20261120")["run"]
    assert "20261125-090000-cd34-back" == told(journal, "20261125-090000-cd34-back")["run"]
    assert "20261125-080000-ab12" == told(journal, "20261125-080000-ab12")["run"]
    assert "20261125-090000-cd34" == told(journal, None)["run"]
    for wrong, said in (("20261125", "2 runs in the journal begin"), ("x", "no runs in the journal begin")):
        with pytest.raises(Usage, match=said):
            told(journal, wrong)


def test_an_empty_journal_has_no_report_and_is_not_made(journal, tmp_path):
    with pytest.raises(Usage, match="no run is in the journal"):
        told(journal, None)

    assert [] == list(tmp_path.iterdir())


def test_a_run_of_another_controller_is_not_told_by_halves(journal):
    journal.add(Event(at=9, run="r1", action="host-settled", host="a", body={"outcome": "changed"}))

    with pytest.raises(Refused, match="begun by another controller"):
        told(journal, "r1")


def test_the_journal_gives_what_the_events_say(journal):
    run = rollouts.stopped()
    keep(journal, run)
    one = told(journal, run.name)

    assert (len(run.events), 20, 19) == (
        one["events"],
        len(one["servers"]),
        sum(1 for server in one["servers"] if server["planned"]),
    )
    assert one["verdict"].startswith("3 of 20 servers changed and confirmed")


def test_page_and_document_are_written_and_belong_together(journal, tmp_path):
    keep(journal, rollouts.stopped())
    html, data = tmp_path / "CHG1.html", tmp_path / "CHG1.json"
    html.write_text("an older one")
    one = told(journal, None)

    assert [html, data] == write_report(one, html=html, json_file=data)
    assert one["digest"] == digest(json.loads(data.read_text("ascii")))
    assert one["digest"] in html.read_text("utf-8")
    assert {"CHG1.html", "CHG1.json"} == {path.name for path in tmp_path.glob("*CHG1*")}


def test_hostile_names_can_be_written(journal, tmp_path):
    run = rollouts.hostile(
        [name for name in rollouts.EVIL if not set(name) & {"\0", "\udc80"}]
    )  # no store takes those
    keep(journal, run)
    write_report(told(journal, None), html=tmp_path / "r.html", json_file=tmp_path / "r.json")
    read = json.loads((tmp_path / "r.json").read_text("ascii"))

    assert run.events[0].body["hosts"] == [server["host"] for server in read["servers"]]


@pytest.mark.parametrize("place", ["nowhere/r.html", "folder", "file/r.html"])
def test_a_place_that_cannot_be_written_is_a_sentence_and_leaves_nothing(journal, tmp_path, place):
    keep(journal, rollouts.done())
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    before = sorted(tmp_path.iterdir())

    with pytest.raises(VtsconfError, match="the report cannot be written to"):
        write_report(told(journal, None), html=tmp_path / place)

    assert before == sorted(tmp_path.iterdir())

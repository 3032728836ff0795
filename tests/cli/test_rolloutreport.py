"""`vtsconf rollout report`: which files it writes, what it prints, what it says when there is nothing to tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.report import rollouts
from tests.e2e.conftest import Vtsconf
from vtsconf.core.outcome import Exit
from vtsconf.engine.journal import Journal


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a journal of two runs; we stand in it."""
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1: {}}}\n")
    journal = Journal(f"sqlite:///{tmp_path}/.vtsconf/vtsconf.db")
    for run in (rollouts.applied(), rollouts.stopped(6)):
        journal.add_all(run.events)
        journal.keep_plans(run.name, run.plans)
    journal.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"inventory.yaml", ".vtsconf"}


def test_without_a_word_it_is_the_page_of_the_last_run(vtsconf: Vtsconf, project: Path) -> None:
    ended = vtsconf("rollout", "report")

    assert Exit.DONE == ended.code
    assert "stopped by gate services/ems" in ended.out
    assert {"rollout-20261125-080000-ab12.html"} == written(project)


def test_page_and_document_go_where_they_are_told_to(vtsconf: Vtsconf, project: Path) -> None:
    ended = vtsconf("rollout", "report", "20261120", "--html", "a.html", "--json-file", "a.json")
    told = json.loads((project / "a.json").read_text())

    assert (Exit.DONE, {"a.html", "a.json"}) == (ended.code, written(project))
    assert told["digest"] in ended.out
    assert "20261120-070000-0001" == told["run"]


def test_json_is_the_document_and_nothing_else(vtsconf: Vtsconf, project: Path) -> None:
    told = json.loads(vtsconf("rollout", "report", "--json").out)

    assert ("vtsconf/rollout-report/1", set()) == (told["format"], written(project))


def test_a_run_that_is_not_there_is_a_sentence(vtsconf: Vtsconf, project: Path) -> None:
    ended = vtsconf("rollout", "report", "1999")

    assert Exit.USAGE == ended.code
    assert "no runs in the journal begin with '1999'" in ended.err

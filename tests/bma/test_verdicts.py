"""Runs tests/cases/NAME/verdicts and tests/cases/NAME/located: what a BMA said, and what that means."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.bma.movers import MOVERS
from vtsconf.bma.contract import Located, Output

CASES = Path(__file__).parent.parent / "cases"


def read(path):
    return YAML(typ="safe", pure=True).load(path.read_text())


VERDICTS = [
    pytest.param(name, path.stem, row, id=f"{name}-{path.stem}-{number}")
    for name in MOVERS
    for path in sorted((CASES / name / "verdicts").glob("*.yaml"))
    for number, row in enumerate(read(path), 1)
]
LOCATED = [
    pytest.param(name, read(path), id=f"{name}-{path.stem}")
    for name in MOVERS
    for path in sorted((CASES / name / "located").glob("*.yaml"))
]


@pytest.mark.parametrize(("name", "action", "row"), VERDICTS)
def test_what_it_means(name, action, row):
    settings, mover = MOVERS[name]
    output = Output(exit=row["exit"], text=row["text"], is_cut=row.get("cut", False))
    judged = mover.judge(settings, action, output, [f"/V/P/{n}" for n in range(row.get("tapes", 1))])

    assert row["verdict"] == judged.verdict
    assert row.get("reason", "") in judged.reason
    assert row.get("proof", "") in judged.proof
    assert row.get("sure", judged.sure) == judged.sure
    assert judged.source


@pytest.mark.parametrize(("name", "case"), LOCATED)
def test_what_the_catalogue_shows(name, case):
    settings, mover = MOVERS[name]
    output = Output(exit=0, text=case["text"])
    shown = mover.located(settings, output, case["paths"], case["token"])

    assert [Located(**copy) for copy in case["copies"]] == list(shown)


@pytest.mark.parametrize(("name", "case"), LOCATED)
def test_an_answer_whose_middle_is_missing_shows_nothing(name, case):
    settings, mover = MOVERS[name]
    output = Output(exit=0, text=case["text"], is_cut=True)

    assert [] == list(mover.located(settings, output, case["paths"], case["token"]))


@pytest.mark.parametrize(("name", "case"), LOCATED)
def test_an_answer_cut_anywhere_shows_no_more_than_the_whole(name, case):
    """And never another size: what is not a whole line is none."""
    settings, mover = MOVERS[name]
    whole = [asdict(Located(**copy)) for copy in case["copies"]]
    for end in range(0, len(case["text"]), 7):
        output = Output(exit=0, text=case["text"][:end])
        shown = mover.located(settings, output, case["paths"], case["token"])

        for copy in map(asdict, shown):
            assert any(
                copy | {"media": ""} == one | {"media": ""} and copy["media"] in one["media"] for one in whole
            )

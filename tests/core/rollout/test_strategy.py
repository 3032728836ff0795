"""Strategies: what their YAML means, what is wrong with it, and how the journal keeps them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from vtsconf.core.document import read_document
from vtsconf.core.rollout.gate import Question
from vtsconf.core.rollout.strategy import Gates, Share, Strategy, strategy_of, to_json
from vtsconf.core.rollout.written import read
from vtsconf.core.tree import plain
from vtsconf.core.window import Window
from vtsconf.resources.schema import rollout_schema

ROOT = Path(__file__).parents[3]
BUILT_IN = sorted((ROOT / "schemas" / "rollouts").glob("*.yaml"))
SCHEMA = rollout_schema()


def cases(name):
    root, problems = read_document((ROOT / "tests" / "cases" / "rollouts" / name).read_bytes(), name)
    assert problems == []
    return [pytest.param(case, id=case["name"]) for case in plain(root)]


def laid(under, over):
    """A map with what another changes of it."""
    changed = {
        key: laid(under[key], value) if isinstance(value, dict) and under[key] else value
        for key, value in over.items()
    }
    return {**under, **changed}


def meant(case):
    """The whole strategy that a case stands for, as JSON."""
    silent, _ = read("", "x.yaml", "x")
    document = laid(to_json(silent), case["means"])
    if document["gates"]:
        document["gates"]["checks"] = [
            laid(Question(gate="").to_json(), check) for check in document["gates"]["checks"]
        ]
    return document


def faults(text):
    """Whether an editor would mark something."""
    root, _ = read_document(text, "x.yaml")
    return [*Draft202012Validator(SCHEMA).iter_errors(plain(root) if root else None)]


@pytest.mark.parametrize("case", cases("good.yaml"))
def test_what_is_written_is_what_is_meant(case):
    strategy, problems = read(case["text"], "rollouts/x.yaml", "x")

    assert problems == []
    assert meant(case) == to_json(strategy)


@pytest.mark.parametrize("case", cases("broken.yaml"))
def test_all_that_is_wrong_is_told_with_its_place(case):
    strategy, problems = read(case["text"], "rollouts/x.yaml", "x")
    problems.sort(key=lambda problem: (problem.place.line, problem.place.column))

    assert strategy is None
    assert case["problems"] == [f"{p.place.line}:{p.place.column} {p.what} | {p.remedy}" for p in problems]
    assert {"rollouts/x.yaml"} == {problem.place.file for problem in problems}


def test_a_strategy_that_says_nothing_tolerates_no_failure_and_asks():
    strategy, _ = read("", "x.yaml", "x")

    assert Strategy(name="x", max_failures=Share(), gates=Gates()) == strategy


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_the_built_in_strategies_are_good(path):
    strategy, problems = read(path.read_bytes(), path.name, path.stem)

    assert problems == []
    assert path.stem == strategy.name


def test_the_built_in_strategies_are_what_is_said_of_them():
    every, canary, careful = (read(path.read_bytes(), path.name, path.stem)[0] for path in BUILT_IN)

    assert Strategy() == every
    assert ("1", 600, "keep", 0) == (
        canary.canary,
        canary.canary_soak,
        canary.on_failure,
        canary.max_failures.tolerated(100),
    )
    assert ["10%", "100%"] == [str(share) for share in canary.waves]
    assert ("1", "revert", ("canary",), True) == (
        careful.canary,
        careful.on_failure,
        careful.approve,
        careful.gates.event_log,
    )
    assert ["1", "5%", "25%"] == [str(share) for share in careful.waves]


def test_the_committed_schema_is_the_one_that_the_model_makes():
    committed = (ROOT / "schemas" / "rollout.schema.json").read_text()

    assert json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n" == committed, "stale: run `make schemas`"


def test_it_is_a_schema_of_its_draft():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("case", cases("good.yaml"))
def test_an_editor_marks_nothing_that_is_good(case):
    assert [] == faults(case["text"])


@pytest.mark.parametrize("case", cases("broken.yaml"))
def test_an_editor_marks_what_is_wrong(case):
    assert case.get("marked", True) == bool(faults(case["text"]))


def test_every_key_is_described():
    described = [
        (name, key)
        for name, part in {"": SCHEMA, **SCHEMA["$defs"]}.items()
        for key, value in part.get("properties", {}).items()
        if "description" not in value
    ]

    assert [("Check", "timeout"), ("EventLog", "path"), ("EventLog", "severities")] == [
        pair for pair in described if pair[0] != "Window"
    ]


def test_the_page_about_strategies_shows_only_good_ones():
    page = (ROOT / "docs" / "rollouts.md").read_text()
    texts = re.findall(r"```yaml\n(# rollouts/.*?)```", page, re.DOTALL)

    assert len(texts) >= 2
    assert [] == [problem for text in texts for problem in read(text, "docs/rollouts.md", "x")[1]]


def test_shares_of_a_fleet():
    tenth, three = Share.parse("10%"), Share.parse("3")

    assert [1, 1, 2, 10] == [tenth.of(total) for total in (1, 10, 11, 100)]
    assert [1, 3, 3] == [three.of(total) for total in (1, 3, 100)]
    assert [0, 0, 1, 10] == [tenth.tolerated(total) for total in (1, 9, 10, 100)]
    assert [0, 0] == [Share.parse("0").tolerated(100), Share.parse("0%").tolerated(100)]
    assert 33 == Share.parse("1.1%").of(3000)  # 33.00000000000001 in floating point


@given(st.integers(1, 100_000), st.integers(1, 10_000))
def test_a_percentage_is_rounded_up_for_a_wave_and_down_for_failures(total, hundredths):
    share = Share.parse(f"{hundredths / 100}%")
    exact = total * hundredths

    assert max(1, -(-exact // 10_000)) == share.of(total)
    assert exact // 10_000 == share.tolerated(total)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
words = st.lists(texts, max_size=3).map(tuple)
shares = st.builds(Share, number=st.integers(0, 10**6)) | st.builds(Share, percent=st.floats(0.01, 100))
questions = st.builds(
    Question,
    gate=texts,
    kind=st.sampled_from(["command", "event-log"]),
    argv=words,
    on=st.sampled_from(["server", "controller", "once"]),
    timeout=st.integers(1, 14_400),
    pattern=texts,
    exit_counts=st.booleans(),
    unsure=st.lists(st.integers(1, 255), max_size=3).map(tuple),
)
windows = (
    st.tuples(st.integers(0, 1439), st.integers(0, 1439), st.sets(st.integers(0, 6)))
    .filter(lambda times: times[0] != times[1])
    .map(lambda t: Window(start=t[0], end=t[1], days=tuple(sorted(t[2])), timezone="Europe/Berlin"))
)
gates = st.builds(
    Gates,
    health=st.booleans(),
    services=st.booleans(),
    bma=st.booleans(),
    event_log=st.booleans(),
    event_log_path=texts,
    severities=words,
    ignore=words,
    checks=st.lists(questions, max_size=3).map(tuple),
)
any_strategy = st.builds(
    Strategy,
    name=texts,
    canary=texts,
    canary_soak=st.integers(0, 10**7),
    waves=st.lists(shares, min_size=1, max_size=4).map(tuple),
    soak=st.integers(0, 10**7),
    apart=words,
    max_failures=st.none() | shares,
    on_failure=st.sampled_from(["keep", "revert"]),
    window=st.none() | windows,
    approve=st.lists(st.sampled_from(["start", "canary", "each"]), unique=True).map(tuple),
    four_eyes=st.booleans(),
    gates=st.none() | gates,
)


@given(any_strategy)
def test_a_strategy_survives_the_journal(strategy):
    assert strategy == strategy_of(json.loads(json.dumps(to_json(strategy))))


@given(any_strategy)
def test_what_a_later_version_adds_is_passed_over(strategy):
    document = to_json(strategy)
    for part in (
        document,
        document["gates"],
        document["window"],
        document["max_failures"],
        *document["waves"],
    ):
        if part is not None:
            part["later"] = {"a": 1}

    assert strategy == strategy_of(document)


def test_what_an_earlier_version_did_not_write_is_as_usual():
    assert Strategy(name="x", soak=5) == strategy_of({"name": "x", "soak": 5})


@pytest.mark.parametrize(
    "wrong", [{"soak": "long"}, {"window": {"start": 5, "end": 5}}, {"approve": ["never"]}]
)
def test_what_is_not_a_strategy_is_refused(wrong):
    with pytest.raises(ValueError, match="validation error"):
        strategy_of(asdict(Strategy()) | wrong)

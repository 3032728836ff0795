"""Runs tests/cases/migrate/decisions.yaml: one policy, one tape, one answer with its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.core.migrate.asked import NOW, proof, tape
from vtsconf.core.migrate.decide import decide
from vtsconf.core.migrate.grid import elsewhere
from vtsconf.core.migrate.judge import Judge
from vtsconf.core.migrate.why import Why
from vtsconf.core.migrate.words import reason
from vtsconf.engine.migrate.policies import policy_of
from vtsconf.resources.policies import Policy

CASES = YAML(typ="safe").load(Path(__file__).parents[2] / "cases" / "migrate" / "decisions.yaml")
BEFORE_IT_IS_ASKED = {Why.UNSPEAKABLE, Why.NO_TAPE, Why.STRANGE}


def given(case: dict[str, Any]) -> tuple[Any, Any, Any]:
    policy = policy_of("it", Policy(**case["policy"]), is_allowed=case.get("allowed", False))
    values = dict(case.get("tape", {}))
    if name := values.pop("bytes", ""):
        values["path"] = name.encode("latin-1").decode("utf-8", "surrogateescape")
    one = tape(**values)
    written = case.get("proof")
    if written is None:
        return policy, one, None
    return policy, one, proof(one, **{"witnesses": ("bma", "catalogue"), **written})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_policy_answers_and_says_why(case: dict[str, Any]) -> None:
    policy, one, known = given(case)
    uses = {one.path: case["use"]} if "use" in case else {}
    judge = Judge([policy], NOW, proofs={one.path: known}.get, uses=uses)

    ((_, why, _),) = judge.verdicts(one)

    assert (case["case"], Why[case["why"]]) == (case["case"], why)
    if "says" in case:
        assert case["says"] == reason(policy, why, one, proof=known, now=NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_plain_question_has_the_same_answer(case: dict[str, Any]) -> None:
    policy, one, known = given(case)
    expected = Why[case["why"]]
    if expected in BEFORE_IT_IS_ASKED:
        return

    why = elsewhere(policy, one)

    assert expected == (
        decide(policy, one, proof=known, now=NOW, use=case.get("use", "")) if why is None else why
    )


def test_every_answer_has_a_case_and_a_word() -> None:
    assert set(Why) - {Why.SHADOWED} == {Why[case["why"]] for case in CASES}
    assert all(why.word for why in Why)

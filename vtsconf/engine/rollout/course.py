"""From a plan and a strategy to what will happen: waves over its servers, and the questions of their gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vtsconf.core.errors import Invalid
from vtsconf.core.plan import Plan
from vtsconf.core.problem import errors
from vtsconf.core.rollout.gate import Question
from vtsconf.core.rollout.strategy import Gates, Strategy
from vtsconf.engine.prepare import prepare
from vtsconf.engine.project import Project
from vtsconf.engine.rollout.begin import Course
from vtsconf.engine.rollout.questions import questions_of
from vtsconf.engine.rollout.strategies import find, plan_waves


def course_of(plan: Plan, strategy: str, project: Project, *, why: str = "") -> Course:
    """Raises Usage for a strategy that is not there, Invalid where it or the documents are wrong."""
    found = find(strategy, project)
    waves, has_canary = plan_waves(plan, found, project)
    hosts = [host for wave in waves for host in wave]
    questions = _questions(hosts, found.gates, project) if found.gates else {}
    return Course(
        command="rollout", waves=waves, strategy=_discreet(found, questions), has_canary=has_canary,
        questions=questions, why=why,
    )  # fmt: skip


def _discreet(strategy: Strategy, questions: Mapping[str, tuple[Question, ...]]) -> Strategy:
    """Without the words of the checks that hold a secret: the journal keeps the strategy too."""
    if strategy.gates is None:
        return strategy
    hidden = {question.gate for asked in questions.values() for question in asked if not question.argv}
    checks = tuple(replace(c, argv=()) if c.gate in hidden else c for c in strategy.gates.checks)
    return replace(strategy, gates=replace(strategy.gates, checks=checks))


def _questions(hosts: list[str], gates: Gates, project: Project) -> Mapping[str, tuple[Question, ...]]:
    """What is asked of each server comes from the documents of today, and is written down at the start."""
    wanted = set(hosts)
    preparation = prepare(project, [host for host in project.hosts() if host.name in wanted])
    if wrong := errors(problem for host in preparation.invalid for problem in host.problems):
        raise Invalid(wrong)
    return {ready.name: questions_of(ready, gates) for ready in preparation.ready}

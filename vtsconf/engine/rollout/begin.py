"""The beginning of a run: its plans are kept, its waves and questions written down, its servers claimed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vtsconf.core import plan as plans
from vtsconf.core.connection import Target
from vtsconf.core.errors import Locked
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.rollout.gate import Question
from vtsconf.core.rollout.strategy import Strategy
from vtsconf.core.rollout.strategy import to_json as strategy_json
from vtsconf.engine.apply import HostResult, change_host
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.document import entry_of
from vtsconf.engine.rollout.driver import finish


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a plan is carried out. `waves`: names of the hosts with work. `is_held`: its servers are claimed until its end."""

    command: str
    waves: Sequence[Sequence[str]]
    strategy: Strategy = field(default_factory=Strategy)
    has_canary: bool = False
    questions: Mapping[str, Sequence[Question]] = field(default_factory=dict)
    is_held: bool = True
    why: str = ""


def at_once(plan: Plan, command: str) -> Course:
    """Everything in one wave, nothing asked: what `apply` does."""
    work = [host.host for host in plan.hosts if host.has_work]
    return Course(command=command, waves=[work] if work else [], is_held=False)


def begin(plan: Plan, course: Course, desk: Desk) -> None:
    """Raises Locked when another run holds one of the servers, VtsconfError when nothing can be written down."""
    alone = replace(plan, hosts=())
    desk.journal.keep_plans(desk.run, {h.host: _document(alone, h) for h in plan.hosts if h.has_work})
    ledger = desk.ledger
    desk.order = replace(desk.order, reverses=plan.reverses)
    started: dict[str, Any] = {
        "command": course.command,
        "by": desk.holder,
        "why": course.why,
        "revision": plan.revision,
        "reverses": plan.reverses,
        "hosts": [host.host for host in plan.hosts],
        # A plain run has none: reading one back would cost `apply` more than the journal itself.
        **({"strategy": strategy_json(course.strategy)} if course.strategy != Strategy() else {}),
        "waves": [list(wave) for wave in course.waves],
        "canary": course.has_canary,
    }
    asked = [
        ledger.event("questions", host, questions=[question.to_json() for question in questions])
        for host, questions in course.questions.items()
    ]
    desk.plans.update({host.host: host for host in plan.hosts})
    ended = idle(plan, desk)
    without_work = [ledger.event("host-finished", one.host, **entry_of(one, desk.run)) for one in ended]
    ledger.write(ledger.event("run-started", **started), *asked, *without_work)
    if course.is_held:
        _hold(desk)
    for one in ended:
        desk.watch.done(one)


def _hold(desk: Desk) -> None:
    """Written down first: what was claimed and is not known could never be let go."""
    try:
        hold(desk)
    except Locked as error:
        finish("stopped", str(error), desk)
        raise


def hold(desk: Desk) -> None:
    """Claim the servers of a rollout; what it has already it keeps. Raises Locked."""
    names = [name for wave in desk.ledger.read().waves for name in wave]
    desk.journal.claim(desk.run, names, holder=desk.holder, at=int(desk.now()))


def _document(plan: Plan, host: HostPlan) -> str:
    return json.dumps(plans.to_json(replace(plan, reverses="", hosts=(host,))))


def idle(plan: Plan, desk: Desk) -> list[HostResult]:
    """How the hosts end on which there is nothing to do, or that could not be planned; no connection is made."""
    hosts = [host for host in plan.hosts if not host.has_work]
    return [change_host(host, Target(name=host.host), desk.order) for host in hosts]

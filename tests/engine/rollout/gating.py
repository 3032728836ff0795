"""What tests of the gates share: a rollout with questions written down, and a controller's desk with the way to servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vtsconf.core.connection import Target
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.rollout.gate import Answer, Question, Verdict
from vtsconf.core.rollout.state import Rollout
from vtsconf.core.runs import Event
from vtsconf.core.secret import FingerprintKey, Secret, SecretRef
from vtsconf.engine.apply import Order
from vtsconf.engine.collect import endpoint
from vtsconf.engine.journal import Journal
from vtsconf.engine.reach import Reach
from vtsconf.engine.rollout.desk import Desk

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
KEY = FingerprintKey(Secret(b"00ff"))
LOG = "/usr/local/tape/log/event.log"
RUN = "20260101-120000-abcd"


def event_log(*ignore: str, path: str = LOG) -> Question:
    return Question(gate="event-log", kind="event-log", argv=(path, "ERROR", "CRITICAL", "--", *ignore))


def line(severity: str = "ERROR", text: str = "boom", *, number: str = "220001", fields: int = 9) -> bytes:
    """One line of an event log."""
    program = "|" if fields == 9 else ""
    return f"01.01.2026 10:00:00|{severity}|{number}|5900-E|127.0.0.1|vts1|vtsa|{program}{text}\n".encode()


def rollout(questions: Mapping[str, Sequence[Question]], marks: Mapping[str, str] | None = None) -> Rollout:
    """One wave of all these hosts, changed; the inventory has them in the order of their names."""
    hosts = sorted(questions)
    body = {"command": "x", "hosts": hosts, "waves": [hosts]}
    events = [Event(at=1, run=RUN, action="run-started", body=body)]
    for host, asked in questions.items():
        written = {"questions": [question.to_json() for question in asked]}
        events.append(Event(at=1, run=RUN, action="questions", host=host, body=written))
        events.append(Event(at=2, run=RUN, action="host-finished", host=host, body={"outcome": "changed"}))
    events.append(Event(at=1, run=RUN, action="wave-started", body={"wave": 1, "marks": dict(marks or {})}))
    return Rollout.of(RUN, events)


def desk(
    reach: Reach,
    targets: Mapping[str, Target],
    folder: Path,
    *,
    state_dir: str = "/var/lib/vtsconf",
    secrets: Callable[[HostPlan], Mapping[SecretRef, Secret]] = lambda _: {},
) -> Desk:
    order = Order(run=RUN, holder="ops@here", reach=reach, secrets_of=secrets, fingerprints=lambda: KEY)
    plans = {
        name: HostPlan(host=name, outcome=PlanOutcome.CHANGES, state_dir=state_dir, endpoint=endpoint(target))
        for name, target in targets.items()
    }
    return Desk(
        run=RUN,
        order=order,
        journal=Journal(f"sqlite:///{folder}/journal.db"),
        find_targets=lambda names: {name: targets[name] for name in names if name in targets},
        now=lambda: 1000.0,
        plans=plans,
    )


def moved(desk: Desk, host: str, place: str) -> None:
    """Another server was changed than the inventory leads to."""
    desk.plans[host] = replace(desk.plans[host], endpoint=place)


def verdicts(answers: Sequence[Answer]) -> dict[str, Verdict]:
    return {f"{answer.host}/{answer.gate}": answer.verdict for answer in answers}

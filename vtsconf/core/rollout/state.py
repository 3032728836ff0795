"""A rollout as its events tell it. Whoever reads the journal, on whatever machine, sees the same.

The events of a run, in the journal (`body` in braces; `time` is `at` with fractions of a second):

    run-started    {command, by, revision, reverses, hosts: [name…]; of a rollout also strategy: {…}, waves: [[name…]…],
                   canary: bool, time}                 hosts without work stand in `hosts` and in no wave
    questions      host: {questions: [Question…]}      what its gates will ask; written at the start
    wave-started   {wave, marks: {host: text}, by, time}   waves count from 1; `marks`: where each event log ended
    host-started   host: {as, wave, by, time}          `as`: the run's name on the server; RUN, then RUN-2 for a second try
    host-finished  host: {outcome, reason, detail, remedy, changes, seconds, debts, time}      a `HostResult`
    host-settled   host: {outcome, reason, …}          how it ended that had been left armed or in doubt, or was reverted;
                                                       `stays`: true when it was to be reverted and could not be
    gate-asked     {wave, ask: "first" | "last", answers: [Answer…], verdict, by, time}
    paused         {by, why, cause: "asked" | "gate"}
    resumed        {by, why}
    approved       {by, why, wave}                     before this wave
    abort-asked    {by, why, revert}
    stopped        {why, cause: "gate" | "budget" | "abort", revert}     from here on nothing more is changed
    run-finished   {summary, state: "done" | "stopped" | "aborted", why, time}; of a run of jobs also {worked, worked_more}: the ids of jobs of
                   other runs that it brought to an end, and how many more there were
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from vtsconf.core.outcome import RunOutcome
from vtsconf.core.rollout.gate import Answer, Question, Verdict, worst
from vtsconf.core.rollout.strategy import Strategy, strategy_of
from vtsconf.core.runs import Event, RunSeen

FAILURES = frozenset(
    {
        RunOutcome.FAILED,
        RunOutcome.REVERTED,
        RunOutcome.UNREACHABLE,
        RunOutcome.STALE,
        RunOutcome.LOCKED,
        RunOutcome.REFUSED,
    }
)
_ACTIVE = "in doubt"  # begun, and not heard of since


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One time that the gates of a wave were asked. `at`: seconds since 1970."""

    ask: str  # "first", or "last": after the soak time
    at: int
    answers: tuple[Answer, ...]
    by: str = ""

    @property
    def verdict(self) -> Verdict:
        return worst(self.answers)


@dataclass(kw_only=True)
class Rollout:
    """What is known so far of one run. Made by `feed`ing it events, once each, in the journal's order."""

    seen: RunSeen
    strategy: Strategy = field(default_factory=Strategy)
    waves: tuple[tuple[str, ...], ...] = ()
    has_canary: bool = False
    questions: dict[str, tuple[Question, ...]] = field(default_factory=dict)
    begun: dict[int, int] = field(default_factory=dict)  # wave → when
    running: set[int] = field(default_factory=set)  # waves that have begun, and nobody resumed since
    marks: dict[str, str] = field(default_factory=dict)  # host → where its event log ended before the change
    asked: dict[int, list[Asked]] = field(default_factory=dict)  # wave → answers that still count
    approved: dict[int, str] = field(default_factory=dict)  # wave → by whom
    paused: str = ""  # why; "" when it is not
    paused_by: str = ""
    legs: int = 1  # a pause ends one, `resumed` begins the next
    stopped: str = ""  # why
    stop_cause: str = ""
    reverts: bool = False  # what was changed is to be taken back
    abort: Event | None = None
    state: str = ""  # how it ended
    last: int = 0  # the id of the last event that it was fed
    behind: int = 0  # so many waves are done for good: `next_move` need not look at them again
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, run: str, events: Iterable[Event] = ()) -> Rollout:
        rollout = cls(seen=RunSeen(run=run))
        for event in events:
            rollout.feed(event)
        return rollout

    @property
    def run(self) -> str:
        return self.seen.run

    def feed(self, event: Event) -> None:
        """Learn one more event."""
        self.last = max(self.last, event.id)
        before = self._end(event.host) if event.host else ""
        self.seen.feed(event)
        if event.host:
            self._count(before, self._end(event.host))
        if learn := _LEARN.get(event.action):
            learn(self, event)

    def _count(self, before: str, after: str) -> None:
        if before != after:
            self.counts[before] = self.counts.get(before, 0) - 1
            self.counts[after] = self.counts.get(after, 0) + 1

    def _end(self, host: str) -> str:
        """Its outcome; one that was taken back because the rollout stopped had not failed."""
        return "taken back" if self.seen.hosts.get(host, {}).get("stays") is False else self.outcome(host)

    # ---- questions about it

    def outcome(self, host: str) -> str:
        """A `RunOutcome`, "in doubt" for one that has begun, "" for one that has not."""
        return str(self.seen.hosts.get(host, {}).get("outcome") or "")

    def is_active(self, host: str) -> bool:
        return self.outcome(host) == _ACTIVE

    def open_hosts(self, wave: int) -> tuple[str, ...]:
        """Those of a wave that have no end yet, in its order."""
        return tuple(name for name in self.waves[wave - 1] if self.outcome(name) in ("", _ACTIVE))

    def changed(self, hosts: Iterable[str] | None = None) -> Iterator[str]:
        names = self.seen.hosts if hosts is None else hosts
        return (name for name in names if self.outcome(name) == RunOutcome.CHANGED)

    def to_revert(self) -> Iterator[str]:
        """Changed by this run, and nobody has tried to take that back yet; the last one changed comes first."""
        return (name for name in reversed(list(self.changed())) if not self.seen.hosts[name].get("stays"))

    def failed(self, hosts: Iterable[str] | None = None) -> Iterator[str]:
        names = self.seen.hosts if hosts is None else hosts
        return (name for name in names if self._end(name) in FAILURES)

    @property
    def failures(self) -> int:
        """How many count against the budget."""
        return sum(self.counts.get(outcome.value, 0) for outcome in FAILURES)

    @property
    def tolerated(self) -> int | None:
        """How many may fail; None: no limit."""
        limit = self.strategy.max_failures
        return None if limit is None else limit.tolerated(len(self.seen.hosts))

    @property
    def is_spent(self) -> bool:
        """More have failed than the strategy tolerates."""
        return self.tolerated is not None and self.failures > self.tolerated

    @property
    def is_finished(self) -> bool:
        return self.seen.finished != 0

    def answers(self, wave: int, ask: str) -> Asked | None:
        """The last answers of a wave that count; None before it was asked (again)."""
        return next((a for a in reversed(self.asked.get(wave, [])) if a.ask == ask), None)


def _started(rollout: Rollout, event: Event) -> None:
    body = event.body
    rollout.strategy = strategy_of(body["strategy"]) if "strategy" in body else Strategy()
    rollout.waves = tuple(tuple(wave) for wave in body.get("waves", ()))
    rollout.has_canary = bool(body.get("canary"))
    rollout.counts = {"": len(rollout.seen.hosts)}


def _questions(rollout: Rollout, event: Event) -> None:
    rollout.questions[event.host] = tuple(Question.from_json(q) for q in event.body["questions"])


def _wave_started(rollout: Rollout, event: Event) -> None:
    rollout.begun.setdefault(event.body["wave"], event.at)
    rollout.running.add(event.body["wave"])
    rollout.marks.update(event.body.get("marks", {}))


def _gate_asked(rollout: Rollout, event: Event) -> None:
    body = event.body
    answers = tuple(Answer.from_json(answer) for answer in body["answers"])
    at = math.ceil(body.get("time", event.at))  # soak time is not over before it is over
    asked = Asked(ask=body["ask"], at=at, answers=answers, by=body.get("by", ""))
    rollout.asked.setdefault(body["wave"], []).append(asked)


def _paused(rollout: Rollout, event: Event) -> None:
    rollout.paused, rollout.paused_by = event.body.get("why") or "asked for", event.body.get("by", "")


def _resumed(rollout: Rollout, _: Event) -> None:
    if rollout.paused:  # else two have said it at once: one leg is enough
        rollout.legs += 1
    rollout.paused = rollout.paused_by = ""
    rollout.running.clear()
    _ask_again(rollout)


def _approved(rollout: Rollout, event: Event) -> None:
    rollout.approved[event.body["wave"]] = event.body.get("by", "")


def _abort_asked(rollout: Rollout, event: Event) -> None:
    rollout.abort = rollout.abort or event


def _stopped(rollout: Rollout, event: Event) -> None:
    rollout.stopped, rollout.stop_cause = event.body["why"], event.body.get("cause", "")
    rollout.reverts = bool(event.body.get("revert"))


def _finished(rollout: Rollout, event: Event) -> None:
    rollout.state = event.body.get("state", "done")


def _ask_again(rollout: Rollout) -> None:
    """A person has looked at what was unsure: it is asked anew; what passed or failed stays."""
    for wave, asked in rollout.asked.items():
        rollout.asked[wave] = [one for one in asked if one.verdict is not Verdict.INCONCLUSIVE]


_LEARN: Mapping[str, Callable[[Rollout, Event], None]] = {
    "run-started": _started,
    "questions": _questions,
    "wave-started": _wave_started,
    "gate-asked": _gate_asked,
    "paused": _paused,
    "resumed": _resumed,
    "approved": _approved,
    "abort-asked": _abort_asked,
    "stopped": _stopped,
    "run-finished": _finished,
}

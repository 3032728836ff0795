"""Drives a run from wherever it stands to its end, or to where a person or a clock has to come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vtsconf.core.outcome import RunOutcome
from vtsconf.core.rollout.gate import Verdict, worst
from vtsconf.core.rollout.move import (
    Approval,
    Ask,
    Begin,
    Change,
    End,
    Finish,
    Move,
    Pause,
    Revert,
    Settle,
    Stop,
    Wait,
    next_move,
)
from vtsconf.engine.apply import HostResult
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.document import entry_of, results_of, summary
from vtsconf.engine.rollout.wave import change_wave, learn_all, settle_all


@dataclass(frozen=True, kw_only=True)
class Halt:
    """Why it does not go on by itself. `until`: seconds since 1970, for "clock"; `hosts` of `wave`: for "share"."""

    kind: Literal["ended", "paused", "approval", "clock", "stopped", "share"]
    why: str = ""
    until: int = 0
    wave: int = 0
    hosts: tuple[str, ...] = ()


_ASIDE = (Begin, Change, Ask, Revert)  # moves that a controller which is told to stop leaves to the next one


def drive(desk: Desk) -> Halt:
    """Make one move after the other. "stopped": this controller was told to stop, the run is as good as before."""
    while True:
        move = next_move(desk.ledger.read(), int(desk.now()))
        if halt := _halt(move, desk):
            return halt
        if (desk.watch.stop.is_set or desk.ledger.trouble) and isinstance(move, _ASIDE):
            return Halt(kind="stopped", why=desk.ledger.trouble or "this controller was told to stop")
        perform(move, desk)


def _halt(move: Move, desk: Desk) -> Halt | None:
    match move:
        case End():
            return Halt(kind="ended")
        case Pause(why=why, news=news):
            if news:
                desk.ledger.write(desk.ledger.event("paused", by=desk.holder, why=why, cause="gate"))
            return Halt(kind="paused", why=why)
        case Approval(why=why, wave=wave):
            return Halt(kind="approval", why=why, wave=wave)
        case Wait(until=until, why=why):
            return Halt(kind="clock", why=why, until=until)
        case Change(wave=wave, hosts=hosts) if desk.shares and len(hosts) > 1 and desk.may_begin():
            return Halt(kind="share", wave=wave, hosts=hosts)
    return None


def perform(move: Move, desk: Desk) -> None:
    """Do what one move says. Whatever dies in it is done again, and finds what was done already in the journal."""
    match move:
        case Begin(wave=wave):
            _begin(wave, desk)
        case Change(wave=wave, hosts=hosts):
            change_wave(wave, hosts, desk)
        case Ask(wave=wave, ask=ask):
            _ask(wave, ask, desk)
        case Stop(why=why, cause=cause, revert=revert):
            desk.ledger.write(desk.ledger.event("stopped", why=why, cause=cause, revert=revert))
            learn_all(list(desk.ledger.read().seen.hosts), desk)
        case Settle(hosts=hosts):
            settle_all(hosts, desk)
        case Revert(hosts=hosts):
            from vtsconf.engine.rollout.revert import revert_hosts

            revert_hosts(hosts, desk)
        case Finish(state=state, why=why):
            finish(state, why, desk)


def _begin(wave: int, desk: Desk) -> None:
    rollout = desk.ledger.read()
    hosts = rollout.waves[wave - 1]
    marks: dict[str, str] = {}
    if rollout.strategy.gates and rollout.strategy.gates.event_log:
        from vtsconf.engine.rollout.gates import marks_of

        marks = marks_of(hosts, rollout, desk)
    desk.ledger.write(desk.ledger.event("wave-started", wave=wave, marks=marks, by=desk.holder))


def _ask(wave: int, ask: str, desk: Desk) -> None:
    from vtsconf.core.rollout.gate import confirmed
    from vtsconf.engine.rollout import gates

    learn_all(list(desk.ledger.read().seen.hosts), desk)
    rollout = desk.ledger.read()
    answers = [confirmed(wave, rollout)]
    if answers[0].verdict is Verdict.PASS:
        answers += gates.ask(wave, list(rollout.changed(rollout.waves[wave - 1])), rollout, desk)
    if ask == "last" and (first := rollout.answers(wave, "first")):
        answers = gates.compare(first.answers, answers)
    if desk.watch.stop.is_set:
        return  # some were not asked: whoever goes on asks all of them
    told = [answer.to_json() for answer in answers]
    desk.ledger.write(
        desk.ledger.event(
            "gate-asked", wave=wave, ask=ask, answers=told, verdict=worst(answers).value, by=desk.holder
        )
    )


def finish(state: str, why: str, desk: Desk) -> None:
    """The end: every server that was never tried is skipped, and says why; the servers are free again."""
    rollout = desk.ledger.read()
    reason = f"never tried: {why}" if why else "the run was stopped before it"
    skipped = [
        HostResult(host=name, outcome=RunOutcome.SKIPPED, reason=reason)
        for name in rollout.seen.hosts
        if rollout.outcome(name) == ""
    ]
    desk.ledger.note(
        *(desk.ledger.event("host-finished", one.host, **entry_of(one, desk.run)) for one in skipped)
    )
    for one in skipped:
        desk.watch.done(one)
    rollout = desk.ledger.read()
    desk.ledger.note(
        desk.ledger.event("run-finished", summary=summary(results_of(rollout)), state=state, why=why)
    )
    desk.journal.release(desk.run)

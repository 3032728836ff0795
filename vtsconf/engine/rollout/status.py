"""A rollout as a document: where it stands, what it waits for, every wave, gate and server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vtsconf.core.outcome import Exit, RunOutcome, worst
from vtsconf.core.rollout.move import Approval, Change, End, Move, Pause, Wait, next_move
from vtsconf.core.rollout.state import Asked, Rollout
from vtsconf.core.rollout.strategy import to_json as strategy_json
from vtsconf.engine.rollout.document import entry_of, results_of, summary

FORMAT = "vtsconf/rollout/1"


def to_json(rollout: Rollout, now: int) -> dict[str, Any]:
    """`state`: running, paused, waiting (for an approval, a window, soak time), stopping, done, stopped, aborted."""
    state, why = standing(rollout, now)
    seen = rollout.seen
    return {
        "format": FORMAT,
        "run": rollout.run,
        "state": state,
        "why": why,
        "by": seen.by,
        "started": seen.started,
        "finished": seen.finished,
        "revision": seen.revision,
        "strategy": strategy_json(rollout.strategy),
        "failures": rollout.failures,
        "tolerated": rollout.tolerated,
        "waves": list(_waves(rollout)),
        "hosts": list(_hosts(rollout)),
        "summary": summary(results_of(rollout)) | {"open": sum(1 for _ in _open(rollout))},
    }


def standing(rollout: Rollout, now: int) -> tuple[str, str]:
    """The state in one word, and why."""
    if rollout.is_finished:
        return rollout.state, rollout.stopped
    if rollout.stopped:
        return "stopping", rollout.stopped
    return _words(next_move(rollout, now))


def _words(move: Move) -> tuple[str, str]:
    match move:
        case Pause(why=why):
            return "paused", why
        case Approval(why=why) | Wait(why=why):
            return "waiting", why
        case Change(wave=wave):
            return "running", f"wave {wave}"
        case End():
            return "done", ""
    return "running", ""


def exit_of(rollout: Rollout) -> Exit:
    """The worst server decides; what has not ended waits."""
    exits = [result.outcome.exit for result in results_of(rollout)]
    return worst([*exits, *([] if rollout.is_finished else [Exit.WAITING])])


def _open(rollout: Rollout) -> Iterator[str]:
    known = {outcome.value for outcome in RunOutcome}
    return (name for name in rollout.seen.hosts if rollout.outcome(name) not in known)


def _waves(rollout: Rollout) -> Iterator[Mapping[str, Any]]:
    for number, hosts in enumerate(rollout.waves, 1):
        yield {
            "wave": number,
            "canary": number == 1 and rollout.has_canary,
            "hosts": list(hosts),
            "begun": rollout.begun.get(number),
            "approved": rollout.approved.get(number),
            "gates": [_asked(asked) for asked in rollout.asked.get(number, [])],
        }


def _asked(asked: Asked) -> Mapping[str, Any]:
    return {
        "ask": asked.ask,
        "at": asked.at,
        "by": asked.by,
        "verdict": asked.verdict.value,
        "answers": [answer.to_json() for answer in asked.answers],
    }


def _hosts(rollout: Rollout) -> Iterator[Mapping[str, Any]]:
    ended = {result.host: entry_of(result, rollout.run) for result in results_of(rollout)}
    wave_of = {host: number for number, hosts in enumerate(rollout.waves, 1) for host in hosts}
    for name in rollout.seen.hosts:
        entry = ended.get(name) or {"host": name, "outcome": rollout.outcome(name) or "open", "reason": ""}
        yield entry | {"wave": wave_of.get(name)}

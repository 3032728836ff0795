"""A rollout as a document: where it stands, what it waits for, every wave, gate and server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vtsconf.core.outcome import Exit, RunOutcome, worst
from vtsconf.core.printable import printable
from vtsconf.core.rollout.move import Approval, Change, End, Move, Pause, Wait, next_move
from vtsconf.core.rollout.state import Asked, Rollout
from vtsconf.core.rollout.strategy import to_json as strategy_json
from vtsconf.engine.rollout.document import entry_of, results_of, summary

FORMAT = "vtsconf/rollout/1"


def to_json(rollout: Rollout, now: int) -> dict[str, Any]:
    """`state`: running, paused, waiting (for an approval, a window, soak time), stopping, done, stopped, aborted."""
    return {
        "format": FORMAT,
        **head(rollout, now),
        "strategy": strategy_json(rollout.strategy),
        "waves": list(_waves(rollout)),
        "hosts": list(_hosts(rollout)),
    }


def head(rollout: Rollout, now: int) -> dict[str, Any]:
    """The same without its waves and servers."""
    state, why = standing(rollout, now)
    seen = rollout.seen
    return {
        "run": rollout.run,
        "state": state,
        "why": why,
        "by": seen.by,
        "started": seen.started,
        "finished": seen.finished,
        "revision": seen.revision,
        "failures": rollout.failures,
        "tolerated": rollout.tolerated,
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
    """The worst server decides; what has not ended waits, and what was stopped is not done, however its servers are."""
    exits = [result.outcome.exit for result in results_of(rollout)]
    if not rollout.is_finished:
        exits.append(Exit.WAITING)
    elif rollout.state != "done":
        exits.append(Exit.PARTIAL)
    return worst(exits)


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


def sentences(rollout: Rollout, now: int) -> Iterator[str]:
    """For people: how it stands, what it waits for, what to do."""
    state, why = standing(rollout, now)
    ended = summary(results_of(rollout))
    words = ", ".join(f"{n} {o}" for o, n in ended.items() if n and o not in ("hosts", "changes"))
    left = sum(1 for _ in _open(rollout))
    told = ", ".join(part for part in (words, f"{left} not tried yet" if left else "") if part)
    count, changes = len(rollout.seen.hosts), ended["changes"]
    yield f"Rollout {rollout.run} {state}{f': {printable(why, 2000)}' if why else ''}"
    yield f"  {count} {'server' if count == 1 else 'servers'} ({told}); {changes} {'change' if changes == 1 else 'changes'}."
    if hint := _HINTS.get(state, "").format(run=rollout.run, approve=_approve(rollout, now)):
        yield f"  {hint}"


def _approve(rollout: Rollout, now: int) -> str:
    waits = not rollout.is_finished and isinstance(next_move(rollout, now), Approval)
    return f"approve: vtsconf rollout approve {rollout.run}; " if waits else ""


_HINTS = {
    "paused": "go on: vtsconf rollout resume {run}; end it: vtsconf rollout abort {run}",
    "waiting": "{approve}go on where nobody leads it: vtsconf rollout resume {run}",
    "running": "where nobody leads it any more: vtsconf rollout resume {run}",
    "stopping": "where nobody leads it any more: vtsconf rollout resume {run}",
    "stopped": "evidence: vtsconf rollout report {run}",
    "aborted": "evidence: vtsconf rollout report {run}",
    "done": "evidence: vtsconf rollout report {run}",
}

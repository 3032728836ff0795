"""The durable part of a rollout: one controller leads it, any controller on the same store may change its servers.

What is done next is decided from the journal each time (`core/rollout/move.py`); the engine keeps the sequence going
over crashes, wakes it when soak time or a window's opening has come, and shares servers out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from vtsconf.engine import durable
from vtsconf.engine.rollout.bring import bring
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.driver import Halt, drive
from vtsconf.engine.rollout.ledger import Ledger
from vtsconf.engine.rollout.wave import learn_all

_LEFT = "it was paused and resumed meanwhile: another controller leads it now"
_LOOK_AGAIN = 3600  # seconds: a word that got lost delays no rollout for longer than that


def leader(run: str) -> str:
    """The flow that leads it. Its name holds the run, so that only controllers which know the run take it up."""
    return f"lead {run}"


def servers(run: str) -> str:
    """The flow, and the queue, of its servers that are to be changed."""
    return f"serve {run}"


def leg_of(ledger: Ledger) -> str:
    """The name of the piece of work that leads the rollout until it is paused or ends."""
    return f"{ledger.run}#{ledger.read().legs}"


def flows_of(desk: Desk) -> Mapping[str, Callable[[Any], Any]]:
    """The flows of the engine. Their arguments and results are plain JSON; all they know is in the journal."""

    def lead(argument: Mapping[str, Any]) -> dict[str, Any]:
        turn = 0
        while True:
            halt = durable.step("advance", advance, desk, argument["leg"])
            if halt["kind"] == "share":
                turn += 1
                durable.gather(_calls(argument["leg"], turn, desk.run, halt))
            elif halt["kind"] in ("clock", "approval"):
                durable.wait(halt["seconds"])
            else:
                return dict(halt)

    def serve(argument: Mapping[str, Any]) -> str:
        answer = durable.step("bring", bring_one, desk, argument["host"], argument["wave"])
        return str(answer)

    return {leader(desk.run): lead, servers(desk.run): serve}


def queues_of(desk: Desk) -> Mapping[str, durable.Queue]:
    return {servers(desk.run): durable.Queue(each=desk.parallel)}


def _calls(leg: str, turn: int, run: str, halt: Mapping[str, Any]) -> list[durable.Call]:
    return [
        durable.Call(
            flow=servers(run),
            id=f"{leg}/{turn}/{host}",
            argument={"host": host, "wave": halt["wave"]},
        )
        for host in halt["hosts"]
    ]


def advance(desk: Desk, leg: str) -> dict[str, Any]:
    """As far as it goes without waiting. Done again after a crash: the journal says what is done already.

    A leg that was resumed meanwhile, whose leader had slept, does nothing more: another one leads.
    """
    now = leg_of(desk.ledger)
    halt = _go(desk) if now == leg else Halt(kind="stopped", why=desk.ledger.trouble or _LEFT)
    seconds = halt.until - desk.now() if halt.kind == "clock" else _LOOK_AGAIN
    return asdict(halt) | {"hosts": list(halt.hosts), "seconds": max(0.1, min(seconds, _LOOK_AGAIN))}


def _go(desk: Desk) -> Halt:
    learn_all(list(desk.ledger.read().seen.hosts), desk)
    halt = drive(desk)
    return _paused(desk) if halt.kind == "stopped" and not desk.ledger.trouble else halt


def _paused(desk: Desk) -> Halt:
    """^C at the controller that leads: written down, so that everybody sees why nothing goes on."""
    why = f"the controller of {desk.holder} was stopped"
    desk.ledger.write(desk.ledger.event("paused", by=desk.holder, why=why, cause="asked"))
    return Halt(kind="paused", why=why)


def bring_one(desk: Desk, host: str, wave: int) -> str:
    """One server of a wave, by whichever controller took it. "" when it was not begun."""
    if host not in desk.known:  # then of all at once
        desk.targets(desk.ledger.read().waves[wave - 1])
    result = bring(host, wave, desk)
    return result.outcome.value if result else ""

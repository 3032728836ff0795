"""What a person at any controller may say to a rollout: pause, go on, approve, abort. Said into the journal."""

from __future__ import annotations

from typing import Any

from vtsconf.core.errors import Refused
from vtsconf.core.printable import printable
from vtsconf.core.rollout.move import Approval, Stop, next_move
from vtsconf.core.rollout.state import Rollout
from vtsconf.engine.rollout.ledger import Ledger


def pause(ledger: Ledger, by: str, why: str) -> None:
    """Servers in flight are finished; nothing more is begun. Raises Refused where there is nothing to pause."""
    rollout = alive(ledger)
    if rollout.paused:
        raise Refused(
            f"rollout {ledger.run} is paused already: {printable(rollout.paused, 2000)}",
            remedy=f"`vtsconf rollout resume {ledger.run}` goes on",
        )
    _say(ledger, "paused", by=by, why=why, cause="asked")


def resume(ledger: Ledger, by: str, why: str) -> None:
    """Gates that were unsure are asked again. Raises Refused for a rollout that has ended."""
    if alive(ledger).paused:
        _say(ledger, "resumed", by=by, why=why)


def approve(ledger: Ledger, by: str, why: str) -> int:
    """Let the next wave begin; returns its number. Raises Refused where nobody asked, or for the wrong person."""
    rollout = alive(ledger)
    move = next_move(rollout, int(ledger.now()))
    if not isinstance(move, Approval):
        raise Refused(
            f"rollout {ledger.run} does not wait for an approval",
            remedy=f"`vtsconf rollout status {ledger.run}` says what it waits for",
        )
    if rollout.strategy.four_eyes and _person(by) == _person(rollout.seen.by):
        raise Refused(
            f"{printable(_person(by), 80)} started rollout {ledger.run}, and its strategy asks for a second person",
            remedy="let somebody else approve it",
        )
    _say(ledger, "approved", by=by, why=why, wave=move.wave)
    return move.wave


def abort(ledger: Ledger, by: str, why: str, *, revert: bool | None) -> None:
    """`revert`: whether what was changed is taken back; None: as the strategy says, or as was said first.

    Raises Refused where it ends already, and the other way.
    """
    rollout = alive(ledger)
    reverts = _reverts(rollout)
    if reverts is None:
        _say(ledger, "abort-asked", by=by, why=why, revert=revert)
    elif revert not in (None, reverts):
        raise Refused(
            f"rollout {ledger.run} is ending already, and {_THEN[reverts]} ({_first_said(rollout)}): what was "
            "said first counts",
            remedy=f"`vtsconf rollout abort {ledger.run}` brings it to its end so"
            + ("" if reverts else f"; `vtsconf rollback {ledger.run}` then takes back what it changed"),
        )


_THEN = {True: "what was changed is taken back", False: "what was changed stays"}


def _reverts(rollout: Rollout) -> bool | None:
    """Whether what was changed is to be taken back; None where it is not ending."""
    if rollout.stopped:
        return rollout.reverts
    move = next_move(rollout, 0) if rollout.abort else None
    return move.revert if isinstance(move, Stop) else None


def _first_said(rollout: Rollout) -> str:
    if rollout.stopped or not rollout.abort:
        return printable(rollout.stopped, 2000)
    return printable(f"aborted by {rollout.abort.body.get('by', '?')}", 2000)


def alive(ledger: Ledger) -> Rollout:
    """What is known of it. Raises Refused where it has ended."""
    rollout = ledger.read()
    if rollout.is_finished:
        why = f": {printable(rollout.stopped, 2000)}" if rollout.stopped else ""
        raise Refused(
            f"rollout {ledger.run} has ended ({rollout.state}{why})",
            remedy=f"`vtsconf rollout status {ledger.run}` shows it, `vtsconf rollback {ledger.run}` takes back what it changed",
        )
    return rollout


def _person(who: str) -> str:
    """The name before the @: the same person at another controller is no second person."""
    return who.partition("@")[0]


def _say(ledger: Ledger, action: str, **body: Any) -> None:
    ledger.write(ledger.event(action, **body))

"""How a change ended on a server whose controller is gone, and its end where it has none yet."""

from __future__ import annotations

from dataclasses import replace

from vtsconf.core.connection import Target
from vtsconf.core.errors import VtsconfError
from vtsconf.core.outcome import RunOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.engine.apply import HostResult, Order, ask_health, concluded, doubt, unlike, verification
from vtsconf.transport.server import Confirmed, Server

_LONGEST = 900  # seconds that a transaction which nobody listens to may still be at work on a server
_POLL = 0.5
# Reasons of a change that took itself back because nobody was there to keep it; any other reason is an answer.
_UNHEARD = (
    "not confirmed within",
    "the change was cut off in the middle",
    "its processes had died",
    "it was not confirmed when its end was asked for",
)


def settle_host(plan: HostPlan, target: Target, order: Order, *, keep: bool = True) -> HostResult | None:
    """How the change `order.run` ended that a controller began which is gone.

    What is still armed is verified, checked and kept now, or taken back unless `keep`. None: the server is as it
    was before, because nobody was there to confirm or it was never armed; it may be begun again.
    """
    start = order.clock()
    try:
        ended = _settled(plan, target, order, keep=keep)
    except VtsconfError as error:
        ended = doubt(plan, f"its end is not known: {error}")
    if ended is None:
        return None
    changes = len(plan.changes) if ended.outcome is RunOutcome.CHANGED else 0
    return replace(ended, changes=changes, seconds=round(order.clock() - start, 3))


def _settled(plan: HostPlan, target: Target, order: Order, *, keep: bool) -> HostResult | None:
    deadline = order.clock() + plan.confirm_within + _LONGEST
    while order.clock() < deadline:
        server = order.reach(target)
        try:
            answer = _end_of(plan, order, server, keep=keep)
        finally:
            server.close()
        if answer is not None:
            return _ended(plan, answer)
        order.on_event(plan.host, "still at work for a controller that is gone")
        order.pause(_POLL)
    raise VtsconfError("the server is still at work on it")


def _end_of(plan: HostPlan, order: Order, server: Server, *, keep: bool) -> Confirmed | None:
    """None: it is still being made, or taken back."""
    reading = server.read(verification(plan), plan.state_dir)
    holder = reading.pending or reading.lock
    if holder is None or holder.run != order.run:
        # A run that is over is asked for by its name: its end is on record there.
        return server.revert(order.run, "it was not confirmed when its end was asked for", plan.state_dir)
    if reading.pending is None:
        return None
    if not keep:
        return server.revert(order.run, f"taken back by {order.holder}", plan.state_dir)
    if unlike(plan, reading, order):
        return None  # perhaps only half made yet; what stays unlike takes itself back
    answer = ask_health(plan, order, server)
    return None if answer.outcome == "none" else answer


def _ended(plan: HostPlan, answer: Confirmed) -> HostResult | None:
    if answer.outcome == "none" or (answer.outcome == "reverted" and answer.reason.startswith(_UNHEARD)):
        return None
    return concluded(plan, answer, debts=())

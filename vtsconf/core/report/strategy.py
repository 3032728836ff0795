"""A strategy in words: everything that was agreed on, also what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vtsconf.core.report.clock import length
from vtsconf.core.rollout.strategy import Gates, Strategy, strategy_of

Rows = Iterator[tuple[str, str]]
_APPROVALS = {"start": "before the first wave", "canary": "after the canary", "each": "before each wave"}
_ON_FAILURE = {
    "keep": "servers that are changed already keep the change",
    "revert": "servers that are changed already are taken back",
}


def words(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(what, how) of each word of a strategy, in the order in which a rollout meets them."""
    strategy = strategy_of(document)
    return [("Name", strategy.name), *_waves(strategy), *_limits(strategy), *_gates(strategy.gates)]


def _waves(strategy: Strategy) -> Rows:
    yield "Canary", strategy.canary or "none"
    if strategy.canary:
        yield "Soak time of the canary", length(strategy.canary_soak) if strategy.canary_soak else "none"
    sizes = ", ".join(str(share) for share in strategy.waves)
    yield "Waves", f"{sizes}{'; the last size repeats' if len(strategy.waves) > 1 else ''}"
    yield "Soak time", length(strategy.soak) if strategy.soak else "none"
    yield "Kept apart", ", ".join(strategy.apart) or "nothing"


def _limits(strategy: Strategy) -> Rows:
    limit = strategy.max_failures
    yield "Failure budget", "no limit" if limit is None else f"{limit} of all servers may fail"
    yield "When it stops", _ON_FAILURE[strategy.on_failure]
    yield "Window", str(strategy.window) if strategy.window else "any time"
    yield "Approval", ", ".join(_APPROVALS[point] for point in strategy.approve) or "not asked for"
    yield "Four eyes", "whoever approves is not who started" if strategy.four_eyes else "not asked for"


def _gates(gates: Gates | None) -> Rows:
    if gates is None:
        yield "Gates", "none"
        return
    yield "Gate: health checks", _asked(gates.health)
    yield "Gate: services", _asked(gates.services)
    yield "Gate: backup applications", _asked(gates.bma)
    yield "Gate: event log", _event_log(gates) if gates.event_log else _asked(False)
    for check in gates.checks:
        yield (
            f"Gate: {check.gate}",
            f"{' '.join(check.argv)} ({_place(check.on)}, at most {length(check.timeout)})",
        )


def _asked(yes: bool) -> str:
    return "asked" if yes else "not asked"


def _event_log(gates: Gates) -> str:
    ignored = f", lines that do not count: {', '.join(gates.ignore)}" if gates.ignore else ""
    return f"new lines with {' or '.join(gates.severities)} in {gates.event_log_path}{ignored}"


def _place(on: str) -> str:
    return {"server": "on each server", "controller": "on the controller, for each server"}.get(
        on, "on the controller, once a wave"
    )

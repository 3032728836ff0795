"""A rollout for people: what would happen, wave by wave, and where one stands."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from vtsconf.cli import show
from vtsconf.core.duration import spelled
from vtsconf.core.plan import Plan
from vtsconf.core.rollout.strategy import Gates, Strategy
from vtsconf.core.rollout.strategy import to_json as strategy_json

if TYPE_CHECKING:
    from vtsconf.core.rollout.state import Rollout
    from vtsconf.engine.rollout.begin import Course

_NAMES = 8


def show_course(plan: Plan, course: Course, *, as_json: bool = False, verbose: int = 0) -> None:
    """The plan, then its waves, then what is asked and tolerated."""
    if as_json:
        waves = [list(wave) for wave in course.waves]
        strategy = strategy_json(course.strategy)
        show.print_json({"format": "vtsconf/course/1", "strategy": strategy, "waves": waves})
        return
    show.show_plan(plan, verbose=verbose)
    click.echo(f"Strategy {click.style(course.strategy.name, bold=True)}:")
    for number, wave in enumerate(course.waves, 1):
        canary = " (canary)" if number == 1 and course.has_canary else ""
        click.echo(f"  wave {number}{canary}: {names(wave)}")
    for line in rules(course.strategy):
        click.echo(f"  {line}")


def names(hosts: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(hosts) - _NAMES} more" if len(hosts) > _NAMES else ""
    return f"{', '.join(hosts[:_NAMES])}{more}"


def rules(strategy: Strategy) -> Iterator[str]:
    """What holds between the waves, in sentences."""
    if strategy.approve:
        who = ", by another person than who starts it" if strategy.four_eyes else ""
        yield f"approval: {', '.join(strategy.approve)}{who}"
    if strategy.window:
        yield f"waves begin only in the window {strategy.window}"
    if strategy.gates:
        yield f"gates after each wave: {', '.join(_gates(strategy.gates))}"
    if strategy.soak or strategy.canary_soak:
        canary = f" ({spelled(strategy.canary_soak)} after the canary)" if strategy.canary_soak else ""
        yield f"soak time: {spelled(strategy.soak)}{canary}"
    limit = "any number" if strategy.max_failures is None else str(strategy.max_failures)
    then = "taken back" if strategy.on_failure == "revert" else "kept"
    yield f"tolerated failures: {limit}; on a stop what was changed is {then}"


def _gates(gates: Gates) -> Iterator[str]:
    yield "confirmed"
    chosen = {
        "health": gates.health,
        "services": gates.services,
        "bma": gates.bma,
        "event-log": gates.event_log,
    }
    yield from (name for name, asked in chosen.items() if asked)
    yield from (check.gate for check in gates.checks)


def show_rollout(rollout: Rollout, *, verbose: int = 0) -> None:
    """Where it stands: its waves with their gates, servers that did not end well, what to do."""
    from vtsconf.engine.rollout import status

    for number, hosts in enumerate(rollout.waves, 1):
        counts: dict[str, int] = {}
        for host in hosts:
            word = rollout.outcome(host) or "not tried yet"
            counts[word] = counts.get(word, 0) + 1
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        asked = rollout.asked.get(number, [])
        gate = f"  gate: {asked[-1].verdict}" if asked else ""
        click.echo(f"  wave {number}: {told}{gate}")
    for host, entry in rollout.seen.hosts.items():
        if verbose or entry.get("outcome") not in ("", "changed", "unchanged", "skipped"):
            click.echo(
                f"    {host}  {entry.get('outcome') or 'not tried yet'}  {show.reason(entry.get('reason'))}"
            )
    for line in status.sentences(rollout, int(time.time())):
        click.echo(line)

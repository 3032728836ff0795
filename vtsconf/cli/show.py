"""How plans, runs and progress look to a person. Symbols carry the meaning; colour only helps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from vtsconf.cli.problems import Finding, by_host, told
from vtsconf.core.change import Action, Change
from vtsconf.core.outcome import PlanOutcome, RunOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.printable import printable, visible
from vtsconf.core.problem import errors

if TYPE_CHECKING:
    from vtsconf.engine.apply import HostResult

_COLORS = {
    "+": "green",
    "~": "yellow",
    "-": "red",
    "!": "red",
    "=": "cyan",
    "?": "magenta",
    "↻": "blue",
}
_PLAN_SYMBOLS = {PlanOutcome.IN_SYNC: "=", PlanOutcome.CHANGES: "~", PlanOutcome.LOCKED: "?"}
_RUN_SYMBOLS = {
    RunOutcome.UNCHANGED: "=",
    RunOutcome.CHANGED: "+",
    RunOutcome.REVERTED: "-",
    RunOutcome.LOCKED: "?",
    RunOutcome.SKIPPED: "?",
    RunOutcome.WAITING: "?",
}
_SHOWN_IN_SYNC = 10
_REASON = 2000  # characters: a remedy may hold a whole host key, which must not be cut
_LINES_SHOWN = 30  # of one change; `-v` shows all


def paint(symbol: str, text: str | None = None) -> str:
    """`text` (or the symbol itself) in the symbol's colour."""
    return click.style(text or symbol, fg=_COLORS.get(symbol))


def print_json(document: Any) -> None:
    """The one document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def reason(text: object) -> str:
    """What a server, a journal or a person said, fit for a terminal."""
    return printable(str(text or ""), _REASON)


def many(count: int, noun: str) -> str:
    """Count in words: "1 host", "3 hosts"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def show_plan(plan: Plan, *, verbose: int = 0, notes: bool | None = None) -> None:
    """Every host with what would be done there, and the sums; many that are in sync share one line.

    What several hosts have to be told is told once, above them. `notes`: those too; not said: with `verbose`.
    """
    shared, alone = by_host(
        {host.host: host.problems for host in plan.hosts}, notes=bool(verbose) if notes is None else notes
    )
    for finding in shared:
        for line in _finding_lines(finding):
            click.echo(line)
    quiet = [host.host for host in plan.hosts if _is_quiet(host) and not alone[host.host]]
    folded = quiet if len(quiet) > _SHOWN_IN_SYNC and not verbose else []
    for host in plan.hosts:
        if host.host not in folded:
            for line in _host_lines(host, alone[host.host], verbose):
                click.echo(line)
    if folded:
        click.echo(f"{paint('=')} {many(len(folded), 'host')} in sync")
    click.echo(_sums(plan))


def _is_quiet(host: HostPlan) -> bool:
    return host.outcome is PlanOutcome.IN_SYNC and not host.pending_restarts


def _finding_lines(finding: Finding, indent: str = "") -> Iterator[str]:
    first, *others = told(finding)
    yield f"{indent}{paint('!')} {first}"
    yield from (f"{indent}{line}" for line in others)


def _host_lines(host: HostPlan, findings: Sequence[Finding], verbose: int) -> Iterator[str]:
    symbol = _PLAN_SYMBOLS.get(host.outcome, "!")
    yield f"{paint(symbol)} {click.style(host.host, bold=True)}  {_headline(host)}"
    for finding in findings:
        yield from _finding_lines(finding, "    ")
    for change in host.changes:
        yield from change_lines(change, verbose)
    for service in host.restarts:
        owed = any(debt.service == service for debt in host.pending_restarts)
        yield f"  {paint('↻')} restart {service}" + ("  (owed since an earlier change)" if owed else "")
    for debt in host.pending_restarts:
        if debt.service not in host.restarts:
            yield f"  {paint('↻')} {debt.service}: written but not loaded since run {debt.run}"


def _headline(host: HostPlan) -> str:
    match host.outcome:
        case PlanOutcome.IN_SYNC:
            return "in sync"
        case PlanOutcome.CHANGES:
            return ", ".join(
                [
                    *(f"{n} to {a.value}" for a in Action if (n := _count(host.changes, a))),
                    *(f"restart {s}" for s in host.restarts if not host.changes),
                ]
            )
    # The reason repeats the first error, which is told with its place.
    if stops := errors(host.problems):
        how_many = many(len(stops), "error")
        return how_many if host.outcome is PlanOutcome.ERROR else f"{host.outcome}: {how_many}"
    return f"{host.outcome}: {printable(host.reason, _REASON)}"


def _count(changes: Sequence[Change], action: Action) -> int:
    return sum(1 for change in changes if change.action is action)


def change_lines(change: Change, verbose: int) -> Iterator[str]:
    """One change: its address, and what differs; indented by two."""
    symbol = change.action.symbol
    head = f"  {paint(symbol)} {change.address}"
    if _is_short(change.live) and _is_short(change.desired):
        yield f"{head}  {_short(change)}"
        return
    from vtsconf.core.diff import detail

    yield head
    lines = detail(change)
    shown = lines if verbose else lines[:_LINES_SHOWN]
    for line in shown:
        sign = line[:1] if line[:1] in "+-" else ""
        yield "      " + (paint(sign, visible(line)) if sign else visible(line))
    if len(lines) > len(shown):
        yield f"      … {len(lines) - len(shown)} more lines (-v shows them)"


def _is_short(value: Any) -> bool:
    return not isinstance(value, (dict, list)) and "\n" not in str(value) and len(str(value)) < 100


def _short(change: Change) -> str:
    def quote(value: Any) -> str:
        return repr(printable(str(value))) if not change.secret else str(value)

    match change.action:
        case Action.CREATE:
            return quote(change.desired)
        case Action.DELETE:
            return f"{quote(change.live)} → absent"
    return f"{quote(change.live)} → {quote(change.desired)}"


def _sums(plan: Plan) -> str:
    sums = plan.summary
    words = {PlanOutcome.CHANGES: "to change", PlanOutcome.IN_SYNC: "in sync"}
    hosts = ", ".join(f"{sums[o.value]} {words.get(o, o.value)}" for o in PlanOutcome if sums[o.value])
    changes = ", ".join(f"{sums[a.value]} to {a.value}" for a in Action if sums[a.value])
    restarts = f", {many(sums['restarts'], 'restart')}" if sums["restarts"] else ""
    return f"Plan: {many(sums['hosts'], 'host')} ({hosts}); {changes or 'no changes'}{restarts}."


def show_result(result: HostResult) -> None:
    """One host's ending, on stdout."""
    symbol = _RUN_SYMBOLS.get(result.outcome, "!")
    changes = many(result.changes, "change") if result.changes else ""
    about = "  ".join(text for text in (changes, printable(result.reason, _REASON)) if text)
    click.echo(
        f"{paint(symbol)} {click.style(result.host, bold=True)}  {result.outcome}  {about}"
        f"  {click.style(f'({result.seconds:.1f} s)', dim=True)}"
    )
    for line in result.detail.splitlines()[-10:]:
        click.echo(f"      {visible(line)}")
    for service in result.debts:
        click.echo(f"  {paint('↻')} {service}: {_debt(service, result.outcome)}")
    if result.remedy:
        click.echo(f"      to do: {printable(result.remedy, _REASON)}")


def _debt(service: str, outcome: RunOutcome) -> str:
    if outcome is RunOutcome.REVERTED:
        return (
            f"the old bytes are back and {service} was not restarted on them: "
            "restart it by hand, or run apply again"
        )
    return f"written but not loaded: restart it, or give vts.services.{service}.restart"


def show_run(run: str, results: Sequence[HostResult], *, as_json: bool) -> None:
    """How each host ended, for people or as the run document."""
    if as_json:
        from vtsconf.engine.rollout.document import to_json

        print_json(to_json(run, results))
        return
    for result in results:
        show_result(result)

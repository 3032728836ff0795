"""How a migration plan looks to a person: each policy with what it takes and leaves, then tapes, jobs and times."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import click

from vtsconf.cli.problems import Finding, by_host, told
from vtsconf.cli.show import many, paint, reason
from vtsconf.core.migrate.document import histograms
from vtsconf.core.migrate.histogram import blocks
from vtsconf.core.migrate.judge import Tally
from vtsconf.core.migrate.plan import MigrationPlan, Part, Planned, Total, demands, totals
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.schedule import Demand, estimate
from vtsconf.core.migrate.warn import leading, warnings
from vtsconf.core.migrate.why import Why
from vtsconf.core.migrate.words import moment, sized
from vtsconf.core.printable import printable

_SIGNS = {"migrate": "+", "restore": "~", "erase": "-"}
_VERDICTS = {"take": "+", "leave": "=", "unknown": "?"}
_JOBS = 10  # that are listed without `-v`
_HOSTS = 10  # likewise
_OPENINGS = 5  # of a window


def show(plan: MigrationPlan, *, verbose: int = 0) -> None:
    """The whole plan on stdout."""
    sums = totals(plan)
    for line in (
        *_hosts(plan, verbose),
        *_policies(plan, sums, verbose),
        *_warnings(plan),
        *_pictures(plan),
        *_jobs(plan, sums, verbose),
        *_where(sums, verbose),
        *_times(plan, sums, verbose),
        _sum(plan, sums),
    ):
        click.echo(line)


def _hosts(plan: MigrationPlan, verbose: int) -> Iterator[str]:
    shared, alone = by_host({part.host: part.problems for part in plan.parts}, notes=bool(verbose))
    for finding in shared:
        yield from _finding(finding, "")
    quiet = [part for part in plan.parts if part.outcome == "judged" and not alone[part.host]]
    folded = [] if verbose or len(quiet) <= _HOSTS else quiet
    for part in plan.parts:
        if part not in folded:
            yield f"{paint('=' if part.judge else '!')} {click.style(part.host, bold=True)}  {_seen(part)}"
            for finding in alone[part.host]:
                yield from _finding(finding, "    ")
    if folded:
        count, octets = _sums_of(folded)
        yield f"{paint('=')} {many(len(folded), 'host')}  {count:,} tapes, {sized(octets)}"


def _sums_of(parts: Sequence[Part]) -> tuple[int, int]:
    judges = [part.judge for part in parts if part.judge]
    return sum(judge.tapes for judge in judges), sum(judge.bytes for judge in judges)


def _seen(part: Part) -> str:
    if part.judge is None:
        return f"{part.outcome}: {reason(part.reason)}"
    judge = part.judge
    sparse = f", {judge.sparse:,} of them sparse" if judge.sparse else ""
    return f"{judge.tapes:,} tapes, {sized(judge.bytes)}{sparse}"


def _finding(finding: Finding, indent: str) -> Iterator[str]:
    first, *others = told(finding)
    yield f"{indent}{paint('!')} {first}"
    yield from (f"{indent}{line}" for line in others)


def _policies(plan: MigrationPlan, sums: Sequence[Total], verbose: int) -> Iterator[str]:
    tallies = plan.tallies()
    if not tallies:
        yield "No policies: nothing is taken. They stand under vts.policies."
    for name, policy in plan.policies.items():
        yield ""
        yield f"{click.style(name, bold=True)}  {_about(policy, plan.now)}"
        yield from _took(policy, tallies[name], [total for total in sums if total.policy.name == name])
        if leading(tallies[name], 1) != "no tape was seen":
            yield f"  {paint('=')} left: {leading(tallies[name], len(Why) if verbose else 4)}"


def _about(policy: Policy, now: int) -> str:
    where = {"migrate": f" to {policy.bma}", "restore": f" from {policy.bma}"}.get(policy.action, "")
    words = [f"{policy.action}{where}", f"priority {policy.urgency}"]
    if policy.window:
        opens = policy.opens(now)
        is_open = "open" if opens == now else f"opens {moment(opens)}"
        words.append(f"window {policy.window} ({is_open})")
    return ", ".join(words)


def _took(policy: Policy, tally: Tally, sums: Sequence[Total]) -> Iterator[str]:
    taken = f"{tally.taken:,} {'tape' if tally.taken == 1 else 'tapes'}"
    size = "" if policy.action == "erase" else f", {sized(tally.bytes)}"
    sparse = f", {tally.sparse:,} of them sparse" if tally.sparse else ""
    yield f"  {paint(_SIGNS[policy.action] if tally.taken else '=')} takes {taken}{size}{sparse}"
    if later := sum(total.later for total in sums):
        octets = sum(total.later_bytes for total in sums)
        yield f"  {paint('?')} {later:,} of them ({sized(octets)}) are left for the next run"


def _warnings(plan: MigrationPlan) -> Iterator[str]:
    for number, warning in enumerate(warnings(plan)):
        if not number:
            yield ""
        yield f"{paint('!')} {printable(warning.text, 500)}"
        yield from (f"    {printable(path)}" for path in warning.examples)


def _pictures(plan: MigrationPlan) -> Iterator[str]:
    width = shutil.get_terminal_size((80, 24)).columns
    for name, histogram in histograms(plan).items():
        if any(histogram.seen):
            yield ""
            yield f"{name.capitalize()} of tapes (█ taken, ░ left)"
            yield from blocks(histogram, min(width, 100))


def _jobs(plan: MigrationPlan, sums: Sequence[Total], verbose: int) -> Iterator[str]:
    """The first few of this run; all, and those of the next run, with `-v`."""
    count = sum(total.jobs for total in sums)
    if not sums or not (count or verbose):
        return
    yield ""
    yield "Jobs, in the order they would run"
    rows = (row for row in plan.planned() if verbose or not row.later)
    yield from map(_job, rows if verbose else islice(rows, _JOBS))
    if count > _JOBS and not verbose:
        yield f"    … {count - _JOBS:,} more (-v shows them)"


def _job(row: Planned) -> str:
    job = row.job
    sign = paint("?" if row.later else _SIGNS[job.action])
    size = "" if job.action == "erase" else f"  {sized(job.moves)}"
    later = f"  later: {printable(row.later)}" if row.later else ""
    return f"  {sign} {job.action} {printable(job.cartridge)} on {job.host}{size}  ({job.policy}){later}"


def _where(sums: Sequence[Total], verbose: int) -> Iterator[str]:
    if not sums:
        return
    yield ""
    yield "By server and window"
    shown = sums if verbose else sums[: 2 * _HOSTS]
    for total in shown:
        window = str(total.policy.window) if total.policy.window else "always"
        jobs = many(total.jobs, "job")
        yield f"  {total.host}  {total.policy.name}  {window}  {jobs}, {sized(total.bytes)}"
    if len(sums) > len(shown):
        yield f"    … {len(sums) - len(shown):,} more (-v shows them)"


def _times(plan: MigrationPlan, sums: Sequence[Total], verbose: int) -> Iterator[str]:
    found = demands(sums)
    if not found:
        return
    yield ""
    assumed = f"assuming {sized(plan.rate)}/s a drive, and nothing else on the drives" if plan.rate else ""
    yield f"Drives and time{f' ({assumed})' if assumed else ': --rate 150MB/s would say when it ends'}"
    for (name, window), demand in found.items():
        at_once = f"{demand.lanes:,} at once on {many(demand.drives, 'drive')}"
        yield f"  {name}  {window}  {many(demand.jobs, 'job')}, {sized(demand.bytes)}, {at_once}"
        if plan.rate:
            yield from _openings(demand, plan, verbose)


def _openings(demand: Demand, plan: MigrationPlan, verbose: int) -> Iterator[str]:
    made = estimate(demand, plan.rate, plan.now)
    shown = made.openings if verbose else made.openings[:_OPENINGS]
    for opening in shown if demand.window else ():
        closes = moment(opening.closes) if opening.closes is not None else ""
        yield f"    {moment(opening.opens)} - {closes}  {sized(opening.bytes)}"
    if demand.window and len(made.openings) > len(shown):
        yield f"    … {len(made.openings) - len(shown)} more openings (-v shows them)"
    yield (
        f"    ends {moment(made.ends)}"
        if made.ends is not None
        else "    does not end within a year of openings"
    )


def _sum(plan: MigrationPlan, sums: Sequence[Total]) -> str:
    def jobs(action: str) -> int:
        return sum(total.jobs for total in sums if total.policy.action == action)

    count, octets = _sums_of(plan.parts)
    wanted = ", ".join(f"{jobs(a):,} to {a}" for a in ("restore", "migrate", "erase") if jobs(a))
    moves = sum(total.bytes for total in sums)
    later = sum(total.later for total in sums)
    rest = f"; {later:,} left for the next run" if later else ""
    simulated = f" as of {moment(plan.now)}" if plan.now != plan.made else ""
    hosts = many(len(plan.parts), "host")
    return (
        f"\nMigration plan{simulated}: {hosts}, {count:,} tapes ({sized(octets)}); "
        f"{wanted or 'nothing to do'}{f' ({sized(moves)})' if moves else ''}{rest}."
    )


def show_decisions(rows: Sequence[dict[str, Any]]) -> None:
    """Everything that was decided about one tape, or those of its name."""
    last = ("", "")
    for row in rows:
        tape = (row["host"], row["cartridge"])
        if tape != last:
            click.echo(f"{click.style(printable(row['cartridge']), bold=True)} on {row['host']}")
            last = tape
        word = paint(_VERDICTS[row["verdict"]], f"{_VERDICTS[row['verdict']]} {row['verdict']}")
        click.echo(f"  {word}  {row['policy']}: {printable(row['reason'], 900)}")

"""Problems as a person reads them: by file and line, each with what, why and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import click

from vtsconf.core.printable import printable
from vtsconf.core.problem import Level, Problem
from vtsconf.core.problem import to_json as flat

_COLORS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "blue"}
_ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTE: 2}


@dataclass(frozen=True)
class Finding:
    """A problem and all the hosts that have it: a mistake in group_vars is one, not a hundred."""

    problem: Problem
    hosts: tuple[str, ...]


def gathered(problems: Iterable[Problem]) -> list[Finding]:
    """The same problem of many hosts is one finding; sorted by file, line and column."""
    hosts: dict[tuple[Any, ...], list[str]] = {}
    firsts: dict[tuple[Any, ...], Problem] = {}
    for problem in problems:
        key = (problem.place, problem.what, problem.level, problem.address)
        firsts.setdefault(key, problem)
        names = hosts.setdefault(key, [])
        if problem.host and problem.host not in names:
            names.append(problem.host)
    return sorted((Finding(firsts[key], tuple(hosts[key])) for key in firsts), key=_rank)


def by_host(
    problems: Mapping[str, Iterable[Problem]], *, notes: bool
) -> tuple[list[Finding], dict[str, list[Finding]]]:
    """Of many hosts' problems: those that several share, each once, and then what every host has alone."""
    shown = [
        replace(problem, host=host)
        for host, some in problems.items()
        for problem in some
        if notes or problem.level is not Level.NOTE
    ]
    shared: list[Finding] = []
    alone: dict[str, list[Finding]] = {host: [] for host in problems}
    for finding in gathered(shown):
        (shared if len(finding.hosts) > 1 else alone[finding.hosts[0]]).append(finding)
    return shared, alone


def _rank(finding: Finding) -> tuple[Any, ...]:
    place = finding.problem.place
    where = (place.file, place.line, place.column) if place else ("", 0, 0)
    return (*where, _ORDER[finding.problem.level], finding.problem.what)


def show_problems(problems: Iterable[Problem], *, verbose: int = 0) -> None:
    """Print them on stderr, grouped by file. Notes only when there is something to be verbose about."""
    findings = [f for f in gathered(problems) if verbose or f.problem.level is not Level.NOTE]
    for file, group in groupby(findings, key=_file):
        if file:
            click.echo(click.style(printable(file), bold=True), err=True)
        for alike in _alike(group):
            click.echo(_lines(alike), err=True)


def _file(finding: Finding) -> str:
    return finding.problem.place.file if finding.problem.place else ""


def _alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Those of one file that say the same, together, in the order of their first."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        problem = finding.problem
        groups.setdefault((problem.level, problem.code, problem.what, problem.why), []).append(finding)
    return list(groups.values())


def summary(problems: Sequence[Problem]) -> str:
    """How many of each: "2 errors, 1 warning"."""
    counts = count(problems)
    words = [f"{n} {level}{'' if n == 1 else 's'}" for level, n in counts.items() if n and level != "note"]
    return ", ".join(words) or "no problems"


def count(problems: Iterable[Problem]) -> dict[str, int]:
    """Findings by level."""
    levels = [finding.problem.level for finding in gathered(problems)]
    return {level.value: levels.count(level) for level in Level}


def to_json(finding: Finding) -> dict[str, Any]:
    """A finding as `vtsconf/validation/1` has it: a problem as in every document, its hosts in place of one."""
    document: dict[str, Any] = flat(finding.problem)
    del document["host"]
    return {**document, "hosts": list(finding.hosts)}


def told(finding: Finding) -> Iterator[str]:
    """One finding where no file heads it: its place, what, why and what to do; its hosts where it has several."""
    problem = finding.problem
    level = click.style(problem.level.value, fg=_COLORS[problem.level])
    place = f"{printable(str(problem.place))}: " if problem.place else ""
    code = f" [{problem.code}]" if problem.code else ""
    yield f"{level}: {place}{printable(problem.what, 600)}{code}"
    if problem.why:
        yield f"  why: {printable(problem.why, 600)}"
    if problem.remedy:
        yield f"  to do: {printable(problem.remedy, 600)}"
    if len(finding.hosts) > 1:
        yield f"  hosts: {_first(finding.hosts)}"


def _lines(alike: Sequence[Finding]) -> str:
    problem = alike[0].problem
    hosts = list(dict.fromkeys(host for finding in alike for host in finding.hosts))
    also = [_position(finding) for finding in alike[1:]]
    level = click.style(problem.level.value, fg=_COLORS[problem.level], bold=True)
    code = f" [{problem.code}]" if problem.code else ""
    lines = [f"  {_position(alike[0]):>7} {level}: {printable(problem.what)}{code}"]
    lines += [f"{'':>10}why: {printable(problem.why, 600)}"] if problem.why else []
    lines += [f"{'':>10}to do: {printable(problem.remedy, 600)}"] if problem.remedy else []
    lines += [f"{'':>10}source: {printable(problem.source)}"] if problem.source else []
    lines += [f"{'':>10}also at: {_first(also)}"] if also else []
    lines += [f"{'':>10}hosts: {_first(hosts)}"] if hosts else []
    return "\n".join(lines)


def _position(finding: Finding) -> str:
    place = finding.problem.place
    return f"{place.line}:{place.column}" if place else ""


def _first(words: Sequence[str]) -> str:
    more = f" and {len(words) - 5} more" if len(words) > 5 else ""
    return printable(", ".join(words[:5]) + more)

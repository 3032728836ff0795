"""How drift looks to a person: hosts with the same findings share one entry, hints stand apart from facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import click

from vtsconf.cli.problems import Finding as Trouble
from vtsconf.cli.problems import by_host, told
from vtsconf.cli.show import change_lines, many, paint
from vtsconf.core.change import Action, Change
from vtsconf.core.drift.finding import Class, Finding, FleetDrift, HostDrift, Verdict
from vtsconf.core.printable import printable
from vtsconf.core.problem import errors

_NAMES = 5  # hosts of one entry that are named; `-v` names all
_HINTED = 3  # hosts of one entry whose hints are shown
_REASON = 2000  # characters
_SYMBOLS = {Class.NOT_LOADED: "↻", Class.UNMANAGED: "?", Class.COSMETIC: "="}


def show_drift(fleet: FleetDrift, *, verbose: int = 0) -> None:
    """Every host in exactly one entry, then the sums."""
    shared, alone = by_host(
        {host.name: host.plan.problems for host in fleet.hosts if not _is_quiet(host, fleet)},
        notes=bool(verbose),
    )
    for trouble in shared:
        _print(_trouble_lines(trouble, ""))
    entries: dict[tuple[str, ...], list[HostDrift]] = {}
    for host in fleet.hosts:
        lines = tuple(_lines(host, alone.get(host.name, ()), fleet, verbose))
        entries.setdefault(lines, []).append(host)
    for lines, hosts in entries.items():
        _print(_entry(lines, hosts, fleet, verbose))
    click.echo(_sums(fleet))


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


def _is_quiet(host: HostDrift, fleet: FleetDrift) -> bool:
    return host.is_compared and not host.told(fleet.rule)


def _entry(
    lines: tuple[str, ...], hosts: Sequence[HostDrift], fleet: FleetDrift, verbose: int
) -> Iterator[str]:
    """Their names and how the comparison ended, the findings they share, and hints on some of them."""
    head, *body = lines
    first = hosts[0]
    symbol = "!" if not first.is_compared else "=" if first.verdict(fleet.rule) is Verdict.SAME else "~"
    yield f"{paint(symbol)} {click.style(_names(hosts, verbose), bold=True)}  {head}"
    yield from body
    hinted = [host for host in hosts if host.hints]
    if hinted:
        yield f"  {paint('?')} hints: what stood near in time; it proves nothing"
    for host in hinted if verbose else hinted[:_HINTED]:
        yield from _hint_lines(host, named=len(hosts) > 1)
    if len(hinted) > _HINTED and not verbose:
        yield f"      … hints on {many(len(hinted) - _HINTED, 'more host')} (-v shows them)"


def _names(hosts: Sequence[HostDrift], verbose: int) -> str:
    names = [host.name for host in hosts]
    if len(names) <= _NAMES or verbose:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES])} and {many(len(names) - _NAMES, 'more host')}"


def _lines(host: HostDrift, troubles: Sequence[Trouble], fleet: FleetDrift, verbose: int) -> Iterator[str]:
    yield _headline(host, fleet)
    for trouble in troubles:
        yield from _trouble_lines(trouble, "    ")
    findings = host.told(fleet.rule)
    mild = [] if verbose else [finding for finding in findings if not fleet.rule.counts(finding)]
    for finding in findings:
        if finding not in mild:
            yield from _finding_lines(finding, verbose)
    if mild and host.verdict(fleet.rule) is not Verdict.SAME:
        counts = Counter(finding.cls for finding in mild)
        told = ", ".join(f"{counts[cls]} {cls}" for cls in Class if counts[cls])
        yield f"  {paint('=')} {told}: no difference that counts (-v shows them)"


def _headline(host: HostDrift, fleet: FleetDrift) -> str:
    if host.is_compared:
        found = sum(map(fleet.rule.counts, host.findings))
        return many(found, "finding") if found else "the same"
    if stops := errors(host.plan.problems):
        return f"not compared, {host.plan.outcome}: {many(len(stops), 'error')}"
    return f"not compared, {host.plan.outcome}: {printable(host.plan.reason, _REASON)}"


def _trouble_lines(trouble: Trouble, indent: str) -> Iterator[str]:
    first, *others = told(trouble)
    yield f"{indent}{paint('!')} {first}"
    yield from (f"{indent}{line}" for line in others)


def _finding_lines(finding: Finding, verbose: int) -> Iterator[str]:
    if finding.live is None and finding.desired is None:
        yield f"  {paint(_SYMBOLS[finding.cls])} {printable(finding.address)}"
    elif finding.cls is Class.UNMANAGED or (finding.desired is None and finding.cls is Class.COSMETIC):
        shown = str(finding.live) if finding.secret else repr(printable(str(finding.live), 100))
        yield f"  {paint(_SYMBOLS[finding.cls])} {printable(finding.address)}  {shown}"
    else:
        yield from change_lines(_change(finding), verbose)
    yield f"      {finding.cls}: {printable(finding.reason, 600)}"


def _change(finding: Finding) -> Change:
    """As a plan shows it: what `apply` would do."""
    created, deleted = finding.live is None, finding.desired is None
    return Change(
        address=printable(finding.address),
        action=Action.CREATE if created else Action.DELETE if deleted else Action.UPDATE,
        live=finding.live,
        desired=finding.desired,
        secret=finding.secret,
    )


def _hint_lines(host: HostDrift, *, named: bool) -> Iterator[str]:
    from vtsconf.cli.facts import moment

    for hint in host.hints:
        when = "" if hint.at is None else f"{moment(hint.at)}  "
        whose = f"{host.name}: " if named else ""
        yield f"      {whose}{when}{printable(hint.text, 400)}"


def _sums(fleet: FleetDrift) -> str:
    words = {"same": "the same", "differs": "different"}
    hosts = ", ".join(f"{count} {words.get(how, how)}" for how, count in fleet.outcomes.items() if count)
    found = ", ".join(f"{count} {cls}" for cls, count in fleet.classes.items() if count)
    left_out = ", ".join(sorted(fleet.rule.ignored))
    ignored = f"; {left_out} left out" if left_out else ""
    return f"Drift: {many(len(fleet.hosts), 'host')} ({hosts}); {found or 'no findings'}{ignored}."

"""`vtsconf facts`: what servers say about themselves."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime

import click

from vtsconf.cli import options
from vtsconf.core.outcome import worst
from vtsconf.core.printable import printable
from vtsconf.engine.facts import ConfigFile, Facts, HostFacts, size


@click.command(epilog="Examples: `vtsconf facts vts1`, `vtsconf facts -l frankfurt --json`.")
@click.argument("hosts", nargs=-1)
@options.project
@options.parallel
@options.show
def command(
    hosts: tuple[str, ...],
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Show what servers say about themselves: system, clock, disks, services, configuration file, backup client.

    One connection and one command for each; nothing is changed there, except that the leavings of a run that
    died are settled, as every contact does.
    """
    from vtsconf.cli import show
    from vtsconf.cli.looking import look_at
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.facts import facts_of_host, to_json

    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    results = look_at(
        shop,
        ":".join(hosts) if hosts else limit,
        work=lambda outline: facts_of_host(outline, shop.reach, time.time, shop.fingerprints),
        invalid=lambda host, error: HostFacts(host=host, exit=error.exit, reason=str(error)),
        quiet=as_json,
    )
    if as_json:
        show.print_json(to_json(results))
    else:
        for result in results:
            for line in _lines(result, verbose):
                click.echo(line)
    return worst(result.exit for result in results)


def _lines(result: HostFacts, verbose: int) -> Iterator[str]:
    from vtsconf.cli.show import paint

    if result.facts is None:
        yield f"{paint('!')} {click.style(result.host, bold=True)}  {printable(result.reason, 2000)}"
        if result.remedy:
            yield f"      to do: {printable(result.remedy, 2000)}"
        return
    yield click.style(result.host, bold=True)
    for name, text in _rows(result.facts, verbose):
        yield f"  {name:<12} {text}"


def _rows(facts: Facts, verbose: int) -> Iterator[tuple[str, str]]:
    yield "system", f"{facts.release or '?'}, {facts.kernel or '?'}"
    yield "user", f"{facts.user or '?'} (uid {facts.uid})"
    yield "clock", _clock(facts)
    if facts.ssh:
        ssh = facts.ssh
        yield "ssh", f"{ssh.server_version}; {ssh.auth}; {', '.join(_algorithms(facts))}"
        yield "host key", f"{ssh.host_key} {ssh.fingerprint}"
    for disk in facts.disks:
        about = "" if disk.present else " (not there yet)"
        yield "disk", f"{disk.path}{about}: {size(disk.free)} free of {size(disk.total)} on {disk.mount}"
    if facts.config_file:
        yield "config file", _config_file(facts.config_file)
    for service in facts.services:
        yield "service", f"{service.name}: {service.status}" + (f" ({service.said})" if service.said else "")
    for client in facts.clients:
        yield client.bma, f"{client.fact}: {client.text}" + ("" if client.ok else "  !")
    yield from _ledger(facts)
    for line in facts.journal if verbose else facts.journal[-3:]:
        yield "journal", told(line)


def _clock(facts: Facts) -> str:
    if facts.skew is None:
        return "it did not tell"
    how = (
        f"{abs(facts.skew)} s {'ahead of' if facts.skew > 0 else 'behind'} ours" if facts.skew else "as ours"
    )
    return f"{moment(facts.clock)}, {how}"


def _algorithms(facts: Facts) -> Iterator[str]:
    assert facts.ssh
    for name in filter(None, (facts.ssh.kex, facts.ssh.cipher, facts.ssh.mac)):
        yield f"{name} (outdated!)" if name in facts.ssh.outdated else name


def _config_file(file: ConfigFile) -> str:
    if file.kind != "file":
        return f"{file.path}: {file.kind}"
    counts = ", ".join(f"{n} {family}" for family, n in file.parameters.items()) or "no parameters"
    twice = f"; set more than once: {', '.join(file.duplicates)}" if file.duplicates else ""
    digest = f"{'keyed' if file.keyed else 'sha256'}:{file.digest[:12]}"
    about = f"{file.size} bytes, {file.owner}:{file.group} {file.mode}, changed {moment(file.mtime)}"
    return f"{file.path}: {about}, {digest}; {counts}{twice}"


def _ledger(facts: Facts) -> Iterator[tuple[str, str]]:
    for sentence in facts.settled:
        yield "settled", printable(sentence)
    if facts.lock:
        yield (
            "lock",
            printable(f"run {facts.lock.run} by {facts.lock.holder} since {moment(facts.lock.since)}"),
        )
    if facts.pending:
        p = facts.pending
        yield "armed", printable(f"run {p.run} by {p.holder}, takes itself back at {moment(p.until)}")
    for debt in facts.debts:
        yield "↻ owed", printable(f"{debt.service}: written but not loaded since run {debt.run}")


def moment(seconds: int) -> str:
    """A time as people read it here, and as `vtsconf history` shows it: by this controller's zone."""
    try:
        return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):  # a server may claim any number
        return f"second {seconds}"


def told(line: str) -> str:
    """A line of a server's journal: it begins with seconds since 1970."""
    at, _, event = line.partition(" ")
    return printable(f"{moment(int(at))} {event}" if re.fullmatch("[0-9]{1,12}", at) else line)

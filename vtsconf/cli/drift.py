"""`vtsconf drift`: is every server what the documents say? For cron: quiet when yes, exit 2 when no."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vtsconf.cli import options
from vtsconf.core.errors import VtsconfError
from vtsconf.core.outcome import Exit, worst

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop
    from vtsconf.core.drift.finding import FleetDrift, HostDrift, Rule

# As in `core.drift.finding.Class`, which `--help` does not load.
CLASSES = ("edited", "not-applied", "not-loaded", "unmanaged", "cosmetic")


@click.command(
    epilog="Examples: `vtsconf drift -i /srv/vts/inventory.yaml || mail …` for cron, "
    "`vtsconf drift --ignore unmanaged --junit drift.xml`, "
    "`vtsconf drift --prometheus /var/lib/node_exporter/textfile/vtsconf_drift.prom`."
)
@options.project
@options.parallel
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    type=click.Choice(CLASSES),
    metavar="CLASS",
    help=f"Neither tell nor count findings of this class: {', '.join(CLASSES)}.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Count what is cosmetic too, and unmanaged keys that were there before our last run.",
)
@click.option("--no-hints", is_flag=True, help="Do not ask servers who may have edited them, and when.")
@click.option(
    "--junit", metavar="FILE", help="Write JUnit XML there: a suite a host, a test case an address."
)
@click.option("--prometheus", metavar="FILE", help="Write metrics there, for node_exporter's textfiles.")
@options.show
def command(
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    ignored: tuple[str, ...],
    strict: bool,
    no_hints: bool,
    junit: str | None,
    prometheus: str | None,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Compare the servers with the documents. Exit 0: the same; 2: one differs. Changes nothing.

    Every finding has a class and a reason. What is cosmetic, and an unmanaged key that was there before our last run, is
    told and does not count, unless --strict says so. A server that could not be compared is never taken for one that is
    the same.
    """
    from vtsconf.cli import show
    from vtsconf.cli.drifting import show_drift
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.drift.document import to_json
    from vtsconf.core.drift.finding import Class, Rule

    reports = {"junit": junit, "prometheus": prometheus}
    wanted = {kind: Path(name) for kind, name in reports.items() if name is not None}
    _check_folders(wanted.values())
    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    rule = Rule(ignored=frozenset(map(Class, ignored)), strict=strict)
    fleet = _compare(shop, limit, rule, hints=not no_hints, quiet=as_json)
    written = _write(wanted, fleet)
    if as_json:
        show.print_json(to_json(fleet))
    elif verbose or fleet.exit is not Exit.DONE:
        show_drift(fleet, verbose=verbose)
    return worst((fleet.exit, written))


def _compare(shop: Shop, limit: str | None, rule: Rule, *, hints: bool, quiet: bool) -> FleetDrift:
    from vtsconf.cli.planning import prepared
    from vtsconf.cli.progress import Progress
    from vtsconf.core.resource import Keys
    from vtsconf.engine.collect import Wish
    from vtsconf.engine.drift import Search, drift_fleet
    from vtsconf.engine.drift.memory import Memory

    started = time.time()
    preparation = prepared(shop, limit)
    memory = Memory(lambda: shop.journal)
    search = Search(
        reach=shop.reach,
        keys=Keys(secrets=preparation.secrets, fingerprints=shop.fingerprints),
        memory=memory,
        wish=Wish(confirm_within=shop.settings.confirm_within),
        hints=hints,
        ignored=rule.ignored,
    )
    # For cron: whoever is not watching hears nothing of the way.
    with Progress("reading", len(preparation.ready), quiet=quiet or not sys.stderr.isatty()) as progress:
        hosts = drift_fleet(preparation, search, parallel=shop.settings.parallel, done=progress.done)
    if memory.trouble:
        click.echo(f"warning: {memory.trouble}; who wrote what is not known", err=True)
    return _fleet(shop, hosts, rule, started)


def _fleet(shop: Shop, hosts: Mapping[str, HostDrift], rule: Rule, started: float) -> FleetDrift:
    """All of them, in the inventory's order."""
    from vtsconf.core.drift.finding import FleetDrift
    from vtsconf.core.plan import Plan

    found = tuple(hosts[name] for name in shop.project.inventory.hosts if name in hosts)
    plans = tuple(host.plan for host in found)
    plan = Plan(made=shop.now, by=shop.holder, revision=shop.revision(), hosts=plans)
    return FleetDrift(plan=plan, hosts=found, rule=rule, started=started, ended=time.time())


def _check_folders(paths: Iterable[Path]) -> None:
    """Told before a thousand servers are asked."""
    for path in paths:
        if not path.parent.is_dir():
            raise VtsconfError(
                f"the report cannot be written to {path}: there is no such folder",
                remedy="make the folder, or name another",
            )


def _write(wanted: Mapping[str, Path], fleet: FleetDrift) -> Exit:
    """Every report that can be written is; what cannot is told, and the findings are told all the same."""
    from vtsconf.cli.failure import explain
    from vtsconf.engine.drift.file import write_whole

    endings = [Exit.DONE]
    for kind, path in wanted.items():
        try:
            write_whole(path, _text(kind, fleet))
        except VtsconfError as error:
            endings.append(explain(error))
    return worst(endings)


def _text(kind: str, fleet: FleetDrift) -> str:
    if kind == "junit":
        from vtsconf.core.drift.junit import junit

        return junit(fleet)
    from vtsconf.core.drift.prometheus import prometheus

    return prometheus(fleet)

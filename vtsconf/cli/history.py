"""`vtsconf history`: who changed what, when, from which revision, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from vtsconf.cli import options

if TYPE_CHECKING:
    from vtsconf.core.runs import RunSeen
    from vtsconf.engine.journal import Journal

_JOBS = ("migrate", "restore")  # runs of jobs, not of servers: `summary` counts jobs by status


@click.command(
    epilog="Examples: `vtsconf history`, `vtsconf history 20261123-0624`, `vtsconf history -l vts1 --json`."
)
@click.argument("run", required=False)
@options.project
@click.option(
    "-n", "count", type=click.IntRange(1), default=20, metavar="N", help="The last N runs.  [default: 20]"
)
@options.show
def command(
    run: str | None,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    count: int,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Show the journal of this controller: the last runs, or one RUN (its first letters will do) with its changes."""
    from vtsconf.cli import show
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.errors import Usage

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    hosts = {host.name for host in shop.project.hosts(limit)} if limit else None
    runs = list(islice(_found(shop.journal, run or "", hosts), count))[::-1]
    if run and not runs:
        raise Usage(f"there is no run {run!r} in the journal", remedy="`vtsconf history` lists the runs")
    if as_json:
        show.print_json({"format": "vtsconf/history/1", "runs": [_document(r) for r in runs]})
        return 0
    for seen in runs:
        _show(seen, details=bool(run or verbose))
        if run:
            _show_changes(shop.journal.plans(seen.run), notes=bool(verbose))
    return 0


def _found(journal: Journal, run: str, hosts: Collection[str] | None) -> Iterator[RunSeen]:
    """Newest first. Each is read when it is asked for: a journal may hold millions of events."""
    for name in reversed(journal.run_names()):
        for seen in journal.runs([name]) if name.startswith(run) else ():
            if hosts is None or not seen.hosts.keys().isdisjoint(hosts):
                yield seen


def _document(run: RunSeen) -> dict[str, Any]:
    return {
        "run": run.run,
        "command": run.command,
        "by": run.by,
        "revision": run.revision,
        "reverses": run.reverses,
        "started": run.started,
        "finished": run.finished,
        "summary": run.summary,
        "hosts": [{"host": name, **entry} for name, entry in run.hosts.items()],
    }


def _show(run: RunSeen, *, details: bool) -> None:
    when = datetime.fromtimestamp(run.started).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    outcomes: dict[str, int] = {}
    for entry in run.hosts.values():
        word = entry.get("outcome") or "not begun"
        outcomes[word] = outcomes.get(word, 0) + 1
    if run.command in _JOBS:
        outcomes = {str(word).replace("_", " "): n for word, n in sorted(run.summary.items())}
    sums = ", ".join(f"{n} {word}" for word, n in outcomes.items())
    revision = f"  from {run.revision}" if run.revision else ""
    back = f" of {run.reverses}" if run.reverses else ""
    what = "of another controller" if run.is_strange else f"{run.command}{back}  by {run.by}{revision}"
    unfinished = "  (did not end)" if run.is_open else ""
    click.echo(f"{click.style(run.run, bold=True)}  {when}  {what}  {sums}{unfinished}")
    for name, entry in run.hosts.items() if details else ():
        reason = f"  {entry['reason']}" if entry.get("reason") else ""
        click.echo(f"    {name}  {entry.get('outcome') or 'not begun'}{reason}")


def _show_changes(documents: dict[str, str], *, notes: bool) -> None:
    from vtsconf.cli import show
    from vtsconf.core import plan as plans

    for host, document in documents.items():
        plan = plans.load(document.encode(), f"the journal's plan for {host}")
        show.show_plan(plan, verbose=1, notes=notes)

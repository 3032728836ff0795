"""What `apply` and `rollback` share: ask, carry out with progress, show how each host ended, exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from vtsconf.cli import show
from vtsconf.cli.progress import Progress
from vtsconf.cli.wiring import Shop, check_references, stoppable
from vtsconf.core.connection import Target
from vtsconf.core.errors import Locked, Refused, Usage
from vtsconf.core.outcome import Exit, PlanOutcome, RunOutcome, worst
from vtsconf.core.plan import Plan, load
from vtsconf.engine.apply import HostResult
from vtsconf.engine.prepare import Preparation
from vtsconf.engine.project import Project
from vtsconf.engine.rollout.desk import Desk, Watch
from vtsconf.engine.rollout.document import summary, to_json
from vtsconf.engine.rollout.plain import carry_out

_LARGEST = 256 * 1024 * 1024  # bytes of a plan file


def ask(
    question: str, *, no_input: bool, declined: str = "nothing was changed", remedy: str = "give --yes"
) -> None:
    """Yes, or the end with exit 1. Without anybody to ask: Refused, with `remedy`."""
    if no_input or not sys.stdin.isatty():
        why = "--no-input was given" if sys.stdin.isatty() else "stdin is no terminal"
        raise Refused(f"there is nobody to ask: {why}", remedy=remedy)
    try:
        agreed = click.confirm(question, default=False, err=True)
    except click.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        agreed = False  # the end of input (^D) is no yes; only ^C interrupts
    if not agreed:
        click.echo(f"{declined}: you said no", err=True)
        raise click.exceptions.Exit(Exit.ERROR)


def load_plan(
    shop: Shop, path: Path, limit: str | None, *, confirm_within: int | None = None
) -> tuple[Plan, Preparation]:
    """A saved plan, or the part of it that `limit` selects. The documents are read for the connections only."""
    if path.stat().st_size > _LARGEST:
        raise Refused(f"{path} is larger than any plan", remedy="make the plan again")
    plan = load(path.read_bytes(), str(path))
    selected = {host.name for host in shop.project.hosts(limit)}
    known = set(shop.project.inventory.hosts)
    strangers = [host.host for host in plan.hosts if host.host not in known]
    if strangers:
        raise Refused(
            f"{path} is a plan of another fleet: {', '.join(strangers[:3])} "
            f"{'is' if len(strangers) == 1 else 'are'} not in {shop.project.source}",
            remedy="give the inventory that it was made from with -i",
        )
    hosts = tuple(host for host in plan.hosts if host.host in selected)
    if not hosts:
        named = ", ".join(host.host for host in plan.hosts[:3]) or "no host at all"
        raise Usage(
            f"no host is selected: {path} is a plan for {named}",
            remedy="name one of its hosts with --limit, or make the plan again",
        )
    for host in hosts:
        check_references(shop, host, str(path), remedy="make the plan again")
    if confirm_within:
        hosts = tuple(replace(host, confirm_within=confirm_within) for host in hosts)
    return replace(plan, hosts=hosts), Preparation()


def warn_of_extra(project: Project) -> None:
    """With a saved plan, `-e` can still say how a server is reached, but no longer what it is to be."""
    names = project.extra.entries if project.extra else ()
    if late := [name for name in names if not name.startswith(("ansible_", "vts_"))]:
        click.echo(
            f"warning: a saved plan is carried out as it is: -e {', '.join(late[:5])} has no effect on it",
            err=True,
        )


def change(
    shop: Shop,
    plan: Plan,
    preparation: Preparation,
    *,
    confirm: bool = True,
    as_json: bool = False,
    verbose: int = 0,
) -> int:
    """Carry the plan out; returns the exit code of the worst host. Where nothing has work there is no run."""
    run = shop.new_run() if any(host.has_work for host in plan.hosts) else ""
    progress = Progress("changing", len(plan.hosts), quiet=as_json and not verbose, events=bool(verbose))

    def done(result: HostResult) -> None:
        progress.done(result.host)
        if not as_json and (verbose or result.outcome is not RunOutcome.UNCHANGED):
            with progress.aside():
                show.show_result(result)

    refuse_claimed(shop, plan)
    desk = Desk(
        run=run,
        order=replace(shop.order(run), confirm=confirm, on_event=progress.event),
        journal=shop.journal,
        find_targets=lambda _: targets_of(shop, plan, preparation),
        now=time.time,
        parallel=shop.settings.parallel,
        watch=Watch(done=done, stop=shop.stop),
    )
    with stoppable(shop.stop), progress:
        results = carry_out(plan, desk, "rollback" if plan.reverses else "apply")
    if as_json:
        show.print_json(to_json(run, results))
    else:
        _say_sums(run, results)
    return worst(result.outcome.exit for result in results)


def refuse_claimed(shop: Shop, plan: Plan) -> None:
    """A server that a rollout still holds is not changed behind its back."""
    work = [host.host for host in plan.hosts if host.has_work]
    if not (work and shop.journal.exists):
        return
    for host, claim in shop.journal.claims(work).items():
        raise Locked(
            f"{host} is held by rollout {claim.run} of {claim.holder}",
            remedy=f"`vtsconf rollout status {claim.run}` shows it; `vtsconf rollout abort {claim.run}` ends it; "
            "or leave its servers out with --limit",
        )


def targets_of(shop: Shop, plan: Plan, preparation: Preparation) -> Mapping[str, Target]:
    """How to reach the hosts of a plan."""
    known = {ready.name: ready.target for ready in preparation.ready}
    meant = {h.host for h in plan.hosts if h.outcome in (PlanOutcome.CHANGES, PlanOutcome.IN_SYNC)}
    wanted = meant - set(known)
    return known | (shop.targets(wanted) if wanted else {})


def _say_sums(run: str, results: list[HostResult]) -> None:
    counts = summary(results)
    words = ", ".join(f"{n} {o}" for o, n in counts.items() if n and o not in ("hosts", "changes"))
    hosts, changes = show.many(counts["hosts"], "host"), show.many(counts["changes"], "change")
    click.echo(f"{f'Run {run}' if run else 'Nothing was done'}: {hosts} ({words}); {changes}.")

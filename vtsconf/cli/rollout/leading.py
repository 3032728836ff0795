"""Leads a rollout from this terminal until it ends, pauses, or is left; tells what happens meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import click

from vtsconf.cli.rollout.follow import Follower
from vtsconf.cli.rollout.shared import conclude, form
from vtsconf.cli.wiring import check_references, stoppable
from vtsconf.core.errors import Refused
from vtsconf.core.outcome import Exit
from vtsconf.core.plan import HostPlan
from vtsconf.core.printable import printable
from vtsconf.core.rollout.move import Approval, Wait, next_move
from vtsconf.core.rollout.state import Rollout
from vtsconf.engine.rollout import control
from vtsconf.engine.rollout.desk import Desk, Watch
from vtsconf.engine.rollout.lead import flows_of, leader, leg_of, queues_of, servers

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop
    from vtsconf.core.connection import Target
    from vtsconf.core.rollout.strategy import Strategy
    from vtsconf.core.secret import Secrets
    from vtsconf.engine.durable import Engine, Work
    from vtsconf.engine.rollout.own import Commands

_LOOK = 0.1  # seconds between two looks at the journal
_GLANCE = 0.5  # the same, where nothing is led


def desk_for(shop: Shop, run: str, strategy: Strategy | None = None) -> Desk:
    """The desk of this controller for a run: its plans come from the store, the way to its servers from our documents.

    `strategy`: as it was read here; without it the one of the run's name in our project is meant.
    """

    def secrets_of(plan: HostPlan) -> Secrets:
        check_references(shop, plan, "the plan in the store")  # whoever can write there
        _check_health(shop, plan)
        return order.secrets_of(plan)

    def find(names: Collection[str]) -> Mapping[str, Target]:
        known = set(shop.project.inventory.hosts)
        return shop.targets(set(names) & known)

    @cache
    def checks() -> Commands:
        from vtsconf.engine.rollout.own import checks_named, checks_of

        return (
            checks_of(strategy) if strategy else checks_named(desk.ledger.read().strategy.name, shop.project)
        )

    def own_commands(host: str) -> Commands:
        from vtsconf.engine.rollout.own import health_of

        return health_of(host, shop.project) | checks()

    order = shop.order(run)
    desk = Desk(
        run=run,
        order=replace(order, secrets_of=secrets_of),
        journal=shop.journal,
        find_targets=find,
        now=time.time,
        parallel=shop.settings.parallel,
        shares=shop.settings.store.startswith("postgres"),
        own_commands=own_commands,
        watch=Watch(stop=shop.stop),
    )
    return desk


def _check_health(shop: Shop, plan: HostPlan) -> None:
    """Nor have it run health checks that our documents do not have."""
    from vtsconf.engine.rollout.own import health_of

    asked = [health for health in plan.health if health.on == "controller"]
    known = health_of(plan.host, shop.project) if asked else ()
    if strange := [health.name for health in asked if health.run not in known]:
        raise Refused(
            f"the plan has this controller run a health check that the documents of {plan.host} do not have: {strange[0]}",
            remedy="update your checkout, or make the plan again",
        )


def engine_for(shop: Shop, desk: Desk) -> Engine:
    """An engine for this rollout alone: another one's servers may be no business of our documents."""
    from vtsconf.engine.durable import Engine

    return Engine(shop.settings.store, flows=flows_of(desk), queues=queues_of(desk))


def lead(
    shop: Shop,
    desk: Desk,
    *,
    as_json: bool,
    as_lines: bool = False,
    verbose: int = 0,
    wait: bool = True,
    begin: Callable[[], None] | None = None,
    why: str | None = None,
) -> int:
    """Have it led from here, or follow whoever leads it, until it halts; returns the exit code.

    `begin` writes a new one down, once it is certain that it can be led. With a `why`, "" among them, a pause is over now.
    """
    told = form(as_json=as_json, as_lines=as_lines)
    follower = Follower(shop.journal, desk.run, told, verbose=verbose, skip=begin is None)
    with engine_for(shop, desk) as engine, stoppable(shop.stop):
        if begin:
            begin()
        if why is not None:
            _go_on(engine, desk, shop, why)
        leg = leg_of(desk.ledger)
        _submit(engine, desk.run, leg)
        rollout = _follow(engine, leg, follower, shop, wait=wait)
        work = engine.status(leg)
        if work and work.failure:
            raise work.failure
        code = conclude(rollout, as_json=as_json, as_lines=as_lines)
        if work and not work.state.is_final:
            engine.leave(code)
    return left_off(work) or code


def left_off(work: Work | None) -> int:
    """Tell why it does not go on from here though nobody paused it; 0 where it is not so."""
    halt = work.result if work else None
    if not halt or halt["kind"] != "stopped":
        return 0
    click.echo(f"stopped: {printable(halt['why'], 2000)}", err=True)
    return Exit.ERROR


def join(shop: Shop, desk: Desk, *, as_json: bool, as_lines: bool, verbose: int) -> int:
    """Change servers of its waves from here too, until it halts or this controller is told to leave."""
    told = form(as_json=as_json, as_lines=as_lines)
    follower = Follower(shop.journal, desk.run, told, verbose=verbose, skip=True)
    with engine_for(shop, desk) as engine, stoppable(shop.stop):
        click.echo(
            f"joined rollout {desk.run}; ^C leaves it to the others, or pauses it where this controller leads by then",
            err=True,
        )
        rollout = follower.poll()
        while not (_has_halted(rollout) or (shop.stop.is_set and _is_idle(engine, desk.run))):
            time.sleep(_GLANCE)
            rollout = follower.poll()
        if shop.stop.is_set and rollout.paused_by == shop.holder:
            click.echo("this controller led the rollout by now, and has paused it", err=True)
        engine.leave(conclude(rollout, as_json=as_json, as_lines=as_lines))


def _has_halted(rollout: Rollout) -> bool:
    """Nobody goes on with it before a person says so."""
    return rollout.is_finished or bool(rollout.paused and not (rollout.abort or rollout.stopped))


def _is_idle(engine: Engine, run: str) -> bool:
    """No server is being changed from here."""
    return not any(work.by == engine.name and work.queue == servers(run) for work in engine.running())


def watch(
    shop: Shop, desk: Desk, *, as_json: bool, as_lines: bool, verbose: int, from_start: bool = False
) -> int:
    """Only tell what happens, until it ends or pauses; ^C leaves it alone."""
    told = form(as_json=as_json, as_lines=as_lines)
    follower = Follower(shop.journal, desk.run, told, verbose=verbose, skip=not from_start)
    while True:
        rollout = follower.poll()
        if _has_halted(rollout):
            return conclude(rollout, as_json=as_json, as_lines=as_lines)
        time.sleep(_GLANCE)


def _go_on(engine: Engine, desk: Desk, shop: Shop, why: str) -> None:
    """A pause is over only when whoever led until then has left: two would settle what the other one still changes."""
    leg, is_told = leg_of(desk.ledger), False
    while desk.ledger.read().paused and (work := engine.status(leg)) and not work.state.is_final:
        if not is_told:
            click.echo("waiting: servers that were begun before the pause come to their end", err=True)
            is_told = True
        if shop.stop.is_set:
            engine.leave(Exit.INTERRUPTED)
        time.sleep(_LOOK)
    control.resume(desk.ledger, shop.holder, why)


def _submit(engine: Engine, run: str, leg: str) -> None:
    """Once: what is led already by another controller is left to it, what a dead one led goes on here."""
    work = engine.status(leg)
    if work is None:
        engine.submit(leader(run), leg, {"leg": leg})
    elif work.state.is_final:
        engine.again(leg)


def _follow(engine: Engine, leg: str, follower: Follower, shop: Shop, *, wait: bool) -> Rollout:
    told = ""
    while True:
        work = engine.status(leg)
        rollout = follower.poll()
        if work is None or work.state.is_final:
            return rollout
        move = None if rollout.is_finished else next_move(rollout, int(time.time()))
        if isinstance(move, (Approval, Wait)):
            if move.why != told:
                click.echo(f"waiting: {move.why}", err=True)
                told = move.why
            soaks = isinstance(move, Wait) and move.is_soak
            if shop.stop.is_set or not (wait or soaks):
                return rollout
        time.sleep(_LOOK)

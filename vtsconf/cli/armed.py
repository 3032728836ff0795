"""What `confirm` and `rollback` do with a change that is armed and not confirmed yet."""

from __future__ import annotations

from vtsconf.cli.wiring import Shop
from vtsconf.core.errors import Unreachable, VtsconfError
from vtsconf.core.outcome import RunOutcome
from vtsconf.core.plan import Health
from vtsconf.core.probe import Query
from vtsconf.engine.apply import HEALTH_TIMEOUT, HostResult, ask_here
from vtsconf.engine.fan import fan
from vtsconf.engine.journal import Event
from vtsconf.engine.prepare import Ready
from vtsconf.engine.run import result_json
from vtsconf.transport.server import Confirmed, Server


def settle_all(shop: Shop, limit: str | None, *, run: str | None, keep: bool) -> list[HostResult]:
    """Keep, or take back, what is armed on the selected servers; `run` names the only one that is meant."""
    preparation = shop.prepare(limit)
    made = {
        host.host: HostResult(host=host.host, outcome=RunOutcome.REFUSED, reason=host.reason)
        for host in preparation.invalid
    }

    def work(ready: Ready) -> HostResult:
        try:
            return _settle(shop, ready, run, keep=keep)
        except Unreachable as error:
            return HostResult(
                host=ready.name, outcome=RunOutcome.UNREACHABLE, reason=str(error), remedy=error.remedy
            )
        except VtsconfError as error:
            return HostResult(
                host=ready.name, outcome=RunOutcome.FAILED, reason=str(error), remedy=error.remedy
            )

    for ready, result in fan(preparation.ready, work, parallel=shop.settings.parallel):
        made[ready.name] = result
    return list(made.values())


def _settle(shop: Shop, ready: Ready, run: str | None, *, keep: bool) -> HostResult:
    server = shop.reach(ready.target)
    try:
        pending = server.read((), ready.vts.state_dir).pending
        if pending is None or (run and pending.run != run):
            return HostResult(host=ready.name, outcome=RunOutcome.UNCHANGED, reason="nothing is armed")
        answer = _decide(shop, ready, server, pending.run, keep=keep)
    finally:
        server.close()
    result = _result(ready.name, answer, keep=keep)
    shop.journal.add(
        Event(
            at=shop.now,
            run=pending.run,
            host=ready.name,
            action="host-finished",
            body=result_json(result, pending.run),
        )
    )
    return result


def _decide(shop: Shop, ready: Ready, server: Server, run: str, *, keep: bool) -> Confirmed:
    state_dir = ready.vts.state_dir
    if not keep:
        return server.revert(run, f"taken back by {shop.holder}", state_dir)
    checks = [Health(name=name, run=h.run, on=h.on) for name, h in ready.vts.health.items()]
    if failing := next(
        (c for c in checks if c.on == "controller" and not ask_here(c, ready.name, run)), None
    ):
        return server.revert(run, f"health check {failing.name} failed", state_dir)
    questions = [Query(c.name, c.run, HEALTH_TIMEOUT) for c in checks if c.on == "server"]
    return server.confirm(run, questions, state_dir, shop.holder)


def _result(host: str, answer: Confirmed, *, keep: bool) -> HostResult:
    match answer.outcome:
        case "confirmed":
            outcome = RunOutcome.CHANGED
        case "reverted":
            outcome = RunOutcome.REVERTED if keep else RunOutcome.CHANGED
        case _:
            outcome = RunOutcome.FAILED
    said = "taken back: " if answer.outcome == "reverted" and not keep else ""
    return HostResult(host=host, outcome=outcome, reason=f"{said}{answer.reason}")

"""What `confirm` and `rollback` do with a change that is armed, or was: keep it, take it back, learn how it ended."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from vtsconf.cli.wiring import Shop
from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable, VtsconfError, bug
from vtsconf.core.outcome import RunOutcome
from vtsconf.core.plan import Health
from vtsconf.core.probe import PendingSeen, Query, Reading
from vtsconf.core.runs import RunSeen, find, run_of
from vtsconf.engine import ending
from vtsconf.engine.apply import HEALTH_TIMEOUT, HostResult, ask_here, by_hand, said
from vtsconf.engine.fan import fan
from vtsconf.engine.prepare import Ready
from vtsconf.transport.server import Confirmed, Server


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Keep, or take back; `run` names the only run that is meant. `runs` is what the journal knows."""

    keep: bool
    run: str
    runs: Sequence[RunSeen]

    def past(self, host: str) -> RunSeen | None:
        """The run whose end matters where nothing is armed."""
        if self.run:
            return next((run for run in self.runs if run.run == self.run), RunSeen(run=self.run))
        return ending.latest(self.runs, host)


def settle_all(shop: Shop, limit: str | None, *, run: str | None, keep: bool) -> list[HostResult]:
    """Keep, or take back, what is armed on the selected servers; in the inventory's order.

    `run` may be the first letters of a run in the journal; another controller's run is named in full.
    """
    runs = shop.journal.runs()
    known = run and any(seen.run.startswith(run) for seen in runs)
    wish = Wish(keep=keep, run=find(runs, run).run if run and known else run or "", runs=runs)
    preparation = shop.prepare(limit)
    made = {
        host.host: HostResult(host=host.host, outcome=RunOutcome.REFUSED, reason=host.reason)
        for host in preparation.invalid
    }

    def work(ready: Ready) -> HostResult:
        start = time.monotonic()
        return replace(_guarded(shop, ready, wish), seconds=round(time.monotonic() - start, 3))

    for ready, result in fan(preparation.ready, work, parallel=shop.settings.parallel):
        made[ready.name] = result
    return [made[name] for name in shop.project.inventory.hosts if name in made]


def _guarded(shop: Shop, ready: Ready, wish: Wish) -> HostResult:
    try:
        return _settle(shop, ready, wish)
    except VtsconfError as error:
        lost = isinstance(error, Unreachable)
        outcome = RunOutcome.UNREACHABLE if lost else RunOutcome.FAILED
        return HostResult(host=ready.name, outcome=outcome, reason=str(error), remedy=error.remedy)
    except Exception as error:  # noqa: BLE001 a bug of ours on one host must not hide the others
        return HostResult(host=ready.name, outcome=RunOutcome.FAILED, reason=bug(error))


def common_run(results: Iterable[HostResult]) -> str:
    """The run that all of these speak of; "" for none, or for several."""
    names = {result.run for result in results if result.run}
    return names.pop() if len(names) == 1 else ""


def _settle(shop: Shop, ready: Ready, wish: Wish) -> HostResult:
    server = shop.reach(ready.target)
    try:
        reading = server.read((), ready.vts.state_dir)
        armed = reading.pending
        if armed is None:
            return _look_back(shop, ready, server, reading, wish)
        if wish.run and run_of(armed.run) != wish.run:
            return _another(ready.name, armed)
        answer = _decide(shop, ready, server, armed.run, keep=wish.keep)
    finally:
        server.close()
    result = _ended(shop, ready.name, armed.run, answer, keep=wish.keep)
    return result if answer.outcome == "none" else _noted(shop, result, answer)


def _another(host: str, armed: PendingSeen) -> HostResult:
    return HostResult(
        host=host,
        run=armed.run,
        outcome=RunOutcome.LOCKED,
        reason=f"another run is armed here: {armed.run} by {armed.holder}",
        remedy=f"name that one with --run {armed.run}, or wait until it takes itself back",
    )


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


def _ended(shop: Shop, host: str, run: str, answer: Confirmed, *, keep: bool) -> HostResult:
    """An armed change has just been decided on, by us or by someone who was quicker."""
    blank = HostResult(
        host=host, run=run, outcome=RunOutcome.FAILED, reason=answer.reason, detail=said(answer)
    )
    match answer.outcome:
        case "confirmed" if keep:
            count = ending.changes(shop.journal, run, host)
            reason = f"confirmed by {answer.reason}"
            return replace(blank, outcome=RunOutcome.CHANGED, reason=reason, changes=count)
        case "confirmed":
            return _kept(blank, answer.reason)
        case "reverted" if keep:
            return replace(blank, outcome=RunOutcome.REVERTED)
        case "reverted":
            return replace(blank, outcome=RunOutcome.CHANGED, reason=f"taken back: {answer.reason}")
        case "broken":
            return replace(blank, remedy=by_hand(host))
    return replace(blank, outcome=RunOutcome.LOCKED, remedy="wait until it is done")


def _kept(blank: HostResult, who: str) -> HostResult:
    """Too late to take it back at once."""
    return replace(
        blank,
        outcome=RunOutcome.REFUSED,
        reason=f"nothing is armed: run {blank.run} is kept{f', confirmed by {who}' if who else ''}",
        remedy=f"`vtsconf rollback {blank.run} -l {blank.host}` takes back what was kept",
    )


def _look_back(shop: Shop, ready: Ready, server: Server, reading: Reading, wish: Wish) -> HostResult:
    """Nothing is armed: all is well only if nothing was waiting for us."""
    blank = HostResult(host=ready.name, outcome=RunOutcome.UNCHANGED, reason="nothing is armed")
    seen = wish.past(ready.name)
    if seen is None:
        return blank
    if reading.lock and run_of(reading.lock.run) == seen.run:
        reason = f"run {seen.run} of {reading.lock.holder} is still at work here"
        return replace(blank, outcome=RunOutcome.LOCKED, reason=reason, remedy="wait for it", run=seen.run)
    entry = seen.hosts.get(ready.name, {})
    if seen.is_unsettled(ready.name) or (seen.is_strange and not entry):
        answer = ending.ask_end(server, seen.name_on(ready.name), ready.vts.state_dir)
        result = _was(replace(blank, run=seen.run), answer, keep=wish.keep)
        return result if seen.is_strange else _noted(shop, result, answer)
    is_news = bool(wish.run) or seen is wish.runs[-1]  # an older one was told when it happened
    match entry.get("outcome"):
        case RunOutcome.REVERTED if is_news:
            answer = Confirmed(outcome="reverted", reason=entry.get("reason", ""))
            return _was(replace(blank, run=seen.run), answer, keep=wish.keep)
        case RunOutcome.CHANGED if wish.run and not wish.keep:
            return _kept(replace(blank, run=seen.run), "")
    return blank


def _was(blank: HostResult, answer: Confirmed, *, keep: bool) -> HostResult:
    """The change had been decided on before we came."""
    told = f": {answer.reason}" if answer.reason else ""
    match answer.outcome:
        case "confirmed" if keep:
            reason = f"run {blank.run} was confirmed already by {answer.reason}"
            return replace(blank, outcome=RunOutcome.CHANGED, reason=reason)
        case "confirmed":
            return _kept(blank, answer.reason)
        case "reverted" if keep:
            reason = f"run {blank.run} was taken back{told}"
            return replace(
                blank,
                outcome=RunOutcome.REVERTED,
                reason=reason,
                remedy=f"`vtsconf plan -l {blank.host}` shows what is to be done again",
            )
        case "reverted":
            return replace(blank, reason=f"nothing is armed: run {blank.run} was taken back already{told}")
    return replace(
        blank,
        outcome=RunOutcome.FAILED,
        reason=f"nothing is armed, and the server knows no end of run {blank.run}",
        remedy=f"`vtsconf plan -l {blank.host}` shows what is there",
    )


def _noted(shop: Shop, result: HostResult, answer: Confirmed) -> HostResult:
    """Tell the journal. If that fails, what happened on the server has happened: the report says both."""
    try:
        ending.note_end(shop.journal, result.host, result.run, answer, now=shop.now)
    except VtsconfError as error:
        return replace(result, reason=f"{result.reason}; {error}".removeprefix("; "))
    return result


def learn_ends(shop: Shop, names: Collection[str], run: str | None) -> dict[str, str]:
    """Ask the servers how those runs ended of which the journal does not know; returns what is armed, by host.

    A server that cannot be reached is left as it is: whatever is done next will say so.
    """
    runs = shop.journal.runs()
    if run:
        runs = [find(runs, run)]
    doubts = {
        name: found
        for name in names
        if (found := [seen.name_on(name) for seen in runs if seen.is_unsettled(name)])
    }
    targets = shop.targets(doubts) if doubts else {}

    def work(target: Target) -> str:
        try:
            return _learn(shop, target, doubts[target.name])
        except Unreachable:
            return ""

    armed = fan(list(targets.values()), work, parallel=shop.settings.parallel)
    return {target.name: run for target, run in armed if run}


def _learn(shop: Shop, target: Target, runs: Sequence[str]) -> str:
    state_dir = ending.state_dir(shop.journal, runs[-1], target.name)
    server = shop.reach(target)
    try:
        reading = server.read((), state_dir)
        at_work = {seen.run for seen in (reading.pending, reading.lock) if seen}
        for run in runs:
            if run not in at_work:
                answer = ending.ask_end(server, run, state_dir)
                ending.note_end(shop.journal, target.name, run, answer, now=shop.now)
    finally:
        server.close()
    return reading.pending.run if reading.pending else ""

"""Runs the executor from this terminal: its yard of servers, progress, and a clean way out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from vtsconf.cli import show
from vtsconf.cli.wiring import stoppable
from vtsconf.core.errors import Usage
from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.outcome import Exit
from vtsconf.core.runs import Event
from vtsconf.engine.migrate.book import Book, Entry
from vtsconf.engine.migrate.executor import Executor, engine_store, flows_of
from vtsconf.engine.migrate.hands import Hands
from vtsconf.engine.migrate.lookout import Lookout
from vtsconf.engine.migrate.yard import Place, Yard

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop
    from vtsconf.core.emsrules import Decision
    from vtsconf.core.eventlog import LogLine
    from vtsconf.engine.prepare import Ready

SYMBOLS = {
    Status.DONE: "=",
    Status.PLANNED: "?",
    Status.SUBMITTED: "~",
    Status.RUNNING: "~",
    Status.BMA_OK: "~",
    Status.CANCELLED: "-",
}
_AWAY = 3  # times that a server is looked for before a run ends without it
_BEAT = 10.0  # seconds between lines that say how far it is


def place_of(ready: Ready) -> Place:
    """What the executor needs of a server, from its documents."""
    from vtsconf.engine.migrate.applications import migrators

    return Place(
        host=ready.name,
        target=ready.target,
        state_dir=ready.vts.state_dir,
        bmas=migrators(ready),
        vts=ready.vts,
        root=str(ready.host.variables.get("vts_root") or "").rstrip("/"),
    )


def limits_of(shop: Shop, ready: Mapping[str, Ready], book: Book) -> Limits:
    """Of the settings and the policies: where several name a limit, the smallest holds."""
    bmas: dict[str, int] = {}
    policies: dict[str, int] = {}
    for host in ready.values():
        for name, policy in host.vts.policies.items():
            if policy.bma and policy.limits.per_bma:
                bmas[policy.bma] = min(policy.limits.per_bma, bmas.get(policy.bma, policy.limits.per_bma))
            if policy.limits.per_host:
                policies[name] = min(policy.limits.per_host, policies.get(name, policy.limits.per_host))
    settings = shop.settings
    parked = {(k, n) for k, n, count, _, _ in book.troubles() if count >= settings.failures_in_a_row}
    return Limits(
        total=settings.jobs,
        per_host=settings.jobs_per_host,
        per_bma=settings.jobs_per_bma,
        bmas=bmas,
        policies=policies,
        parked=frozenset(parked),
    )


class Work:
    """An executor at work; `ready` are the servers whose documents are in order. `run`: only the jobs of this one."""

    def __init__(self, shop: Shop, ready: Mapping[str, Ready], *, quiet: bool = False, run: str = "") -> None:
        self.shop, self.ready, self.quiet, self.run = shop, ready, quiet, run
        self.book = Book(shop.settings.store)
        self.yard = Yard(places={name: place_of(one) for name, one in ready.items()}, reach=shop.reach)
        self._told = time.monotonic()

    def limits(self) -> Limits:
        """As they are now, for the servers of this executor, without those that are left alone for a while."""
        limits = limits_of(self.shop, self.ready, self.book)
        held = self.book.held(self.shop.now)
        return replace(limits, parked=limits.parked | held, known=frozenset(self.ready), run=self.run)

    @property
    def is_idle(self) -> bool:
        """Nothing runs, and nothing that waits will run by itself in this process, or only when its server is back."""
        limits = self.limits()
        return self.book.is_idle(replace(limits, parked=limits.parked | self.away()))

    def away(self) -> frozenset[tuple[str, str]]:
        """("host", name) of servers that were found away again and again: nobody waits for them."""
        rows = self.book.troubles()
        return frozenset((kind, name) for kind, name, count, *_ in rows if kind == "host" and count >= _AWAY)

    def until(self, is_over: Callable[[], bool], *, often: Callable[[], None] = lambda: None) -> bool:
        """Work until it is over; False when this executor was told to stop. Never returns with work in flight: it leaves."""
        with self._executor() as executor:
            while not (is_over() or self.shop.stop.is_set):
                often()
                if not executor.fill():
                    executor.rest()
                self._beat()
            if self.shop.stop.is_set:
                click.echo(
                    "stopped: what runs on the servers goes on; `vtsconf migrate run` finds it again",
                    err=True,
                )
                executor.engine.leave(Exit.WAITING)
        return not self.shop.stop.is_set

    @contextmanager
    def _executor(self) -> Iterator[Executor]:
        from vtsconf.engine.durable import Engine

        lookout = Lookout(self.yard, slowest=self.shop.settings.look_every)
        hands = Hands(
            book=self.book,
            journal=self.shop.journal,
            yard=self.yard,
            lookout=lookout,
            now=time.time,
            stopping=lambda: self.shop.stop.is_set,
            told=self._tell,
        )
        windows = {
            name: policy.window.meant
            for one in self.ready.values()
            for name, policy in one.vts.policies.items()
            if policy.window
        }
        with (
            Engine(engine_store(self.shop.settings.store), flows=flows_of(hands)) as engine,
            stoppable(self.shop.stop, "nothing more is begun"),
        ):
            yield Executor(
                hands=hands,
                engine=engine,
                limits=self.limits,
                windows=windows,
                most=self.shop.settings.jobs,
            )
            lookout.close()

    def _tell(self, entry: Entry, word: str) -> None:
        if self.quiet:
            return
        (now,) = self.book.get(entry.id)
        tell(now, word)

    def _beat(self) -> None:
        if time.monotonic() - self._told > _BEAT and not self.quiet:
            self._told = time.monotonic()
            counts = self.book.counts()
            click.echo(", ".join(f"{n} {status}" for status, n in sorted(counts.items())), err=True)


def tell(entry: Entry, word: str = "") -> None:
    """One job, on one line."""
    symbol = SYMBOLS.get(entry.status, "!")
    reason = f"  {show.reason(entry.reason)}" if entry.reason else ""
    name = f"{entry.job.host} {show.reason(entry.job.cartridge)}"
    click.echo(
        f"{show.paint(symbol)} {entry.id[:8]}  {entry.job.action}  {name}  {word or entry.status}{reason}"
    )


@contextmanager
def run_of(shop: Shop, command: str) -> Iterator[str]:
    """A run in the journal, from its beginning to its end."""
    run = shop.new_run()

    def write(action: str, **body: object) -> None:
        shop.journal.add(Event(at=shop.now, run=run, action=action, body={"time": time.time(), **body}))

    write("run-started", command=command, by=shop.holder, revision=shop.revision(), hosts=[])
    try:
        yield run
    finally:
        write("run-finished", summary=Book(shop.settings.store).counts(run), state="done")


def exit_of(counts: Mapping[str, int]) -> Exit:
    """Of the jobs of a run."""
    bad = sum(
        n for status, n in counts.items() if Status(status).is_final and status not in ("done", "cancelled")
    )
    left = sum(n for status, n in counts.items() if not Status(status).is_final)
    return Exit.PARTIAL if bad else Exit.WAITING if left else Exit.DONE


def print_jobs(entries: list[Entry], counts: Mapping[str, int], run: str = "") -> None:
    """The migration-run document."""
    from vtsconf.engine.migrate.reporting import job_document

    show.print_json(
        {
            "format": "vtsconf/migration-run/1",
            "run": run or None,
            "jobs": [job_document(entry) for entry in entries],
            "summary": dict(counts),
        }
    )


def one(book: Book, wanted: str) -> list[Entry]:
    """The job whose id begins so. Raises Usage for none, or several."""
    found = book.get(wanted) if wanted else []
    if len(found) != 1:
        raise Usage(
            f"{len(found) or 'no'} jobs begin with {wanted[:40]!r}",
            remedy="`vtsconf migrate status -v` lists them",
        )
    return found


_LISTEN = 2.0  # seconds between two looks at the event logs


def listener(work: Work, run: str, *, quiet: bool, allowed: Collection[str] = ()) -> Callable[[], None]:
    """Looks at the event logs now and then, and says what it makes of them. `allowed`: the names of `--allow-erase`."""
    from vtsconf.engine.migrate.following import Follower

    def told(host: str, event: LogLine, decision: Decision) -> None:
        if not quiet and decision.action != "ignore":
            symbol = "?" if decision.action in ("none", "notify") else "~"
            click.echo(
                f"{show.paint(symbol)} {host}  event: {show.reason(event.text)}  → {decision.action}: "
                f"{show.reason(decision.reason)}"
            )

    def missed(host: str, why: str) -> None:
        body = {"reason": why, "time": time.time()}
        event = Event(at=work.shop.now, run=run, host=host, action="requests-missed", body=body)
        work.shop.journal.add(event)
        if not quiet:
            click.echo(f"{show.paint('!')} {host}  {show.reason(why)}")

    follower = Follower(
        book=work.book,
        yard=work.yard,
        run=run,
        now=lambda: work.shop.now,
        told=told,
        missed=missed,
        allowed=allowed,
    )
    looked = [0.0]

    def listen() -> None:
        if time.monotonic() - looked[0] > _LISTEN:
            follower.look()
            looked[0] = time.monotonic()

    return listen

"""Runs the executor from this terminal: its yard of servers, progress, and a clean way out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from vtsconf.cli import show
from vtsconf.cli.migrate.beat import Beat
from vtsconf.cli.progress import Progress
from vtsconf.cli.wiring import stoppable
from vtsconf.core.errors import StoreLost, Usage
from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.left import Left, left_of
from vtsconf.core.migrate.progress import Course
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.migrate.words import lasting
from vtsconf.core.outcome import Exit
from vtsconf.core.runs import Event
from vtsconf.engine.every import Every
from vtsconf.engine.migrate import bounds
from vtsconf.engine.migrate.book import Book, Entry
from vtsconf.engine.migrate.bounds import Bounds
from vtsconf.engine.migrate.executor import Executor, engine_store, flows_of
from vtsconf.engine.migrate.hands import Hands
from vtsconf.engine.migrate.leftovers import Leftovers
from vtsconf.engine.migrate.lookout import Lookout
from vtsconf.engine.migrate.pace import Pace
from vtsconf.engine.migrate.yard import Place, Yard

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop
    from vtsconf.engine.durable import Engine
    from vtsconf.engine.prepare import Ready

SYMBOLS = {
    Status.DONE: "=",
    Status.PLANNED: "?",
    Status.SUBMITTED: "~",
    Status.RUNNING: "~",
    Status.BMA_OK: "~",
    Status.CANCELLED: "-",
}
_STORE = 5.0  # seconds until a store that is away is asked again
_HOUR = 3600.0  # seconds
_WORKED = 10_000  # jobs of other runs that a run names at its end
_PATIENCE = (
    75 * 60
)  # seconds that a run waits for a job's turn: between two attempts it is 72 minutes at the most
_AWAY = 5  # times that a server is looked for before a run ends without it


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


def bounds_of(shop: Shop, ready: Mapping[str, Ready], book: Book) -> Bounds:
    """Of the settings and the documents."""
    settings = shop.settings
    limits = Limits(total=settings.jobs, per_host=settings.jobs_per_host, per_bma=settings.jobs_per_bma)
    documents = {name: one.vts for name, one in ready.items()}
    return bounds.bounds_of(documents, limits, book.troubles, settings.failures_in_a_row)


class Work:
    """An executor at work; `ready` are the servers whose documents are in order. `only`: these jobs and no others;
    `allowed`: the names of `--allow-erase`.
    """

    only: frozenset[str] | None = None
    allowed: frozenset[str] = frozenset()

    def __init__(self, shop: Shop, ready: Mapping[str, Ready], *, quiet: bool = False) -> None:
        self.shop, self.ready, self.quiet = shop, ready, quiet
        self.book = Book(shop.settings.store)
        self.yard = Yard(places={name: place_of(one) for name, one in ready.items()}, reach=shop.reach)
        self.bounds = bounds_of(shop, ready, self.book)
        self.progress = Progress("moving tapes", 0, quiet=quiet)
        self.course = Course()
        self._since = shop.now
        self.ended: dict[str, Entry] = {}  # by this process, whatever run they are of
        self._left: Engine | None = None

    def limits(self) -> Limits:
        """As they are now, for the servers of this executor, without those that are left alone for a while."""
        limits, held = self.bounds.now(), self.book.held(self.shop.now)
        return self._own(replace(limits, parked=limits.parked | held))

    def _own(self, limits: Limits) -> Limits:
        """For what this executor works for."""
        return replace(limits, known=frozenset(self.ready), only=self.only)

    @property
    def is_idle(self) -> bool:
        """Nothing runs, and nothing that waits will run by itself in this process: or only when its server is back, its
        window opens, or after longer than any retry is put off.
        """
        parked = self.bounds.parked | self.away()  # one that is only left alone for a while is waited for
        before = self.shop.now + _PATIENCE
        shut = [key for key, opens in self.bounds.closed(self.shop.now).items() if opens > before]
        limits = self._own(replace(self.bounds.limits, parked=parked))
        return self.book.is_idle(limits, before=before, shut=shut)

    def left(self) -> list[Left]:
        """What is open on the servers of this executor, whatever run it is of, and what it waits for."""
        now = self.shop.now
        return left_of(
            self.book.waits(replace(self._own(self.bounds.limits), only=None), now),
            parked=bounds.parked_of(self.book.troubles(), self.shop.settings.failures_in_a_row),
            away=[name for _, name in self.away()],
            opens=self.bounds.closed(now),
        )

    def away(self) -> frozenset[tuple[str, str]]:
        """("host", name) of servers that were found away again and again: nobody waits for them."""
        rows = self.book.troubles()
        # `since`: by this run, too
        hosts = [
            name
            for kind, name, count, since, _ in rows
            if kind == "host" and count >= _AWAY and since >= self._since
        ]
        return frozenset(("host", name) for name in hosts if name in self.ready)

    def until(self, is_over: Callable[[], bool], *, run: str = "", beside: Sequence[Every] = ()) -> None:
        """Work until it is over, or this executor is told to stop. See `leave`: jobs may be at work here afterwards.

        `run`: say only of its jobs how far they are; `beside`: what goes on meanwhile. Raises Locked.
        """
        with self._executor() as executor:
            beat = Beat(pace=self.pace(run), progress=self.progress)
            with self.progress, ExitStack() as others:
                for one in (self._tidying(executor), *beside):
                    others.enter_context(one)
                while not self.shop.stop.is_set and self._turn(executor, is_over, beat):
                    pass
        if self.shop.stop.is_set:
            click.echo(
                "stopped: what runs on the servers goes on; `vtsconf migrate run` finds it again", err=True
            )
        else:
            self.course = beat.end()

    def _tidying(self, executor: Executor) -> Every:
        leftovers = Leftovers(
            book=self.book, yard=self.yard, engine=executor.engine, now=lambda: self.shop.now,
            keep=self.shop.settings.keep_runs,
        )  # fmt: skip
        return Every(
            name="what old jobs have left", turn=leftovers.clear, pause=_HOUR, longest=_HOUR,
            told=lambda name, sentence: self.say(f"{show.paint('!')} {name}: {show.reason(sentence)}", err=True),
        )  # fmt: skip

    def _turn(self, executor: Executor, is_over: Callable[[], bool], beat: Beat) -> bool:
        """Whether there is another one. A store that is away is asked again later: what runs on the servers does not mind."""
        try:
            if is_over():
                return False
            if not executor.fill():
                executor.rest()
            beat(is_busy=bool(executor.hands.flows))
        except StoreLost as error:
            self.say(f"{show.paint('!')} {error}; it is tried again", err=True)
            self.shop.stop.wait(_STORE)
        return True

    @contextmanager
    def ending(self, *, as_json: bool) -> Iterator[None]:
        """What fails inside ends the process also while jobs are at work here: the next executor finds them again."""
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:  # whatever it was, it is told as every other error
            if self._left is None:
                raise
            from vtsconf.cli.failure import explain

            self._left.leave(explain(error, as_json=as_json))

    def leave(self, code: int) -> int:
        """The exit code of the command; where jobs are still at work here, the process ends now, as nobody would wait."""
        if self._left is not None:
            self._left.leave(code)
        return code

    def pace(self, run: str = "") -> Pace:
        """Of all that is on the list, or of one run."""
        return Pace(
            book=self.book,
            now=time.time,
            windows={policy: window for (_, policy), window in self.bounds.windows.items()},
            run=run,
        )

    def say(self, line: str, *, err: bool = False) -> None:
        """From any thread, beside the bar."""
        with self.progress.aside():
            click.echo(line, err=err)

    def tell(self, entry: Entry, word: str = "") -> None:
        """How a job stands, by now."""
        (now,) = self.book.get(entry.id)
        if now.status.is_final:
            self.ended[now.id] = now
        if not self.quiet:
            with self.progress.aside():
                tell(now, word)

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
            told=self.tell,
            allowed=self.allowed,
        )
        with ExitStack() as stack, stoppable(self.shop.stop, "nothing more is begun"):
            engine = stack.enter_context(
                Engine(engine_store(self.shop.settings.store), flows=flows_of(hands))
            )
            try:
                yield Executor(
                    hands=hands,
                    engine=engine,
                    limits=self.limits,
                    windows=self.bounds.windows,
                    most=self.shop.settings.jobs,
                )
            finally:
                if hands.flows or self.shop.stop.is_set:
                    self._left = engine
                    stack.pop_all()  # to close it would be to wait for them, and for whatever goes on beside
                lookout.close()


def tell(entry: Entry, word: str = "") -> None:
    """One job, on one line."""
    symbol = SYMBOLS.get(entry.status, "!")
    reason = f"  {show.reason(entry.reason)}" if entry.reason else ""
    name = f"{entry.job.host} {show.reason(entry.job.cartridge)}"
    click.echo(
        f"{show.paint(symbol)} {entry.id[:8]}  {entry.job.action}  {name}  {word or entry.status}{reason}"
    )


def standing(entry: Entry, now: int) -> str:
    """Its status; of one that runs, for how long."""
    return f"{entry.status} for {lasting(now - entry.updated)}" if entry.state == "taken" else ""


@contextmanager
def run_of(shop: Shop, command: str, ended: Mapping[str, Entry]) -> Iterator[str]:
    """A run in the journal, from its beginning to its end, which may be that it was told to stop.

    `ended`: as the run ends, the jobs that this process brought to an end; those of other runs are told apart.
    """
    run = shop.new_run()

    def write(action: str, **body: object) -> None:
        shop.journal.add(Event(at=shop.now, run=run, action=action, body={"time": time.time(), **body}))

    write("run-started", command=command, by=shop.holder, revision=shop.revision(), hosts=[])
    try:
        yield run
    finally:
        state = "stopped" if shop.stop.is_set else "done"
        others = [entry.id for entry in list(ended.values()) if entry.run != run]
        more = {"worked": others[:_WORKED], "worked_more": len(others[_WORKED:])} if others else {}
        write("run-finished", summary=Book(shop.settings.store).counts(run), state=state, **more)


def exit_of(counts: Mapping[str, int], *, is_away: bool = False) -> Exit:
    """Of jobs, by status; `is_away`: what is left waits for a server that cannot be reached."""
    bad = sum(n for status, n in counts.items() if Status(status).is_bad)
    left = sum(n for status, n in counts.items() if not Status(status).is_final)
    waits = Exit.UNREACHABLE if is_away else Exit.WAITING
    return Exit.PARTIAL if bad else waits if left else Exit.DONE


def print_jobs(entries: list[Entry], counts: Mapping[str, int], run: str = "", **more: object) -> None:
    """The migration-run document, with what else belongs to it."""
    from vtsconf.engine.migrate.reporting import job_document

    show.print_json(
        {
            "format": "vtsconf/migration-run/1",
            "run": run or None,
            "jobs": [job_document(entry) for entry in entries],
            "summary": dict(counts),
            **more,
        }
    )


def chosen(book: Book, jobs: Sequence[str], everything: Sequence[Status]) -> list[Entry]:
    """Those whose ids begin so, and all of these statuses. Raises Usage for nothing."""
    if not jobs and not everything:
        raise Usage("no job is named", remedy="name jobs by the first letters of their ids, or write --all")
    return [entry for word in jobs for entry in one(book, word)] + (
        list(book.entries(statuses=everything)) if everything else []
    )


def said(
    shop: Shop,
    book: Book,
    entries: Sequence[Entry],
    action: str,
    *,
    as_json: bool,
    over: Sequence[Entry] = (),
) -> None:
    """A person's word on these jobs is done: it goes into the journal, and how they stand now is shown.

    `over`: those that were named as well, and had ended already: nothing was done.
    """
    for entry in entries:
        body = {"job": entry.id, "cartridge": entry.job.cartridge, "by": shop.holder, "time": time.time()}
        event = Event(at=shop.now, run=entry.run, host=entry.job.host, action=action, body=body)
        shop.journal.add(event)
    now = [one for entry in entries for one in book.get(entry.id)]
    if as_json:
        print_jobs([*now, *over], book.counts())
        return
    for entry in now:
        tell(entry, "is asked to end" if entry.wish == "cancel" else "")
    for entry in over:
        tell(entry, f"has ended already: {entry.status}")


def one(book: Book, wanted: str) -> list[Entry]:
    """The job whose id begins so. Raises Usage for none, or several."""
    found = book.get(wanted) if wanted else []
    if len(found) != 1:
        raise Usage(
            f"{len(found) or 'no'} jobs begin with {wanted[:40]!r}",
            remedy="`vtsconf migrate status -v` lists them",
        )
    return found

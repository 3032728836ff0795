"""What a service does beside moving tapes: it listens to the servers' event logs, and plans again."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from vtsconf.cli import show
from vtsconf.cli.migrate.plan import exit_of
from vtsconf.core.outcome import Exit
from vtsconf.core.runs import Event
from vtsconf.engine.every import Every
from vtsconf.engine.migrate.following import Follower

if TYPE_CHECKING:
    from vtsconf.cli.migrate.working import Work
    from vtsconf.core.emsrules import Decision
    from vtsconf.core.eventlog import LogLine
    from vtsconf.core.migrate.budget import Spent
    from vtsconf.core.migrate.job import Job
    from vtsconf.core.migrate.plan import Part
    from vtsconf.engine.prepare import Preparation

_LISTEN = 2.0  # seconds between two looks at an event log
_LOOK = 0.01  # that one look takes of our time: many servers are asked less often
_AWAY = 60.0  # between two looks at a server that is away


def listeners(work: Work, run: str, allowed: Collection[str] = ()) -> Iterator[Every]:
    """One for each server that has rules: one that is away, or hangs, delays its own events only.

    `allowed`: the names of `--allow-erase`.
    """

    def told(host: str, event: LogLine, decision: Decision) -> None:
        if not work.quiet and decision.action != "ignore":
            symbol = "?" if decision.action in ("none", "notify") else "~"
            work.say(
                f"{show.paint(symbol)} {host}  event: {show.reason(event.text)}  → {decision.action}: "
                f"{show.reason(decision.reason)}"
            )

    def missed(host: str, why: str) -> None:
        body = {"reason": why, "time": time.time()}
        event = Event(at=work.shop.now, run=run, host=host, action="requests-missed", body=body)
        work.shop.journal.add(event)
        if not work.quiet:
            work.say(f"{show.paint('!')} {host}  {show.reason(why)}")

    follower = Follower(
        book=work.book,
        yard=work.yard,
        run=run,
        now=lambda: work.shop.now,
        told=told,
        missed=missed,
        allowed=allowed,
    )
    hosts = follower.hosts
    for host in hosts:
        yield Every(
            name=f"the event log of {host}",
            turn=partial(follower.look, host),
            pause=max(_LISTEN, _LOOK * len(hosts)),
            longest=_AWAY,
            told=partial(complain, work),
        )


@dataclass(kw_only=True)
class Planner:
    """Called, it puts on the list what the policies call for now. `known`: of its last plan, what was there before."""

    work: Work
    preparation: Preparation
    run: str
    only: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    follows: bool = False
    known: dict[str, int] = field(default_factory=dict)
    hosts: list[dict[str, str]] = field(default_factory=list)  # how each came out of the last plan
    exits: list[Exit] = field(default_factory=list)
    _told: str = ""

    def __call__(self) -> None:
        book = self.work.book
        jobs = self._jobs()
        added = set(book.add(self.run, jobs, self.work.shop.now))
        self.known = book.standing([job.id for job in jobs if job.id not in added])
        if not self.work.quiet:
            self._tell(len(added))

    def _spent(self, now: int) -> dict[str, Spent]:
        from vtsconf.engine.migrate.budget import spent_of

        servers = {name: one.vts for name, one in self.work.ready.items()}
        return spent_of(self.work.book, servers, now, follows=self.follows)

    def every(self, pause: float) -> Every:
        return Every(
            name="planning", turn=self, pause=pause, longest=pause, told=partial(complain, self.work)
        )

    def _tell(self, added: int) -> None:
        self.work.say(f"Run {self.run}: {added} new {'job' if added == 1 else 'jobs'}", err=True)
        line = known(self.known)
        if line and line != self._told:
            self.work.say(f"      {line}", err=True)
        self._told = line

    def _jobs(self) -> list[Job]:
        """What the policies call for now."""
        from vtsconf.engine.migrate.planning import Question, plan_migrations

        shop = self.work.shop
        now = shop.now
        question = Question(
            made=now,
            now=now,
            only=self.only,
            allowed=self.allowed,
            proofs=self.work.book.newest,
            spent=self._spent(now),
            parallel=shop.settings.parallel,
        )
        plan = plan_migrations(self.preparation, shop.reach, question)
        self.hosts = [{"host": p.host, "outcome": p.outcome, "reason": p.reason} for p in plan.parts]
        self.exits = [exit_of(part.outcome, part.reason) for part in plan.parts]
        for part in plan.parts:
            if part.reason:
                self._complain(part)
        return [planned.job for planned in plan.planned() if not planned.later]

    def _complain(self, part: Part) -> None:
        """Why nothing is planned there, or what of it is refused, with what to do."""
        word = "refused" if part.outcome == "judged" else part.outcome
        self.work.say(f"{show.paint('!')} {part.host}  {word}: {show.reason(part.reason)}", err=True)
        remedy = next((one.remedy for one in part.problems if one.what == part.reason), "")
        if word == "refused" and remedy:
            self.work.say(f"      to do: {show.reason(remedy)}", err=True)


def known(counts: dict[str, int]) -> str:
    """What a plan takes and nobody begins because of it: jobs that the book has already. "" for none."""
    from vtsconf.core.migrate.job import Status

    if not counts:
        return ""
    order = [status for status in Status if status in counts]
    words = ", ".join(f"{counts[status]} {status}" for status in order)
    bad = any(status.is_final and status is not Status.DONE for status in order)
    remedy = " (`vtsconf migrate failed` says why; `vtsconf migrate retry ID` tries one again)" if bad else ""
    return f"{sum(counts.values())} of the plan are known already: {words}{remedy}"


def complain(work: Work, name: str, sentence: str) -> None:
    """What goes on beside has failed, or is well again."""
    work.say(f"{show.paint('!')} {name}: {show.reason(sentence)}", err=True)

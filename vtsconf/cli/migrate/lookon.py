"""Follows jobs that another executor carries out: what it writes into the book is all that is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from vtsconf.cli.migrate.beat import Beat
from vtsconf.cli.migrate.working import Work
from vtsconf.cli.wiring import stoppable
from vtsconf.core.errors import Locked

_LOOK = 0.5  # seconds between two looks at the book
_TURN = 10.0  # seconds between two tries to do it here: the other one may have ended


def bring_about(work: Work, run: str, ids: Sequence[str]) -> None:
    """Have these jobs of a run end: here, or by the executor that is at work on the store; it takes restores first.

    When that one ends before, this process takes over.
    """
    on = None
    while not (work.shop.stop.is_set or work.book.have_ended(ids)):
        try:
            work.until(lambda: work.book.have_ended(ids), run=run)
        except Locked as error:
            on = on or _Onlooker(work, run, ids, error)
            on.look()


class _Onlooker:
    """Says once who does it, then each job that has ended, and now and then how far it is."""

    def __init__(self, work: Work, run: str, ids: Sequence[str], who: Locked) -> None:
        self._work, self._ids = work, ids
        self._beat = Beat(pace=work.pace(run), progress=work.progress)
        self._told: set[str] = set()
        if not work.quiet:
            work.say(
                f"{who}: that executor does it, before everything else; this command waits for it", err=True
            )

    def look(self) -> None:
        """For a while, or until they have ended."""
        work, until = self._work, time.monotonic() + _TURN
        with stoppable(work.shop.stop, "this command waits no more"), work.progress:
            while not (work.book.have_ended(self._ids) or work.shop.stop.is_set) and time.monotonic() < until:
                time.sleep(_LOOK)
                self._beat(is_busy=True)
                self._tell()
        self._tell()
        work.course = self._beat.end()
        if work.shop.stop.is_set:
            click.echo("stopped: the jobs stay on the list; `vtsconf migrate status` shows them", err=True)

    def _tell(self) -> None:
        for entry in (one for id_ in self._ids for one in self._work.book.get(id_)):
            if entry.status.is_final and entry.id not in self._told:
                self._told.add(entry.id)
                self._work.tell(entry)

"""What is going on, on stderr: a bar on a terminal, a line now and then elsewhere, every step with `-v`."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import click

from vtsconf.core.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_BEAT = 10.0  # seconds between lines where there is no terminal
_GLANCE = 2.0  # and between two looks at how far it is where there is one


class Progress:
    """`with Progress("reading", 50) as progress:`; its methods may be called from any thread.

    A `total` of 0: it is not known yet, see `at`.
    """

    def __init__(self, what: str, total: int, *, quiet: bool = False, events: bool = False) -> None:
        self._what, self._total, self._done = what, total, 0
        self._is_long = total != 1  # one thing alone needs no bar
        self._quiet, self._events = quiet, events
        self._last, self._now = time.monotonic(), ""
        self._guard, self._apart = threading.Lock(), threading.Lock()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    @property
    def _is_on_terminal(self) -> bool:
        talks = not (self._quiet or self._events) and self._is_long
        return talks and sys.stderr.isatty() and "CI" not in os.environ

    def __exit__(self, *_: object) -> None:
        bar, self._bar = self._bar, None
        if bar:
            bar.stop()

    def event(self, host: str, event: str) -> None:
        """A step on a server."""
        with self._guard:
            self._now = f"{host}: {printable(event)}"
            if self._events:
                click.echo(f"  {self._now}", err=True)
        self._show()

    def done(self, host: str) -> None:
        """A host has ended."""
        with self._guard:
            self._done += 1
            self._now = host
        self._show()

    @property
    def pause(self) -> float:
        """Seconds after which whoever calls `at` may do so again."""
        return _GLANCE if self._is_on_terminal else _BEAT

    def at(self, done: int, total: int, now: str) -> None:
        """Where it stands, for work whose total grows: said at once."""
        with self._guard:
            self._done, self._total, self._now = done, total, now
            self._last = time.monotonic() - _BEAT
        self._show()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Print something else meanwhile."""
        with self._apart:
            bar = self._bar
            if bar:
                bar.stop()
            yield
            if bar:
                bar.start()

    def _show(self) -> None:
        with self._guard:
            if self._bar is None and self._is_on_terminal:
                # Not before there is something to show: its thread must not be there when processes part.
                self._bar = _bar(self._what, self._total)
                self._bar.start()
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=self._done, total=self._total, now=self._now)
        elif not (self._quiet or self._events) and time.monotonic() - self._last >= _BEAT:
            self._last = time.monotonic()
            click.echo(f"{self._what} {self._done}/{self._total}  {self._now}", err=True)


def _bar(what: str, total: int) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        TextColumn(what),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", markup=False),
        console=Console(stderr=True, no_color="NO_COLOR" in os.environ),
        transient=True,
    )
    bar.add_task(what, total=total, now="")
    return bar

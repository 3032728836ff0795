"""How long the executors of a store have been at work, and what that says of the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from vtsconf.core.migrate.progress import Course, Stretch, course
from vtsconf.core.window import Window
from vtsconf.engine.migrate.book import Book


@dataclass(kw_only=True)
class Pace:
    """Of everything in the book, or of one `run` alone. `now`: seconds since 1970; `windows` by policy.

    That of everything stands in the store: a status from another terminal shows it, and the executor that comes after one
    that was killed goes on with it.
    """

    book: Book
    now: Callable[[], float]
    windows: Mapping[str, Window] = field(default_factory=dict)
    run: str = ""
    _stretch: Stretch = field(init=False)
    _last: float = field(init=False)
    _is_over: bool = False

    def __post_init__(self) -> None:
        self._last = self.now()
        left = None if self.run else self.book.stretch()
        usable = left is not None and left.is_fresh(int(self._last))
        self._stretch = left if left is not None and usable else Stretch(since=int(self._last))

    def passed(self, *, is_busy: bool) -> None:
        """Time has: it counts while something runs."""
        now = self.now()
        if is_busy:
            self._stretch = replace(self._stretch, worked=self._stretch.worked + now - self._last)
        self._last = now

    def course(self) -> Course:
        """Where it stands now. After all have ended the next job begins a new stretch."""
        now = int(self.now())
        closes = {name: one.closes(now) for name, one in self.windows.items() if one.is_open(now)}
        self._stretch = replace(self._stretch, at=now, closes=closes)
        found = self._found(now)
        if self._is_over and not found.is_over:
            self._stretch = replace(self._stretch, since=now, worked=0.0)
            found = self._found(now)
        self._is_over = found.is_over
        if not self.run:
            self.book.keep_stretch(self._stretch)
        return found

    def end(self) -> Course:
        """The last word of this executor."""
        found = self.course()
        if found.is_over and not self.run:
            self.book.keep_stretch(replace(self._stretch, at=0))  # nobody goes on with it
        return found

    def _found(self, now: int) -> Course:
        return course(self.book.sums(self._stretch.since, now, self.run), self._stretch, now)


def seen(book: Book, now: int) -> Course:
    """For those who only look on: measured by whoever is at work; where nobody is, only what is open."""
    stretch = book.stretch()
    if stretch is None or not stretch.is_fresh(now):
        stretch = Stretch(since=now + 1)
    return course(book.sums(stretch.since, now), stretch, now)

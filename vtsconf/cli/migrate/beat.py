"""Says now and then how far the work on tapes is: a bar on a terminal, a line elsewhere."""

from __future__ import annotations

import time

from vtsconf.cli.progress import Progress
from vtsconf.core.migrate.progress import Course, told
from vtsconf.engine.migrate.pace import Pace

_SHARE = 20  # to sum up a list of a million jobs takes a second: it is done as seldom as it takes long


class Beat:
    """Called again and again; looks when it is time to."""

    def __init__(self, *, pace: Pace, progress: Progress) -> None:
        self._pace, self._progress = pace, progress
        self._due = time.monotonic() + progress.pause
        self._said = ""

    def __call__(self, *, is_busy: bool) -> None:
        self._pace.passed(is_busy=is_busy)
        begun = time.monotonic()
        if begun < self._due:
            return
        self._say(self._pace.course())
        now = time.monotonic()
        self._due = now + max(self._progress.pause, (now - begun) * _SHARE)

    def end(self) -> Course:
        """Where it stands at the end."""
        return self._pace.end()

    def _say(self, course: Course) -> None:
        """While nothing runs the same thing is said once: a service may wait for days."""
        line = told(course, int(self._pace.now()))
        if course.running or f"{course}" != self._said:
            self._progress.at(course.jobs_done, course.jobs_total, line)
        self._said = f"{course}"

"""How far the work on tapes has come, how fast it goes, and when it would end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.words import lasting, moment, sized

_SILENT = 60  # seconds without a word from an executor, and what it has measured is of no use any more


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Jobs of one status and policy. `is_held`: they may not begin yet, the first one at `first`, the last at `last`."""

    status: Status
    policy: str
    jobs: int
    bytes: int  # that they move
    is_held: bool = False
    first: int = 0
    last: int = 0


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Work without a pause, from the first job on the list until none is left. Times are seconds since 1970.

    `worked`: seconds during which something ran; `at`: when an executor said so; `closes`: when the open window of each
    policy closes.
    """

    since: int
    worked: float = 0.0
    at: int = 0
    closes: Mapping[str, int] = field(default_factory=dict)

    def is_fresh(self, now: int) -> bool:
        """Somebody is at work."""
        return now - self.at < _SILENT

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"closes": dict(self.closes)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Stretch:
        return cls(**{key: value for key, value in document.items() if key in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Course:
    """`jobs_done` have ended, `bad` of them otherwise than well; `bytes_done` are on tape, or back.

    `ends` None: not known. `opens`: before then none of those that are held may begin. `closes`: a window closes before
    the rest is done.
    """

    jobs_done: int = 0
    jobs_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    running: int = 0
    waiting: int = 0
    bad: int = 0
    bytes_per_second: int | None = None
    ends: int | None = None
    opens: int | None = None
    closes: int | None = None

    @property
    def is_over(self) -> bool:
        """Nothing runs or waits."""
        return self.jobs_done == self.jobs_total

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def course(sums: Iterable[Sum], stretch: Stretch, now: int) -> Course:
    """Where those jobs stand that are open, or have ended in this stretch."""
    rows = list(sums)
    ended = [row for row in rows if row.status.is_final]
    left = [row for row in rows if not row.status.is_final]
    waits = [row for row in left if row.status is Status.PLANNED]
    held = [row for row in waits if row.is_held]
    moved = _bytes(row for row in ended if row.status is Status.DONE)
    ends, closes = _end(left, ended, stretch, now), None
    if ends is not None:
        shut = [stretch.closes[row.policy] for row in waits if row.policy in stretch.closes]
        closes = min((at for at in shut if at < ends), default=None)
    return Course(
        jobs_done=_jobs(ended),
        jobs_total=_jobs(rows),
        bytes_done=moved,
        bytes_total=_bytes(rows),
        running=_jobs(left) - _jobs(waits),
        waiting=_jobs(waits),
        bad=_jobs(row for row in ended if row.status.is_bad),
        bytes_per_second=round(moved / stretch.worked) if moved and stretch.worked else None,
        ends=ends if closes is None else None,
        opens=min((row.first for row in held), default=None),
        closes=closes,
    )


def _end(left: Sequence[Sum], ended: Sequence[Sum], stretch: Stretch, now: int) -> int | None:
    """When the last would end at the pace of those that have; None when nobody knows.

    What is held until the others are done (a closed window, the next attempt) has no end that could be told.
    """
    held = [row for row in left if row.is_held]
    needs = _seconds(left, ended, stretch)
    ready = _seconds([row for row in left if not row.is_held], ended, stretch)
    if not left or needs is None or ready is None:
        return None
    if held and max(row.last for row in held) > now + ready:
        return None
    return round(now + needs)


def _seconds(left: Sequence[Sum], ended: Sequence[Sum], stretch: Stretch) -> float | None:
    """That these need: by their bytes; those that move none, as erases, by their number."""
    done = [row for row in ended if row.status is Status.DONE]
    goal, reached = _bytes(left), _bytes(done)
    if not goal:
        goal, reached = _jobs(left), _jobs(done)
    if not goal:
        return 0.0
    return goal * stretch.worked / reached if reached and stretch.worked else None


def _jobs(rows: Iterable[Sum]) -> int:
    return sum(row.jobs for row in rows)


def _bytes(rows: Iterable[Sum]) -> int:
    return sum(row.bytes for row in rows)


def told(found: Course, now: int) -> str:
    """One line for people, without the number of jobs: how much, how many, how fast, until when."""
    words = [f"{sized(found.bytes_done)} of {sized(found.bytes_total)}"] if found.bytes_total else []
    counts = (("running", found.running), ("waiting", found.waiting), ("not well", found.bad))
    words += [", ".join(f"{count} {word}" for word, count in counts if count)]
    if found.bytes_per_second is not None:
        words.append(f"{sized(found.bytes_per_second)}/s")
    words.append(_until(found, now))
    return "; ".join(filter(None, words))


def _until(found: Course, now: int) -> str:
    if found.ends is not None:
        return f"about {lasting(found.ends - now)} left, until {moment(found.ends)}"
    if found.closes is not None:
        return f"not all before a window closes in {lasting(found.closes - now)}, {moment(found.closes)}"
    if found.opens is not None:
        return f"those that wait may begin in {lasting(max(0, found.opens - now))}, {moment(found.opens)}"
    return "" if found.is_over else "when it ends is not known yet"

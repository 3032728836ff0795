"""The same work on many hosts, by several processes: what Python computes for a fleet does not have to take turns.

A process of ours can use one core only. From a certain size on, half of a plan's time is computing: cryptography of
the connections, comparing. The children are forked after everything was read and judged, answer, and are gone.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Queue
from typing import Any, BinaryIO, TypeVar

from vtsconf.engine.fan import fan

Item = TypeVar("Item")
Result = TypeVar("Result")

_SHARE = 12  # hosts for which another process is worth its start
_MOST = 8  # processes


@dataclass(frozen=True, kw_only=True)
class _Child:
    pid: int
    answers: BinaryIO


def processes_for(count: int) -> int:
    """How many processes so many hosts are worth here; 1 where forking is not safe any more."""
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), count // _SHARE, _MOST))


def crew(
    items: Sequence[Item], work: Callable[[Item], Result], *, parallel: int, processes: int
) -> Iterator[tuple[Item, Result]]:
    """As `fan`: each item with its result, as it is done. `work` only reads: what a child changes is lost.

    What a child that died has not answered is done here.
    """
    if processes < 2:
        yield from fan(items, work, parallel=parallel)
        return
    shares = [range(number, len(items), processes) for number in range(processes)]
    each = max(1, parallel // processes)
    children = [_hire(items, share, work, each) for share in shares]
    left = set(range(len(items)))
    for number, result in _answers(children):
        left.discard(number)
        yield items[number], result
    yield from fan([items[number] for number in sorted(left)], work, parallel=parallel)


def _hire(items: Sequence[Item], share: range, work: Callable[[Item], Result], parallel: int) -> _Child:
    """A child that does its share and writes each answer down a pipe."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return _Child(pid=pid, answers=os.fdopen(reading, "rb"))
    code = 1
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as answers:
            for number, result in fan(share, lambda number: work(items[number]), parallel=parallel):
                pickle.dump((number, result), answers)
                answers.flush()
        code = 0
    finally:
        os._exit(code)  # nothing of the parent's is closed or flushed a second time


def _answers(children: Sequence[_Child]) -> Iterator[tuple[int, Any]]:
    """Everything that they write, as it comes, until all have ended."""
    answers: Queue[tuple[int, Any] | None] = Queue()
    for child in children:
        threading.Thread(target=_read, args=(child, answers), daemon=True).start()
    for _ in children:
        yield from iter(answers.get, None)


def _read(child: _Child, answers: Queue[tuple[int, Any] | None]) -> None:
    """The pipe is our own child's: what it holds is what we have pickled."""
    with child.answers, suppress(EOFError, pickle.UnpicklingError):
        while True:
            answers.put(pickle.load(child.answers))  # noqa: S301 see above
    with suppress(ChildProcessError):
        os.waitpid(child.pid, 0)
    answers.put(None)

"""The same work on many hosts at once. A host's failure is its result; the others go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stop:
    """Set by ^C or a spent budget: what has not begun is skipped, what has begun ends properly."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Not longer than until it is set."""
        self._event.wait(seconds)


def fan(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    *,
    parallel: int,
    stop: Stop | None = None,
    skipped: Callable[[Item], Result] | None = None,
) -> Iterator[tuple[Item, Result]]:
    """Do `work` for every item, at most `parallel` at once; yields each pair as it is done.

    `work` turns its own failures into results. Once `stop` is set, items not begun get `skipped`.
    """

    def one(item: Item) -> Result:
        if stop and stop.is_set and skipped:
            return skipped(item)
        return work(item)

    with ThreadPoolExecutor(max_workers=max(1, min(parallel, len(items)))) as pool:
        futures: dict[Future[Result], Item] = {pool.submit(one, item): item for item in items}
        waiting = set(futures)
        while waiting:
            # A short time-out lets ^C reach the main thread, which must not sit in a lock for ever.
            done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                yield futures[future], future.result()

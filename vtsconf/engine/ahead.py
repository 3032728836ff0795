"""Connections begun while the documents are still being judged: the servers' part of a handshake costs us nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.server import Session


class Ahead:
    """One connection a target, each given away once. A failure is raised where the connection is taken."""

    def __init__(self, connect: Callable[[Target], Session]) -> None:
        self._connect = connect
        self._begun: dict[str, tuple[Target, Future[Session]]] = {}
        self._guard = threading.Lock()

    def dial(self, targets: Sequence[Target]) -> None:
        """Begin them all at once; the caller bounds their number."""
        for target in targets:
            future: Future[Session] = Future()
            with self._guard:
                self._begun[target.name] = (target, future)
            # Daemons: nobody waits at the end of the program for a server that does not answer.
            threading.Thread(target=self._try, args=(target, future), daemon=True).start()

    def _try(self, target: Target, future: Future[Session]) -> None:
        try:
            future.set_result(self._connect(target))
        except BaseException as error:  # noqa: BLE001 raised again by whoever takes it
            future.set_exception(error)

    def take(self, target: Target) -> Session | None:
        """The connection to exactly this target; None when none was begun. Raises Unreachable as it was told."""
        with self._guard:
            begun = self._begun.pop(target.name, None)
        if begun is None:
            return None
        known, future = begun
        if known != target:
            future.add_done_callback(_close)
            return None
        return future.result()

    def hang_up(self) -> None:
        """Close those that nobody took, as soon as they are there."""
        with self._guard:
            left, self._begun = list(self._begun.values()), {}
        for _, future in left:
            future.add_done_callback(_close)


def _close(future: Future[Session]) -> None:
    try:
        future.result().close()
    except Unreachable:
        return

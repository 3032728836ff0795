"""Appends of many threads in one transaction: to wait for the disk takes as long for fifty of them as for one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vtsconf.core.errors import VtsconfError
from vtsconf.engine.store.database import Row


@dataclass(kw_only=True)
class _Batch:
    rows: list[Row] = field(default_factory=list)
    is_written: bool = False
    error: VtsconfError | None = None


class Together:
    """While one batch is being written, the next one gathers. `write` takes rows, all or none; the same rows again
    must do no harm: where a writer was interrupted, another one of its batch writes it.
    """

    def __init__(self, write: Callable[[Sequence[Row]], None]) -> None:
        self._write = write
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        self._next = _Batch()

    def add(self, rows: Sequence[Row]) -> None:
        """They are on the disk when this returns. Raises what `write` raised for the batch they were in."""
        with self._gathering:
            batch = self._next
            batch.rows += rows
        with self._writing:
            if not batch.is_written:
                self._write_out(batch)
        if batch.error:
            raise type(batch.error)(str(batch.error), remedy=batch.error.remedy) from batch.error

    def _write_out(self, batch: _Batch) -> None:
        with self._gathering:
            if self._next is batch:
                self._next = _Batch()
        try:
            self._write(batch.rows)
        except VtsconfError as error:
            batch.error = error
        batch.is_written = True

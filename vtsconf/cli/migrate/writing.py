"""A migration plan written piece by piece: of a million tapes there is never more than one in memory."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from vtsconf.core.errors import VtsconfError
from vtsconf.core.migrate import document
from vtsconf.core.migrate.plan import MigrationPlan

Row = Mapping[str, Any]


class Writer:
    """One JSON object: `decision` may be called from any thread, until `end`. Names that are no UTF-8 stay escapes."""

    def __init__(self, files: Iterable[TextIO], head: Row) -> None:
        self._files, self._guard, self._is_first = list(files), threading.Lock(), True
        self._failure: OSError | None = None
        self._write("{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()))
        self._write(',\n "decisions": [')

    def decisions(self, rows: Iterable[Row]) -> None:
        """Those of one tape."""
        text = ",\n  ".join(map(json.dumps, rows))
        with self._guard:
            if text:
                self._write(("\n  " if self._is_first else ",\n  ") + text)
                self._is_first = False

    def end(self, plan: MigrationPlan) -> None:
        """All that is known at the end. Raises what a write before has raised."""
        self._write("]")
        self._list("jobs", (document.job_row(row) for row in plan.planned() if not row.later))
        self._list("later", (document.job_row(row) for row in plan.planned() if row.later))
        for key, value in document.tail(plan).items():
            self._write(f',\n "{key}": {json.dumps(value)}')
        self._write("}\n")
        if self._failure:
            raise self._failure

    def _list(self, key: str, rows: Iterable[Row]) -> None:
        self._write(f',\n "{key}": [')
        for number, row in enumerate(rows):
            self._write(("\n  " if number == 0 else ",\n  ") + json.dumps(row))
        self._write("]")

    def _write(self, text: str) -> None:
        """A full disk is no fault of the server whose tapes are judged just then: it is told at the end."""
        try:
            for file in self._files if not self._failure else ():
                file.write(text)
        except OSError as error:
            self._failure = error


@contextmanager
def opened(out: Path | None, *, to_stdout: bool) -> Iterator[list[TextIO]]:
    """Where the document goes: a file, whole or not at all and readable by its owner only; stdout; both; nowhere."""
    files = [sys.stdout] if to_stdout else []
    if out is None:
        yield files
        return
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            yield [*files, file]
        draft.replace(out)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise VtsconfError(
            f"the plan cannot be written to {out}: {error.strerror or error}",
            remedy="name a file that you can write with --out",
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)

"""Reading a file that a person named: whatever it turns out to be, the answer is its bytes or a problem."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vtsconf.core.document import MAX_BYTES
from vtsconf.core.problem import Place, Problem

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


def read_bytes(path: Path, shown: str, limit: int = MAX_BYTES) -> bytes | Problem:
    """The bytes of a regular file; at most one more than `limit`. Never waits on a pipe."""
    try:
        # Not blocking: opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        return _problem(shown, _reason(error))
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "no regular file")
            return _problem(shown, f"it is {kind}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit + 1)
    except OSError as error:
        return _problem(shown, _reason(error))
    finally:
        os.close(descriptor)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _problem(shown: str, why: str) -> Problem:
    return Problem(
        what=f"`{shown}` cannot be read",
        why=why,
        remedy="make it a file that you may read, or remove it",
        code="file",
        place=Place(shown),
    )

"""The errors that end a command or a host's part in it; each knows its exit code.

VtsconfError            1
├── Invalid             3    problems in what a person wrote
├── Refused             3    a safety lint or a guard said no
├── Unreachable         4    the server could not be reached, or the connection was lost
├── Failed              5    the server was reached and did not do it
├── Stale               6    the live server is not what the plan was made from
├── Locked              7    someone else is changing the server
├── StoreLost           1    the journal cannot be read or written now
└── Usage              64    the command line makes no sense
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vtsconf.core.outcome import Exit
from vtsconf.core.problem import Problem


class VtsconfError(Exception):
    """Something went wrong; `str()` is the sentence for a person, `remedy` what to do about it."""

    exit = Exit.ERROR

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class Invalid(VtsconfError):
    """What a person wrote has errors; all of them are in `problems`."""

    exit = Exit.INVALID

    def __init__(self, problems: Sequence[Problem], message: str = "") -> None:
        super().__init__(message or "; ".join(str(p) for p in problems[:3]))
        self.problems = tuple(problems)


class Refused(VtsconfError):
    """Possible, but not safe or not allowed."""

    exit = Exit.INVALID


class Unreachable(VtsconfError):
    """The server could not be reached, or the connection was lost.

    `stage` says how far we came: "network", "jump host", "greeting", "algorithms", "host key", "login", "become",
    "session", "protocol"; "" where nobody said so.
    """

    exit = Exit.UNREACHABLE

    def __init__(self, message: str, *, remedy: str = "", stage: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.stage = stage


@contextmanager
def at_stage(stage: str) -> Iterator[None]:
    """Where the connection is lost inside, it is lost at this stage, unless a narrower one was named."""
    try:
        yield
    except Unreachable as error:
        error.stage = error.stage or stage
        raise


class Failed(VtsconfError):
    """The server was reached and did not do it."""

    exit = Exit.PARTIAL


class Stale(VtsconfError):
    """The live server is not what the plan was made from."""

    exit = Exit.STALE


class Locked(VtsconfError):
    """Someone else is changing the server."""

    exit = Exit.LOCKED


class StoreLost(VtsconfError):
    """The journal cannot be read or written now: that says nothing of what goes on on a server."""


class Usage(VtsconfError):
    """The command line makes no sense."""

    exit = Exit.USAGE


def bug(error: Exception) -> str:
    """The sentence for an error that nobody foresaw. Its text is left out: it may hold a value."""
    return f"unexpected {type(error).__name__}: this is a bug in vtsconf, please report it"

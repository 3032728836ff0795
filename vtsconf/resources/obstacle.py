"""What can stand at a path instead of a file that can be managed, told to a person."""

from __future__ import annotations

from vtsconf.core.probe import FileKind, FileSeen, Reading
from vtsconf.core.problem import Problem

_WHY = "only a regular file is changed: replacing anything else could break what depends on it"
_FOUND = {
    FileKind.DIRECTORY: ("is a directory", _WHY, "correct the path, or move the directory away"),
    FileKind.SPECIAL: ("is a FIFO, a socket or a device", _WHY, "correct the path"),
    FileKind.UNREADABLE: (
        "cannot be read",
        "what cannot be read cannot be compared",
        "log in as a user that may read it, or set ansible_become",
    ),
    FileKind.TOO_BIG: (
        "is too big to be a configuration file",
        "it would have to be copied whole",
        "check that the path is right",
    ),
    FileKind.UNSTABLE: (
        "changed while it was read",
        "something else is writing it just now",
        "try again; if it stays so, find out what writes it",
    ),
}


def obstacle(path: str, address: str, reading: Reading) -> Problem | None:
    """The error that stops work on the file at `path`; None when nothing is in the way (it may be absent)."""
    seen = reading.files.get(path)
    if seen is None:
        what, why, remedy = "was not read", "the answer of the server does not speak of it", "try again"
    elif seen.kind.manageable:
        return None
    elif seen.kind is FileKind.SYMLINK:
        what, why, remedy = _link(seen)
    else:
        what, why, remedy = _FOUND[seen.kind]
    return Problem(what=f"{path} {what}", why=why, remedy=remedy, code="live-file", address=address)


def _link(seen: FileSeen) -> tuple[str, str, str]:
    target = f" to {seen.target!a:.200}" if seen.target else ""
    return f"is a symbolic link{target}", _WHY, "give the path of the file itself"

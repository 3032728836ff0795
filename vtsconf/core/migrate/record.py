"""What is proven on tape: the record that a migration leaves behind, one for each copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vtsconf.core.migrate.tape import Tape

NEEDED = ("bma", "catalogue")  # the two witnesses of promise 9


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A copy of a tape, and the tape as it was then: `size` in bytes, `mtime` in nanoseconds, `at` in seconds.

    `witnesses`: who has said so: "bma" (its own verdict), "catalogue" (path and size), "file" (unchanged between).
    """

    host: str
    cartridge: str  # the whole path
    size: int
    mtime: int
    inode: int
    bma: str
    token: str  # `Job.mark` of the job that made it: how the BMA finds this copy again
    at: int
    witnesses: tuple[str, ...] = NEEDED
    copies: int = 1  # proven ones of this state of the tape
    checksum: str = ""  # "sha256:…", where one was recorded
    media: str = ""  # as the catalogue names it
    back: int = 0  # when it was last restored from this copy, in seconds; 0: never

    @property
    def is_complete(self) -> bool:
        """Both witnesses have spoken; less is never enough to erase the original."""
        return set(NEEDED) <= set(self.witnesses)

    def is_of(self, tape: Tape) -> bool:
        """Nobody has written to the tape since, as far as size, mtime and inode tell."""
        return (self.size, self.mtime, self.inode) == (tape.size, tape.mtime, tape.inode)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"witnesses": list(self.witnesses)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Proof:
        known = {key: value for key, value in document.items() if key in cls.__dataclass_fields__}
        return cls(**known | {"witnesses": tuple(document.get("witnesses", NEEDED))})


# The newest proof of a tape of one server, by its whole path; None: never proven.
Proofs = Callable[[str], Proof | None]


def nothing_proven(_path: str) -> None:
    """For a server of which nothing is recorded."""

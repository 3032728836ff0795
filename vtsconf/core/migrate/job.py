"""One thing to do with one tape, and every state that it can be in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

Action = Literal["migrate", "restore", "erase"]


class Status(StrEnum):
    """Promise 9: DONE has two witnesses. Whatever is less is UNPROVEN, never done."""

    PLANNED = "planned"  # waits: for its window, its turn, or its next attempt
    SUBMITTED = "submitted"  # about to be started on the server, perhaps started
    RUNNING = "running"
    BMA_OK = "bma_ok"  # the BMA's own verdict is good; the catalogue has not been asked yet
    DONE = "done"
    FAILED = "failed"  # will not be tried again by itself
    UNPROVEN = "unproven"  # the BMA says yes; the catalogue or the file does not
    PARKED = "parked"  # its tape, rule or BMA has failed too often: a person looks first
    IN_DOUBT = "in_doubt"  # nobody knows whether it ran to its end
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Nothing more happens by itself."""
        return self in _FINAL

    @property
    def is_bad(self) -> bool:
        """It ended otherwise than well, and not because a person wanted it so."""
        return self.is_final and self not in {Status.DONE, Status.CANCELLED}


_FINAL = {
    Status.DONE,
    Status.FAILED,
    Status.UNPROVEN,
    Status.PARKED,
    Status.IN_DOUBT,
    Status.CANCELLED,
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """`bytes`, `mtime` (nanoseconds) and `inode` are those of the tape when it was planned; times are in seconds."""

    host: str
    cartridge: str  # the whole path
    action: Action
    bytes: int
    mtime: int
    inode: int
    bma: str = ""  # "" for an erase
    policy: str = ""
    rule: str = ""  # of vts.ems.rules, where an event asked for it
    options: Mapping[str, Any] = field(default_factory=dict)  # the BMA's own
    submit: Literal["run", "vtspolicy"] = "run"
    checksum: bool = False  # the tape is summed before it is archived, and once more after
    priority: int = 50  # lower goes first; restores are 0
    attempts: int = 5
    backoff: int = 30
    token: str = ""  # of the copy that is restored; "" = its own
    copy: int = 0  # bytes of that copy; `bytes` are those of the empty stub
    nonce: str = ""  # makes another job of the same thing: a request, a second restore

    @property
    def id(self) -> str:
        """The idempotency key: host, path, size, mtime and action; the same thing is never done twice."""
        parts = (self.host, self.cartridge, self.bytes, self.mtime, self.action, self.nonce)
        text = "\0".join(map(str, parts)).encode("utf-8", "surrogateescape")
        return hashlib.sha256(text).hexdigest()[:20]

    @property
    def moves(self) -> int:
        """Bytes that go to tape or come back. An erase moves none."""
        return {"migrate": self.bytes, "restore": self.copy, "erase": 0}[self.action]

    @property
    def mark(self) -> str:
        """The word by which the BMA finds this copy again: letters, digits and "-" only."""
        return f"vtsconf-{self.id}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"id": self.id, "moves": self.moves}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Job:
        return cls(**{key: value for key, value in document.items() if key in cls.__dataclass_fields__})

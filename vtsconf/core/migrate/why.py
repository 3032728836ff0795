"""Why a policy takes a tape, or leaves it: every answer that there is."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """What a policy says of a tape. UNKNOWN is left like LEAVE, and told as what it is."""

    TAKE = "take"
    LEAVE = "leave"
    UNKNOWN = "unknown"


class Why(IntEnum):
    """Numbers, because they are counted fifty million times; `word` is for people."""

    TAKEN = 0
    SHADOWED = 1
    VAULT = 2
    POOL = 3
    CARTRIDGE = 4
    NO_TAPE = 5
    UNSPEAKABLE = 6
    ERASED = 7
    PRESENT = 8
    SMALL = 9
    LARGE = 10
    YOUNG = 11
    OLD = 12
    PROVEN = 13
    CHANGED = 14
    UNPROVEN = 15
    ONE_WITNESS = 16
    FORBIDDEN = 17
    LOCKED = 18
    MOUNTED = 19
    FUTURE = 20
    STRANGE = 21
    PERHAPS_USED = 22

    @property
    def verdict(self) -> Verdict:
        if self is Why.TAKEN:
            return Verdict.TAKE
        return Verdict.UNKNOWN if self >= Why.FUTURE else Verdict.LEAVE

    @property
    def word(self) -> str:
        """For counts: "12 too young"."""
        return _WORDS[self]


_WORDS = {
    Why.TAKEN: "taken",
    Why.SHADOWED: "wanted by a policy that goes first",
    Why.VAULT: "in another vault",
    Why.POOL: "in another pool",
    Why.CARTRIDGE: "of another name",
    Why.NO_TAPE: "not in a pool",
    Why.UNSPEAKABLE: "with a name that cannot be handed on",
    Why.ERASED: "erased",
    Why.PRESENT: "not erased",
    Why.SMALL: "too small",
    Why.LARGE: "too large",
    Why.YOUNG: "too young",
    Why.OLD: "too old",
    Why.PROVEN: "proven on tape and unchanged",
    Why.CHANGED: "changed since proven",
    Why.UNPROVEN: "never proven on tape",
    Why.ONE_WITNESS: "proven by one witness only",
    Why.FORBIDDEN: "not allowed to be erased",
    Why.LOCKED: "locked",
    Why.MOUNTED: "mounted",
    Why.FUTURE: "written in the future",
    Why.STRANGE: "with a size or time that cannot be",
    Why.PERHAPS_USED: "perhaps locked or mounted",
}

# A tape with one of these is not forgotten: it is wanted, has its copy, or comes later.
CARED_FOR = frozenset(
    {Why.TAKEN, Why.PROVEN, Why.FORBIDDEN, Why.YOUNG, Why.LOCKED, Why.MOUNTED, Why.FUTURE, Why.PERHAPS_USED}
)

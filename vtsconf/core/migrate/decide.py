"""One policy and one tape: taken or not, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import translate

from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.why import Why

SECOND = 10**9
_MOST = 2**63 - 1
_NEVER, _SAME, _OTHER = "never", "yes", "changed"
# What is on tape already × what a migration wants of it. None: all that is not on tape as it is now.
_WANTED: dict[str, set[str | None]] = {
    _NEVER: {None, "never", "any"},
    _SAME: {"yes", "any"},
    _OTHER: {None, "changed", "any"},
}
_LEFT = {_NEVER: Why.UNPROVEN, _SAME: Why.PROVEN, _OTHER: Why.CHANGED}
_USED = {"locked": Why.LOCKED, "mounted": Why.MOUNTED}

Matches = Callable[[str], object]
Looks = Callable[[str, Tape], Why]  # a tape's cartridge name, and the tape
# By path: "locked", "mounted" or "unknown"; a tape that is not there is free. None: nobody has looked.
Uses = Mapping[str, str] | None


def matcher(globs: Iterable[str]) -> Matches | None:
    """One regular expression of several globs; None where every name matches."""
    globs = tuple(globs)
    if not globs or "*" in globs:
        return None
    return re.compile("|".join(f"(?:{translate(glob)})" for glob in globs)).match


def can_be_spoken(name: str) -> bool:
    """Without control characters, and in UTF-8.

    A newline is a second entry in every BMA's list, a second command in some; bytes that are no text can be kept
    neither in the store nor in a document that others read.
    """
    return name.isprintable() or not any(
        ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" or "\ud800" <= c <= "\udfff" for c in name
    )


def can_be(tape: Tape) -> bool:
    """Its numbers are those that a file system can have."""
    return 0 <= tape.size <= _MOST and -_MOST <= tape.mtime <= _MOST and 0 <= tape.inode <= 2 * _MOST


def decide(policy: Policy, tape: Tape, *, proof: Proof | None, now: int, use: str = "") -> Why:
    """Whether a policy takes this tape of its pools. `use`: "locked", "mounted", "unknown"; "" is free, or not asked.

    `now` in seconds. Whoever asks has seen to it that vault and pool match, and that it is a tape.
    """
    why = looks(policy, now)(tape.cartridge, tape)
    return by_record(policy, tape, proof, use) if why is Why.TAKEN else why


def looks(policy: Policy, now: int) -> Looks:
    """What can be said without what is recorded, as a function; TAKEN: nothing against it so far."""
    select = policy.select
    matches = matcher(select.cartridges)
    wants_erased = policy.action == "restore"
    smallest, largest = _sizes(policy)
    edge, newest, oldest = _times(policy, now)
    no_state = (select.state == "present") if wants_erased else (select.state == "erased")

    def look(name: str, tape: Tape) -> Why:
        if matches is not None and not matches(name):
            return Why.CARTRIDGE
        if no_state or (tape.size == 0) is not wants_erased:
            return Why.PRESENT if tape.size else Why.ERASED
        if tape.size < smallest:
            return Why.SMALL
        if tape.size > largest:
            return Why.LARGE
        if tape.mtime > newest:
            return Why.FUTURE if tape.mtime > edge else Why.YOUNG
        return Why.OLD if tape.mtime < oldest else Why.TAKEN

    return look


def bounds(policy: Policy, now: int) -> tuple[set[int], set[int]]:
    """Sizes and mtimes at which the answer of `looks` may become another; between two of them it does not.

    Also the sizes at which that of `by_record` may, for the copy of an erased tape.
    """
    select = policy.select
    smallest, largest = _sizes(policy)
    edge, newest, oldest = _times(policy, now)
    copy = {select.min_size or 0, (_MOST if select.max_size is None else select.max_size) + 1}
    return {1, smallest, largest + 1} | copy, {edge + 1, newest + 1, oldest}


def _sizes(policy: Policy) -> tuple[int, int]:
    """What is compared with the tape's own size; a stub has none, its copy is asked later."""
    if policy.action == "restore":
        return 0, _MOST
    largest = policy.select.max_size
    return policy.select.min_size or 0, _MOST if largest is None else largest


def _times(policy: Policy, now: int) -> tuple[int, int, int]:
    """The last mtime that is not in the future (the running second is not), and those of the ages."""
    select = policy.select
    edge = (now + 1) * SECOND - 1
    newest = (now - select.min_age) * SECOND if select.min_age else edge
    return edge, newest, (now - select.max_age) * SECOND if select.max_age is not None else -_MOST


def by_record(policy: Policy, tape: Tape, proof: Proof | None, use: str = "") -> Why:
    """What follows from what is on tape already, and from who uses it."""
    why = _JUDGES[policy.action](policy, tape, proof)
    return _USED.get(use, Why.PERHAPS_USED) if use and why is Why.TAKEN else why


def standing(tape: Tape, proof: Proof | None) -> str:
    """What is on tape of this tape as it is now: "never", "yes" or "changed"."""
    if proof is None:
        return _NEVER
    return _SAME if proof.is_of(tape) else _OTHER


def _migrate(policy: Policy, tape: Tape, proof: Proof | None) -> Why:
    known = standing(tape, proof)
    return Why.TAKEN if policy.select.migrated in _WANTED[known] else _LEFT[known]


def _restore(policy: Policy, _tape: Tape, proof: Proof | None) -> Why:
    select = policy.select
    if proof is None:
        return Why.UNPROVEN
    if select.migrated in ("never", "changed"):
        return Why.PROVEN
    if proof.size < (select.min_size or 0):
        return Why.SMALL
    return Why.LARGE if select.max_size is not None and proof.size > select.max_size else Why.TAKEN


def _erase(policy: Policy, tape: Tape, proof: Proof | None) -> Why:
    """Whatever the policy says of `migrated`: only what two witnesses have seen, and nobody has touched since."""
    if proof is None:
        return Why.UNPROVEN
    if not proof.is_of(tape):
        return Why.CHANGED
    if not proof.is_complete:
        return Why.ONE_WITNESS
    if policy.select.migrated in ("never", "changed"):
        return Why.PROVEN
    return Why.TAKEN if policy.is_allowed else Why.FORBIDDEN


_JUDGES = {"migrate": _migrate, "restore": _restore, "erase": _erase}

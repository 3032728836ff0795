"""All policies asked at once: tapes that no policy could tell apart share one answer.

Policies compare sizes and times with a few bounds; between two bounds, in one pool, with the same match of names and
the same record, every tape gets the same answers. So each combination is asked once, and a tape costs a few look-ups,
with fifty policies as with one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.migrate.decide import (
    Matches,
    Uses,
    bounds,
    by_record,
    can_be,
    can_be_spoken,
    looks,
    matcher,
)
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.record import Proof, Proofs
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.why import CARED_FOR, Why


@dataclass(kw_only=True)
class Cell:
    """One answer of all policies, in their order, and how many tapes got it. `first`: who takes them, -1: nobody."""

    whys: tuple[Why, ...]
    first: int
    is_twice: bool
    is_cared_for: bool
    is_unknown: bool
    seen: int = 0

    @property
    def is_taken(self) -> bool:
        return self.first >= 0


@dataclass(kw_only=True)
class _Half:
    """What follows from the looks; where somebody may take it, what is recorded decides: a cell for each record."""

    whys: tuple[Why, ...]
    cell: Cell | None = None
    cells: dict[int, Cell] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Place:
    """A pool. `elsewhere`: for each policy why it is not about it, None where it is."""

    elsewhere: tuple[Why | None, ...]
    fault: Why | None
    halves: dict[Any, _Half] = field(default_factory=dict)


class Grid:
    """The answers of `policies`, which are in the order in which they are asked."""

    def __init__(self, policies: Sequence[Policy], now: int, proofs: Proofs, uses: Uses) -> None:
        self._policies, self._proofs, self._uses = policies, proofs, uses
        self._looks = [looks(policy, now) for policy in policies]
        self._sizes, self._times = _bounds(policies, now)
        globs = dict.fromkeys(policy.select.cartridges for policy in policies)
        self._names = [match for match in map(matcher, globs) if match is not None]
        self._matches = [(_vaults(policy), matcher(policy.select.pools)) for policy in policies]
        self._places: dict[str, _Place] = {}

    def cells(self) -> Iterator[Cell]:
        """Every answer that was given."""
        for place in self._places.values():
            for half in place.halves.values():
                yield from half.cells.values()
                if half.cell:
                    yield half.cell

    def cell(self, tape: Tape) -> Cell:
        """The answer for this tape."""
        folder, _, name = tape.path.rpartition("/")
        place = self._places.get(folder) or self._new_place(folder)
        fault = place.fault or _fault(name, tape)
        if fault is not None:
            return self._faulty(place, fault)
        use = self._uses.get(tape.path, "") if self._uses else ""
        key = (
            bisect_right(self._sizes, tape.size),
            bisect_right(self._times, tape.mtime),
            *[match(name) is not None for match in self._names],
            use,
        )
        half = place.halves.get(key) or self._half(place, key, name, tape)
        return half.cell or self._recorded(half, tape, use)

    def _recorded(self, half: _Half, tape: Tape, use: str) -> Cell:
        proof = self._proofs(tape.path)
        kind = self._kind(tape, proof)
        cell = half.cells.get(kind)
        if cell is None:
            whys = [
                by_record(policy, tape, proof, use) if why is Why.TAKEN else why
                for policy, why in zip(self._policies, half.whys, strict=True)
            ]
            cell = half.cells[kind] = _cell(whys)
        return cell

    def _kind(self, tape: Tape, proof: Proof | None) -> int:
        """What policies can tell apart in a record: none, of this tape as it is, of another state; an erased one's size."""
        if proof is None:
            return -1
        if not tape.size:
            return 3 + bisect_right(self._sizes, proof.size)
        return 2 if not proof.is_of(tape) else int(proof.is_complete)

    def _half(self, place: _Place, key: Any, name: str, tape: Tape) -> _Half:
        whys = tuple(
            look(name, tape) if why is None else why
            for look, why in zip(self._looks, place.elsewhere, strict=True)
        )
        half = place.halves[key] = _Half(whys=whys, cell=None if Why.TAKEN in whys else _cell(whys))
        return half

    def _faulty(self, place: _Place, fault: Why) -> Cell:
        if fault not in place.halves:
            whys = [fault if why is None else why for why in place.elsewhere]
            place.halves[fault] = _Half(whys=(), cell=_cell(whys))
        cell = place.halves[fault].cell
        assert cell is not None
        return cell

    def _new_place(self, folder: str) -> _Place:
        _, vault, pool = ["", "", "", *folder.split("/")][
            -3:
        ]  # before the vault there may be the folder of a lab
        fault = Why.NO_TAPE if not (vault and pool) else None if can_be_spoken(folder) else Why.UNSPEAKABLE
        reasons = tuple(_elsewhere(vaults, pools, vault, pool) for vaults, pools in self._matches)
        place = self._places[folder] = _Place(elsewhere=reasons, fault=fault)
        return place


def _cell(whys: Sequence[Why]) -> Cell:
    """The first policy that wants the tapes gets them; the later ones are shadowed."""
    wanting = [number for number, why in enumerate(whys) if why is Why.TAKEN]
    later = set(wanting[1:])
    return Cell(
        whys=tuple(Why.SHADOWED if number in later else why for number, why in enumerate(whys)),
        first=wanting[0] if wanting else -1,
        is_twice=bool(later),
        is_cared_for=not CARED_FOR.isdisjoint(whys),
        is_unknown=any(why >= Why.FUTURE for why in whys),
    )


def _bounds(policies: Sequence[Policy], now: int) -> tuple[list[int], list[int]]:
    sizes: set[int] = {1}
    times: set[int] = set()
    for policy in policies:
        more_sizes, more_times = bounds(policy, now)
        sizes |= more_sizes
        times |= more_times
    return sorted(sizes), sorted(times)


def elsewhere(policy: Policy, tape: Tape) -> Why | None:
    """Why the policy is not about the pool of this tape; None: it is."""
    return _elsewhere(_vaults(policy), matcher(policy.select.pools), tape.vault, tape.pool)


def _elsewhere(vaults: Matches | None, pools: Matches | None, vault: str, pool: str) -> Why | None:
    if vaults is not None and not vaults(vault):
        return Why.VAULT
    return Why.POOL if pools is not None and not pools(pool) else None


def _fault(name: str, tape: Tape) -> Why | None:
    """Why it is nobody's, whatever they want."""
    if not (name.isprintable() or can_be_spoken(name)):
        return Why.UNSPEAKABLE
    return None if can_be(tape) else Why.STRANGE


def _vaults(policy: Policy) -> Matches | None:
    """Documents may write a vault with its slash."""
    return matcher(glob.lstrip("/") for glob in policy.select.vaults)

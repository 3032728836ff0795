"""All policies of one server, asked about one tape after another: what is taken, by whom, and counts of all else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from vtsconf.core.migrate import histogram
from vtsconf.core.migrate.candidate import Candidate, packed
from vtsconf.core.migrate.decide import SECOND, Uses, standing
from vtsconf.core.migrate.grid import Cell, Grid
from vtsconf.core.migrate.policy import Policy, in_order
from vtsconf.core.migrate.record import Proof, Proofs, nothing_proven
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.why import Why

_EXAMPLES = 5


@dataclass(kw_only=True)
class Tally:
    """What a policy came to on one server. `matched`: what it would take if it were alone."""

    counts: list[int] = field(default_factory=lambda: [0] * len(Why))
    bytes: int = 0  # that it moves
    sparse: int = 0  # of the tapes it takes
    shadowed_by: dict[str, int] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        return self.counts[Why.TAKEN]

    @property
    def matched(self) -> int:
        return self.counts[Why.TAKEN] + self.counts[Why.SHADOWED]

    def absorb(self, other: Tally) -> None:
        """With that of the policy of this name on another server."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.bytes += other.bytes
        self.sparse += other.sparse
        for name, count in other.shadowed_by.items():
            self.shadowed_by[name] = self.shadowed_by.get(name, 0) + count


@dataclass(kw_only=True)
class Some:
    """How many there are, and the first few by name: the same ones in whatever order they come."""

    count: int = 0
    bytes: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, path: str, size: int) -> None:
        self.count += 1
        self.bytes += size
        if len(self.examples) < _EXAMPLES or path < self.examples[-1]:
            self.examples = sorted([*self.examples, path])[:_EXAMPLES]


class Judge:
    """`see` every tape of a server, in any order, then `end`; then read what is counted. One for each server.

    `host` is the server's number in the plan, `now` in seconds; `uses`: see `decide.Uses`.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        now: int,
        *,
        host: int = 0,
        proofs: Proofs = nothing_proven,
        uses: Uses = None,
    ) -> None:
        self.policies = in_order(list(policies))
        self.now, self.host = now, host
        self.tallies = [Tally() for _ in self.policies]
        self.taken: list[bytes] = []  # see `candidate`
        self.ages, self.sizes = histogram.of_ages(), histogram.of_sizes()
        self.tapes = self.bytes = self.sparse = 0
        self.wanted_twice, self.unwanted, self.unknown = Some(), Some(), Some()
        self.on_first: Callable[[int, Tape], None] = _nothing
        self._proofs, self._last = proofs, ""
        self._proof: Proof | None = None
        self._grid = Grid(self.policies, now, self.proof_of, uses)
        self._opens = [policy.opens(now) for policy in self.policies]
        self._firsts: set[tuple[int, str]] = set()

    def proof_of(self, path: str) -> Proof | None:
        """Asked once a tape, however many policies want to know; never for a tape that none of them gets to."""
        if path != self._last:
            self._last, self._proof = path, self._proofs(path)
        return self._proof

    def see(self, tape: Tape) -> None:
        """Judge one tape, and count."""
        cell = self._grid.cell(tape)
        cell.seen += 1
        self.tapes += 1
        self.bytes += tape.size
        self.sparse += is_sparse(tape)
        self.ages.add(self.now - tape.mtime // SECOND, cell.is_taken)
        self.sizes.add(tape.size, cell.is_taken)
        if cell.is_taken:
            self._take(tape, cell)
        elif cell.is_unknown:
            self.unknown.add(tape.path, tape.size)
        elif tape.size and not cell.is_cared_for:
            self.unwanted.add(tape.path, tape.size)

    def verdicts(self, tape: Tape) -> Iterator[tuple[Policy, Why, str]]:
        """What every policy says of it, in their order, and who is the first that takes it; counts nothing."""
        cell = self._grid.cell(tape)
        first = self.policies[cell.first].name if cell.is_taken else ""
        for policy, why in zip(self.policies, cell.whys, strict=True):
            yield policy, why, first

    def end(self) -> None:
        """After the last tape: count what its cells have seen."""
        for cell in self._grid.cells():
            for tally, why in zip(self.tallies, cell.whys, strict=True):
                tally.counts[why] += cell.seen
                if why is Why.SHADOWED:
                    name = self.policies[cell.first].name
                    tally.shadowed_by[name] = tally.shadowed_by.get(name, 0) + cell.seen
            cell.seen = 0

    def _take(self, tape: Tape, cell: Cell) -> None:
        """The first policy that wants it gets it."""
        first = cell.first
        tally = self.tallies[first]
        moves, word = self._moves(self.policies[first], tape)
        tally.bytes += moves
        tally.sparse += is_sparse(tape)
        line = Candidate(
            opens=self._opens[first],
            place=self.policies[first].place,
            mtime=tape.mtime,
            host=self.host,
            policy=first,
            path=tape.path,
            size=tape.size,
            inode=tape.inode,
            moves=moves,
            word=word,
        )
        self.taken.append(packed(line))
        if cell.is_twice:
            self.wanted_twice.add(tape.path, tape.size)
        self._tell_first(first, tape)

    def _moves(self, policy: Policy, tape: Tape) -> tuple[int, str]:
        """Bytes that its job moves, and the word of its candidate."""
        proof = self.proof_of(tape.path)
        if policy.action == "erase":
            # What came back, looks as it did before it was erased: to erase it again is another job.
            return 0, f"back-{proof.back}" if proof and proof.back else ""
        if policy.action == "restore":
            return (proof.size, proof.token) if proof else (0, "")
        # A second copy of the very same tape is another job than the one that made the first.
        again = proof is not None and standing(tape, proof) == "yes"
        return tape.size, f"again-{proof.at}" if proof and again else ""

    def _tell_first(self, number: int, tape: Tape) -> None:
        """Of each policy the first tape in each pool, for questions that are too long for every tape."""
        key = (number, tape.path.rpartition("/")[0])
        if key not in self._firsts:
            self._firsts.add(key)
            self.on_first(number, tape)


def is_sparse(tape: Tape) -> bool:
    """Less is on the disk than it has bytes; 0 allocated is not known, or nothing but a hole."""
    return 0 < tape.allocated < tape.size


def _nothing(_number: int, _tape: Tape) -> None:
    """Nobody wants to know."""

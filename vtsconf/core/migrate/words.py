"""Every decision in words, with the numbers that decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from vtsconf.core.duration import spelled
from vtsconf.core.migrate.decide import SECOND, standing
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.why import Why
from vtsconf.core.printable import printable

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_COARSE = ((86_400, 3600), (3600, 60), (60, 1))


def sized(octets: int) -> str:
    """Bytes for people, in powers of ten: 512 B, 1.5 GB, 2 TB."""
    amount, unit = float(octets), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.3g} {_UNITS[unit]}"


def lasting(seconds: int) -> str:
    """A length of time in its two largest units: 3d4h, 90d, 12s."""
    for whole, part in _COARSE:
        if seconds >= whole:
            return spelled(seconds - seconds % part)
    return spelled(max(0, seconds))


def moment(at: int) -> str:
    """Seconds since 1970 as a person reads them."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def reason(policy: Policy, why: Why, tape: Tape, *, proof: Proof | None, now: int, first: str = "") -> str:
    """One sentence. `first`: the policy that takes it, for one that is shadowed."""
    if why is Why.SHADOWED:
        return f"wanted too, but it goes to {first}, which goes first"
    return _SENTENCES[why](_Case(policy, tape, proof, now))


class _Case:
    """A decision, and the pieces of its sentence."""

    def __init__(self, policy: Policy, tape: Tape, proof: Proof | None, now: int) -> None:
        self.policy, self.select, self.tape, self.proof, self.now = policy, policy.select, tape, proof, now

    @property
    def written(self) -> str:
        return f"written {lasting(self.age)} ago"

    @property
    def age(self) -> int:
        return self.now - self.tape.mtime // SECOND

    @property
    def size(self) -> str:
        """What moves: of an erased tape its copy."""
        return sized(self.proof.size if self.proof and not self.tape.size else self.tape.size)

    @property
    def sparse(self) -> str:
        tape = self.tape
        if not 0 < tape.allocated < tape.size:
            return ""
        return f"; sparse: {sized(tape.allocated)} of {sized(tape.size)} on the disk"

    @property
    def proven(self) -> str:
        if self.proof is None:
            return "never proven on tape"
        return f"proven on {printable(self.proof.bma, 60)} since {moment(self.proof.at)}"

    @property
    def changed(self) -> str:
        """What differs between the tape and its record."""
        if self.proof is None:
            return self.proven
        differing = [
            f"{word} {old}→{new}"
            for word, old, new in (
                ("size", self.proof.size, self.tape.size),
                ("mtime", _exact(self.proof.mtime), _exact(self.tape.mtime)),
                ("inode", self.proof.inode, self.tape.inode),
            )
            if old != new
        ]
        return f"changed since it was {self.proven}: {', '.join(differing)}"

    def matching(self, what: str, name: str, globs: tuple[str, ...]) -> str:
        return f"{what} {printable(name, 260)} does not match {printable(', '.join(globs), 200)}"


def _exact(mtime: int) -> str:
    """To the nanosecond where there are any: two states of a tape may lie in one second."""
    second, rest = divmod(mtime, SECOND)
    try:
        text = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
    except (OverflowError, ValueError, OSError):  # no year that there is
        return f"{mtime} ns"
    return f"{text}.{rest:09}Z" if rest else f"{text}Z"


def _taken(case: _Case) -> str:
    if case.policy.action == "restore":
        return f"erased, and {case.size} are {case.proven}"
    if case.policy.action == "erase":
        witnesses = " and ".join(case.proof.witnesses) if case.proof else ""
        return f"{case.proven} by {witnesses}, unchanged since; {case.written}, {case.size}{case.sparse}"
    known = standing(case.tape, case.proof)
    record = {"never": case.proven, "changed": case.changed, "yes": f"{case.proven}, wanted again"}[known]
    return f"{case.written}, {case.size}, {record}{case.sparse}"


def _present(case: _Case) -> str:
    if case.policy.action == "restore" and case.select.state != "present":
        return f"it has its data ({sized(case.tape.size)}); only erased tapes are restored"
    return f"the policy wants erased tapes, and it has {sized(case.tape.size)}"


def _erased(case: _Case) -> str:
    if case.policy.action == "restore":
        return "it is erased, and the policy wants tapes that are not"
    return f"it is erased (size 0): there is nothing to {case.policy.action}"


def _proven(case: _Case) -> str:
    wants = case.select.migrated
    return f"{case.proven}, unchanged" + (f"; the policy wants `migrated: {wants}`" if wants else "")


def _unproven(case: _Case) -> str:
    match case.policy.action:
        case "restore":
            return "erased, and no copy of it is recorded: there is nothing to restore from"
        case "erase":
            return "never proven on tape: it is nowhere else"
    return f"never proven on tape; the policy wants `migrated: {case.select.migrated}`"


def _changed(case: _Case) -> str:
    if case.policy.action == "erase":
        return f"{case.changed}: what is here now is nowhere else"
    return f"{case.changed}; the policy wants `migrated: {case.select.migrated}`"


def _one_witness(case: _Case) -> str:
    known = ", ".join(case.proof.witnesses) if case.proof else ""
    return f"{case.proven} by {known or 'nobody'} only; an erase needs the BMA and its catalogue"


def _strange(case: _Case) -> str:
    tape = case.tape
    return f"no file system has such a file: size {tape.size}, mtime {tape.mtime} ns, inode {tape.inode}"


def _unspeakable(case: _Case) -> str:
    if any("\ud800" <= c <= "\udfff" for c in case.tape.path):
        return "its name is no UTF-8: no record of it could be kept; rename it"
    return "its name has control characters: no list of a BMA can carry it"


def _age(seconds: int | None) -> str:
    return spelled(seconds or 0)


_SENTENCES: dict[Why, Callable[[_Case], str]] = {
    Why.TAKEN: _taken,
    Why.VAULT: lambda c: c.matching("vault", c.tape.vault, c.select.vaults),
    Why.POOL: lambda c: c.matching("pool", c.tape.pool, c.select.pools),
    Why.CARTRIDGE: lambda c: c.matching("cartridge", c.tape.cartridge, c.select.cartridges),
    Why.NO_TAPE: lambda _: "it does not lie in a pool, as /VAULTxx/pool/cartridge",
    Why.UNSPEAKABLE: _unspeakable,
    Why.ERASED: _erased,
    Why.PRESENT: _present,
    Why.SMALL: lambda c: f"smaller than {sized(c.select.min_size or 0)}: {c.size}",
    Why.LARGE: lambda c: f"larger than {sized(c.select.max_size or 0)}: {c.size}",
    Why.YOUNG: lambda c: f"younger than {_age(c.select.min_age)}: {c.written}",
    Why.OLD: lambda c: f"older than {_age(c.select.max_age)}: {c.written}",
    Why.PROVEN: _proven,
    Why.CHANGED: _changed,
    Why.UNPROVEN: _unproven,
    Why.ONE_WITNESS: _one_witness,
    Why.FORBIDDEN: lambda c: f"{c.proven}, unchanged, but vts.allow_erase does not name {c.policy.name}",
    Why.LOCKED: lambda _: "locked",
    Why.MOUNTED: lambda _: "mounted on a drive",
    Why.PERHAPS_USED: lambda _: "whether it is locked or mounted could not be found out",
    Why.FUTURE: lambda c: (
        f"written {lasting(-c.age)} in the future ({_exact(c.tape.mtime)}): "
        "a clock is or was wrong, so its age is not known"
    ),
    Why.STRANGE: _strange,
}

"""Gives every difference of one host its class and the reason for it. Pure: what was read, and what our runs left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from vtsconf.core import sensitive, vtsfile
from vtsconf.core.change import Change
from vtsconf.core.drift.finding import Class, Finding
from vtsconf.core.drift.past import Left, Past, left
from vtsconf.core.plan import HostPlan
from vtsconf.core.printable import printable
from vtsconf.core.probe import DebtSeen, FileSeen
from vtsconf.core.secret import FingerprintKey, Secret
from vtsconf.core.tables import OTHER, Row, Standing, Tables
from vtsconf.core.wanted import WantedParameter

_RECENT = 5  # runs: asked of every server, so not of all its past
_NOT_READ = "this controller's journal could not be read, so it is not known whose doing it is"


@dataclass(frozen=True, kw_only=True)
class Owned:
    """A whole file that the documents manage, and which of owner, group and mode with it."""

    path: str
    address: str
    dress: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that one host's differences are judged by.

    `pasts`: what our runs did there, newest first; may be gone through several times. `secrets` are values that no
    report may hold. `remembers` is False where the journal could not be read.
    """

    plan: HostPlan
    files: Mapping[str, FileSeen]
    wanted: Mapping[str, WantedParameter]
    tables: Tables
    config_file: str = ""
    owned: tuple[Owned, ...] = ()
    pasts: Iterable[Past] = ()
    key: FingerprintKey = field(default_factory=lambda: FingerprintKey(Secret(b"")))
    secrets: Collection[Secret] = ()
    remembers: bool = True

    @property
    def data(self) -> bytes:
        """The configuration file."""
        seen = self.files.get(self.config_file)
        return (seen.data if seen else None) or b""


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Every difference of a host that was compared; each address once, those that matter most first."""
    found = [
        *(_changed(change, evidence) for change in evidence.plan.changes),
        *(_owed(debt) for debt in evidence.plan.pending_restarts),
        *_unmanaged(evidence),
        *_written_otherwise(evidence),
        *_dressed_otherwise(evidence),
    ]
    order = list(Class)
    first: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda f: order.index(f.cls)):
        first.setdefault(finding.address, finding)
    return tuple(first.values())


def _changed(change: Change, evidence: Evidence) -> Finding:
    parameter = next((w for w in evidence.wanted.values() if w.address == change.address), None)
    path = evidence.config_file if parameter else _path(change.address, evidence)
    name = parameter.name if parameter and not change.secret else ""
    if parameter and _same_words(change, parameter.row):
        cls, reason = Class.COSMETIC, "the same words; only the blanks between them differ"
    else:
        known = left(evidence.pasts, change.address, change.live, name=name, path=path, key=evidence.key)
        cls, reason = _judged(change, known, remembers=evidence.remembers)
    return Finding(
        cls=cls,
        address=change.address,
        reason=reason,
        live=change.live,
        desired=change.desired,
        secret=change.secret,
        path=path,
    )


def _path(address: str, evidence: Evidence) -> str:
    return next((owned.path for owned in evidence.owned if owned.address == address), "")


def _same_words(change: Change, row: Row | None) -> bool:
    """Lists are separated by blanks [6.04.01 Ops p.41, 44]; how many is no difference."""
    if row is None or row.type not in ("list", "hosts"):
        return False
    if not (isinstance(change.live, str) and isinstance(change.desired, str)):
        return False
    return change.live.split() == change.desired.split()


def _judged(change: Change, known: Left | None, *, remembers: bool) -> tuple[Class, str]:
    if known is None:
        # Nobody can have edited what never was there; what is there and not ours, somebody wrote.
        cls = Class.NOT_APPLIED if change.live is None else Class.EDITED
        return cls, _unknown(change) if remembers else _NOT_READ
    if known.same:
        return Class.NOT_APPLIED, _as_left(known)
    return Class.EDITED, _unlike(change, known)


def _unknown(change: Change) -> str:
    if change.address.startswith("commands/"):
        return "no run in this journal ever made its check pass"
    if change.live is None:
        return "it is not there, and no run in this journal ever put it there"
    return "no run in this journal ever wrote it"


def _as_left(known: Left) -> str:
    if not known.confirmed:
        return f"as run {known.run} left it, whose end this journal does not know"
    if not known.exact:
        return (
            f"it stood so already when run {known.run} wrote the file; the documents ask for something else"
        )
    return f"as run {known.run} left it; the documents ask for something else"


def _unlike(change: Change, known: Left) -> str:
    if change.address.startswith("commands/"):
        return f"its check fails again, which run {known.run} had made pass"
    if known.value is None:
        return f"run {known.run} left nothing there"
    if isinstance(known.value, str) and "\n" not in known.value:
        if not change.secret:
            return f"run {known.run} left {printable(known.value, 80)!r} there"
        if known.value.startswith("keyed:"):  # else it was no secret then: the value itself is in that plan
            return f"run {known.run} left {known.value} there"
    return f"run {known.run} left something else there"


def _owed(debt: DebtSeen) -> Finding:
    return Finding(
        cls=Class.NOT_LOADED,
        address=f"services/{debt.service}",
        reason=f"run {printable(debt.run, 80)} wrote what {printable(debt.service, 80)} reads, "
        "and it was not restarted since",
    )


def _unmanaged(evidence: Evidence) -> Iterator[Finding]:
    """Keys of the families that the documents manage here and that no document speaks of. `apply` leaves them alone."""
    families = {wanted.family for wanted in evidence.wanted.values()} - {OTHER}
    tables = (evidence.tables.families[family] for family in families)
    prefixes = tuple(table.prefix for table in tables if table.prefix)  # without one it is no family of names
    seen = {a.name: a for a in vtsfile.assignments(evidence.data) if a.name.startswith(prefixes)}
    for name, assignment in seen.items():
        standing = evidence.tables.standing(name)
        if name not in evidence.wanted and standing.family in families:
            yield _orphan(assignment, standing, evidence)


def _orphan(assignment: vtsfile.Assignment, standing: Standing, evidence: Evidence) -> Finding:
    """One that stood so already when our last run wrote the file was seen by whoever let that run go."""
    row, address = standing.row, f"{standing.family}/{assignment.name}"
    secret = _is_hidden(assignment, row, evidence)
    live = evidence.key.fingerprint(assignment.text.encode()) if secret else assignment.text
    name = "" if secret else assignment.name
    known = left(evidence.pasts, address, live, name=name, path=evidence.config_file, key=evidence.key)
    if row and row.status == "documented" and row.default == assignment.text:
        cls, reason = Class.COSMETIC, f"it is written out with its default [{row.source}]"
    else:
        cls, reason = Class.UNMANAGED, _since(known)
    return Finding(
        cls=cls,
        address=address,
        reason=f"no document speaks of it; {reason}",
        live=live,
        secret=secret,
        path=evidence.config_file,
        stood=known is not None and known.same and known.confirmed and not known.exact,
    )


def _is_hidden(assignment: vtsfile.Assignment, row: Row | None, evidence: Evidence) -> bool:
    """Nobody said that it is a secret; its name, its line or a secret that we know may say so."""
    line = evidence.data[assignment.whole.start : assignment.whole.stop]
    if (row is not None and row.secret) or sensitive.is_sensitive(assignment.name):
        return True
    return sensitive.holds_secret(line) or any(s.reveal() in line for s in evidence.secrets if s.reveal())


def _since(known: Left | None) -> str:
    if known is None:
        return "whether it was there before our last run is not known"
    if known.exact:
        return f"run {known.run} wrote it" if known.same else f"run {known.run} had left something else there"
    if known.same:
        return f"it stood so already when run {known.run} wrote the file"
    return f"it did not stand so when run {known.run} wrote the file"


def _written_otherwise(evidence: Evidence) -> Iterator[Finding]:
    """Managed parameters with the right value in a form that is not the documented one."""
    found = vtsfile.assignments(evidence.data)
    twice = vtsfile.duplicates(found, evidence.wanted)
    differing = {change.address for change in evidence.plan.changes}
    for name, assignment in {a.name: a for a in found if a.name in evidence.wanted}.items():
        wanted = evidence.wanted[name]
        oddities = list(_oddities(assignment, twice.get(name, ()), evidence.data))
        if oddities and wanted.address not in differing:
            yield Finding(
                cls=Class.COSMETIC,
                address=wanted.address,
                reason="; ".join(oddities),
                path=evidence.config_file,
            )


def _oddities(assignment: vtsfile.Assignment, lines: tuple[int, ...], data: bytes) -> Iterator[str]:
    if lines:
        numbers = ", ".join(map(str, lines))
        yield f"set {len(lines)} times (lines {numbers}); the last one counts (inferred)"
    if assignment.form is not vtsfile.Form.PLAIN:
        yield f"line {assignment.line} writes it with {assignment.form}; documented is only name='value'"
    if data[assignment.whole.start : assignment.whole.start + 1] in (b" ", b"\t"):
        yield f"line {assignment.line} begins with a blank"


def _dressed_otherwise(evidence: Evidence) -> Iterator[Finding]:
    """Owner, group or mode that no document manages, and that are not as our last run left them."""
    shared = [Owned(path=evidence.config_file, address=f"config_file/{evidence.config_file}")]
    for owned in [*evidence.owned, *(shared if evidence.config_file else ())]:
        seen = evidence.files.get(owned.path)
        if seen is None or seen.data is None:
            continue
        recent = islice(evidence.pasts, _RECENT)
        past = next((p for p in recent if p.confirmed and p.put(owned.path)), None)
        if past and (differing := list(_differing(seen, past, owned))):
            yield Finding(
                cls=Class.COSMETIC,
                address=owned.address,
                reason=f"{', '.join(differing)} since run {past.run}; no document manages that",
                path=owned.path,
            )


def _differing(seen: FileSeen, past: Past, owned: Owned) -> Iterator[str]:
    state = past.put(owned.path)
    for name in ("owner", "group", "mode"):
        before, now = getattr(state, name), getattr(seen, name)
        if name not in owned.dress and before and before != now:
            yield f"its {name} went from {printable(before, 40)} to {printable(now, 40)}"

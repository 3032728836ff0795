"""Reads servers and makes the plan: one round trip each, everything else is values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vtsconf.core import diff, vtsfile
from vtsconf.core.change import Change
from vtsconf.core.connection import Target
from vtsconf.core.errors import Invalid, Unreachable, VtsconfError
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import Health, HostPlan, base_of
from vtsconf.core.probe import FileKind, FileSeen, Probe, ReadFile, Reading
from vtsconf.core.problem import Level, Problem, errors
from vtsconf.core.resource import Keys, Resource
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.core.step import Base, PutFile, Service, Step
from vtsconf.engine.aim import addresses_of
from vtsconf.engine.prepare import Ready, erasing
from vtsconf.engine.reach import Reach
from vtsconf.resources import build
from vtsconf.resources.lints import lint
from vtsconf.resources.lints.unproven import with_record


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a plan is made for: which addresses, and which lints were overruled by name."""

    addresses: tuple[str, ...] = ()  # () = all; "ems", "ems/ems_enable", "vts1/files": see `engine.aim`
    allowed: Collection[str] = ()
    confirm_within: int | None = None
    recorded: Mapping[str, int] = field(default_factory=dict)  # tapes with a proven copy, by host
    secrets: Mapping[SecretRef, Secret] = field(default_factory=dict)


def plan_host(ready: Ready, reach: Reach, keys: Keys, wish: Wish) -> HostPlan:
    """Read one server and compare. Every way it can end is in the result."""
    resources = build.with_keys(ready.resources, keys)
    try:
        return compare(ready, resources, _read(ready, resources, reach), keys, wish)
    except VtsconfError as error:
        return failed(ready, error, wish)


def failed(ready: Ready, error: VtsconfError, wish: Wish) -> HostPlan:
    """The plan of a host that could not be read or compared."""
    blank = _blank(ready, wish)
    match error:
        case Unreachable():
            return replace(blank, outcome=PlanOutcome.UNREACHABLE, reason=_with(error))
        case Invalid():
            return replace(blank, outcome=PlanOutcome.INVALID, reason=str(error), problems=error.problems)
    return replace(blank, outcome=PlanOutcome.ERROR, reason=_with(error))


def _with(error: VtsconfError) -> str:
    return f"{error}; to do: {error.remedy}" if error.remedy else str(error)


def _read(ready: Ready, resources: Sequence[Resource], reach: Reach) -> Reading:
    server = reach(ready.target)
    try:
        return server.read(probes_of(resources), ready.vts.state_dir)
    finally:
        server.close()


def probes_of(resources: Sequence[Resource]) -> tuple[Probe, ...]:
    """Everything to read for these resources, each once."""
    return tuple(dict.fromkeys(probe for resource in resources for probe in resource.probes()))


def endpoint(target: Target) -> str:
    """One server's name for its plan: a plan is not carried to another."""
    user = f"{target.user}@" if target.user else ""
    return f"{user}{target.address or target.name}:{target.port or 22}"


def _blank(ready: Ready, wish: Wish) -> HostPlan:
    vts = ready.vts
    return HostPlan(
        host=ready.name,
        outcome=PlanOutcome.IN_SYNC,
        endpoint=endpoint(ready.target),
        state_dir=vts.state_dir,
        confirm_within=wish.confirm_within or vts.confirm_within,
        health=tuple(Health(name=name, run=h.run, on=h.on) for name, h in vts.health.items()),
        problems=ready.problems,
    )


def compare(
    ready: Ready, resources: Sequence[Resource], reading: Reading, keys: Keys, wish: Wish
) -> HostPlan:
    """Pure: what was read, against what is desired."""
    settled = [_settled(ready.name, sentence) for sentence in reading.settled]
    blank = replace(_blank(ready, wish), pending_restarts=reading.debts, problems=(*ready.problems, *settled))
    if locked := _lock(reading):
        return replace(blank, outcome=PlanOutcome.LOCKED, reason=locked)
    found = [_placed(problem, ready) for resource in resources for problem in resource.problems(reading)]
    live = ready.subject(_live(ready, reading))
    risks = erasing(live, wish.allowed, resources)
    judged = [*lint(live), *(with_record(risk, wish.recorded.get(ready.name)) for risk in risks)]
    blank = replace(blank, problems=tuple(dict.fromkeys([*blank.problems, *found, *judged])))
    if stops := errors(found):
        return replace(blank, outcome=PlanOutcome.ERROR, reason=stops[0].what)
    if stops := errors(judged):
        return replace(blank, outcome=PlanOutcome.INVALID, reason=stops[0].what)
    only = addresses_of(ready, wish.addresses) if wish.addresses else None
    changes, steps = _work(resources, reading, keys, only)
    services = _services(ready, steps, reading)
    # An old debt is not what the words aim at; it stays, and is shown.
    owed: set[str] = set() if wish.addresses else {debt.service for debt in reading.debts}
    restarts = tuple(_restarts(steps, owed, services))
    return replace(
        blank,
        outcome=PlanOutcome.CHANGES if steps or restarts else PlanOutcome.IN_SYNC,
        changes=changes,
        steps=steps,
        restarts=restarts,
        services=tuple(services.values()),
        base=tuple(_base(resources, steps, reading, keys)),
    )


def _placed(problem: Problem, ready: Ready) -> Problem:
    """With its host, and the place in the documents of what it is about."""
    kind, _, name = problem.address.partition("/")
    places = (w.place for w in ready.wanted.values() if w.address == problem.address)
    place = problem.place or next(places, None)
    if place is None and (path := _path(problem.code, kind, name, ready)):
        place = ready.host.locate(path)
    return replace(problem, host=ready.name, place=place)


def _path(code: str, kind: str, name: str, ready: Ready) -> tuple[str, ...]:
    """The way in the document to what an address stands for; () when it stands for nothing there."""
    if kind in ("files", "commands", "services"):
        return ("vts", kind, name)
    if kind in ready.vts.bma:
        return ("vts", "bma", kind)
    return ("vts", "config_file") if code == "config-file" else ()


def _work(
    resources: Sequence[Resource], reading: Reading, keys: Keys, only: Collection[str] | None
) -> tuple[tuple[Change, ...], tuple[Step, ...]]:
    """What differs and how to change it, resource by resource, in their order; `only` these addresses."""
    changes: list[Change] = []
    steps: list[Step] = []
    for resource in resources:
        differing = diff.changes(resource.observe(reading), resource.desired(), keys)
        mine = [change for change in differing if only is None or change.address in only]
        changes += mine
        steps += resource.steps(mine, reading)
    return tuple(changes), tuple(steps)


def _lock(reading: Reading) -> str:
    if reading.pending:
        p = reading.pending
        left = f"; it takes itself back in {p.until - reading.clock} s" if p.until > reading.clock else ""
        return f"an unconfirmed change of run {p.run} by {p.holder} is armed{left}"
    if reading.lock:
        return f"locked by {reading.lock.holder}, run {reading.lock.run}"
    return ""


def _settled(host: str, sentence: str) -> Problem:
    """What this contact had to finish before it could look."""
    what = f"an earlier change had been cut off; this contact has settled it: {sentence}"
    return Problem(what=what, level=Level.WARNING, code="settled", host=host)


def _live(ready: Ready, reading: Reading) -> dict[str, str] | None:
    seen = reading.files.get(ready.vts.config_file or "", FileSeen(kind=FileKind.ABSENT))
    return None if seen.data is None else dict(vtsfile.values(seen.data))


def _services(ready: Ready, steps: Sequence[Step], reading: Reading) -> dict[str, Service]:
    """Every service that a step or a debt names; one that nobody described cannot be restarted."""
    known = build.services_of(ready.vts)
    named = [*(name for step in steps for name in step.restart), *(debt.service for debt in reading.debts)]
    return {name: known.get(name, Service(name=name)) for name in dict.fromkeys(named)}


def _restarts(steps: Sequence[Step], owed: Collection[str], services: Mapping[str, Service]) -> Iterator[str]:
    """Services of the changes, and old debts that can be paid now; each once, in the order of the document."""
    touched = {name for step in steps for name in step.restart}
    for name, service in services.items():
        if service.restart and (name in touched or name in owed):
            yield name


def _base(
    resources: Sequence[Resource], steps: Sequence[Step], reading: Reading, keys: Keys
) -> Iterator[Base]:
    """The digest of every file that was looked at, whether it changes or not."""
    puts = {step.path: step for step in steps if isinstance(step, PutFile)}
    for probe in probes_of(resources):
        if isinstance(probe, ReadFile):
            step = puts.get(probe.path)
            yield base_of(probe.path, step.before) if step else _seen_base(probe.path, reading, keys)


def _seen_base(path: str, reading: Reading, keys: Keys) -> Base:
    """In sync: its digest is keyed, since the file may hold a secret and the plan is written down."""
    seen = reading.files[path]
    if seen.data is None:
        return Base(path=path, digest="")
    from vtsconf.core.sensitive import holds_secret

    keyed = holds_secret(seen.data) or _has_secret(keys, seen.data)
    digest = keys.fingerprints.digest(seen.data) if keyed else seen.digest
    return Base(path=path, digest=digest, keyed=keyed, owner=seen.owner, group=seen.group, mode=seen.mode)


def _has_secret(keys: Keys, data: bytes) -> bool:
    return any(secret.reveal() in data for secret in keys.secrets.values() if secret.reveal())

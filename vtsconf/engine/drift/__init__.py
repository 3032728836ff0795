"""Compares a fleet with its documents: one round trip a server, a second one only where something was edited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from vtsconf.core import eventlog
from vtsconf.core.drift.classes import Evidence, Owned, findings
from vtsconf.core.drift.finding import Class, Finding, Hint, HostDrift
from vtsconf.core.drift.hints import edited_at, hints, questions
from vtsconf.core.errors import VtsconfError, bug
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.probe import Reading
from vtsconf.core.resource import Keys, Resource
from vtsconf.engine.collect import Wish, compare, failed, probes_of
from vtsconf.engine.drift.memory import Memory
from vtsconf.engine.fan import fan
from vtsconf.engine.prepare import Preparation, Ready
from vtsconf.engine.reach import Reach
from vtsconf.resources import build
from vtsconf.resources.files import File
from vtsconf.transport.server import Server


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a fleet is looked at. `hints`: ask servers on which something was edited who may have done it.

    Nobody asks on account of a class that is `ignored`.
    """

    reach: Reach
    keys: Keys
    memory: Memory
    wish: Wish
    hints: bool = True
    ignored: frozenset[Class] = frozenset()


def drift_fleet(
    preparation: Preparation,
    search: Search,
    *,
    parallel: int,
    done: Callable[[str], None] = lambda _: None,
) -> dict[str, HostDrift]:
    """Every host of the preparation, by name."""
    found = {host.host: HostDrift(plan=host) for host in preparation.invalid}
    for ready, host in fan(preparation.ready, lambda ready: _guarded(ready, search), parallel=parallel):
        found[ready.name] = host
        done(ready.name)
    return found


def _guarded(ready: Ready, search: Search) -> HostDrift:
    try:
        return drift_host(ready, search)
    except Exception as error:  # noqa: BLE001 a bug of ours on one host must not hide the others
        return HostDrift(plan=HostPlan(host=ready.name, outcome=PlanOutcome.ERROR, reason=bug(error)))


def drift_host(ready: Ready, search: Search) -> HostDrift:
    """Read one server, compare, and give every difference its class. Every way it can end is in the result."""
    resources = build.with_keys(ready.resources, search.keys)
    try:
        server = search.reach(ready.target)
        try:
            return _compared(ready, resources, server, search)
        finally:
            server.close()
    except VtsconfError as error:
        return HostDrift(plan=failed(ready, error, search.wish))


def _compared(ready: Ready, resources: Sequence[Resource], server: Server, search: Search) -> HostDrift:
    reading = server.read(probes_of(resources), ready.vts.state_dir)
    plan = compare(ready, resources, reading, search.keys, search.wish)
    host = HostDrift(plan=plan, addresses=tuple(sorted({*_addresses(ready, resources, reading)})))
    if not host.is_compared:
        return host
    found = findings(_evidence(ready, resources, reading, plan, search))
    return replace(host, findings=found, hints=_hints(ready, found, reading, server, search))


def _addresses(ready: Ready, resources: Sequence[Resource], reading: Reading) -> Iterator[str]:
    """All that the documents manage on this host."""
    yield from (wanted.address for wanted in ready.wanted.values())
    yield from (f"services/{name}" for name in ready.vts.services)
    for resource in resources:
        yield from resource.observe(reading)
        yield from resource.desired()


def _evidence(
    ready: Ready, resources: Sequence[Resource], reading: Reading, plan: HostPlan, search: Search
) -> Evidence:
    pasts = search.memory.pasts(ready.name)
    return Evidence(
        plan=plan,
        files=reading.files,
        wanted=ready.wanted,
        tables=ready.tables,
        config_file=ready.vts.config_file or "",
        owned=tuple(_owned(r) for r in resources if isinstance(r, File)),
        pasts=pasts,
        key=search.keys.fingerprints,
        secrets=tuple(search.keys.secrets.values()),
        remembers=search.memory.is_readable,
    )


def _owned(file: File) -> Owned:
    dress = {"owner": file.owner, "group": file.group, "mode": file.mode}
    managed = frozenset(name for name, value in dress.items() if value)
    return Owned(path=file.path, address=file.address, dress=managed)


def _hints(
    ready: Ready, found: Sequence[Finding], reading: Reading, server: Server, search: Search
) -> tuple[Hint, ...]:
    """One more round trip, where something was edited. A server that does not answer it was compared all the same."""
    told = [finding for finding in found if finding.cls not in search.ignored]
    written = edited_at(told, reading.files)
    if not written:
        return ()
    answers = None
    if search.hints:
        try:
            answers = server.read(questions(ready.vts.state_dir, _event_log(ready)), ready.vts.state_dir)
        except VtsconfError:
            answers = None
    known = search.memory.names(ready.name) if search.memory.is_readable else None
    return hints(written, answers, edit_events=ready.vts.drift.edit_events, runs=known)


def _event_log(ready: Ready) -> str:
    """Where it is documented to be; below `vts_root`, which is "" on a real server."""
    root = ready.host.variables.get("vts_root")
    return f"{root.rstrip('/') if isinstance(root, str) else ''}{eventlog.PATH}"

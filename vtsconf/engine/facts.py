"""What a server says about itself: what to ask in one round trip, and what the answers mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from vtsconf.bma import application_of
from vtsconf.core import sensitive, vtsfile
from vtsconf.core.errors import Unreachable, VtsconfError, at_stage
from vtsconf.core.outcome import Exit
from vtsconf.core.printable import printable
from vtsconf.core.probe import DebtSeen, FileSeen, LockSeen, PendingSeen, Probe, Query, ReadFile, Reading
from vtsconf.core.secret import FingerprintKey
from vtsconf.core.tables import Tables
from vtsconf.engine.outline import Outline
from vtsconf.engine.reach import Reach
from vtsconf.transport.algorithms import SshFacts
from vtsconf.transport.shell import ShellServer

_RELEASE_FILES = "/etc/os-release /etc/redhat-release /etc/SuSE-release /etc/issue"
# A control character would not pass to the server, so a script is one line.
_RELEASE = f'for f in {_RELEASE_FILES}; do [ -r "$f" ] && cat "$f" && exit; done; exit 1'
_DISKS = (
    'n=0; for p in "$@"; do q=$p; is=present; '
    'while [ ! -e "$q" ] && [ -n "$q" ]; do is=absent; q=${q%/*}; done; '
    'printf "%s %s " "$n" "$is"; df -Pk "${q:-/}" | tail -n 1; n=$((n+1)); done'
)
_DF = re.compile(
    r"(?P<number>\d+) (?P<present>present|absent) .*?\s(?P<total>\d+)\s+\d+\s+(?P<free>-?\d+)\s+\S+\s+(?P<mount>/.*)"
)
_JOURNAL_LINES = 10


@dataclass(frozen=True, kw_only=True)
class Look:
    """One reading, with what only the connection knew. `began` and `ended` are our own seconds since 1970."""

    reading: Reading
    ssh: SshFacts | None
    host_key: str  # "ssh-ed25519 AAAA…", "" where there is none
    began: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The file system under a path; of a path that is absent, the one it would be made on."""

    path: str
    present: bool
    mount: str
    total: int  # bytes
    free: int


@dataclass(frozen=True, kw_only=True)
class ServiceFact:
    """`status`: "ok", "failing", "silent" (did not answer in time), "unknown" (no status command is given)."""

    name: str
    status: str
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """The VTS configuration file. `digest` is of its bytes, keyed when they seem to hold a secret."""

    path: str
    kind: str  # a FileKind: "file", "absent", …
    owner: str = ""
    group: str = ""
    mode: str = ""
    size: int = 0
    mtime: int = 0
    digest: str = ""
    keyed: bool = False
    parameters: Mapping[str, int] = field(default_factory=dict)  # how many, by family
    duplicates: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # name: lines


@dataclass(frozen=True, kw_only=True)
class ClientFact:
    """One answer of a backup client: its version, or whether it reaches its server."""

    bma: str
    fact: str
    ok: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A server, as it describes itself. `skew` is how many seconds its clock is ahead of ours, at least."""

    user: str
    uid: int | None
    kernel: str
    release: str
    clock: int
    skew: int | None  # None: it did not tell
    ssh: SshFacts | None
    disks: tuple[Disk, ...]
    services: tuple[ServiceFact, ...]
    config_file: ConfigFile | None  # None: the documents do not say where it is
    clients: tuple[ClientFact, ...]
    lock: LockSeen | None
    pending: PendingSeen | None
    debts: tuple[DebtSeen, ...]
    settled: tuple[str, ...]
    journal: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """One host's facts, or why there are none. `exit` is DONE, UNREACHABLE, INVALID or ERROR."""

    host: str
    facts: Facts | None = None
    exit: Exit = Exit.DONE
    reason: str = ""
    remedy: str = ""


def probes(outline: Outline) -> tuple[Probe, ...]:
    """Everything to ask, for one round trip."""
    vts = outline.vts
    asked: list[Probe] = [
        Query("facts/clock", ("date", "+%s")),
        Query("facts/identity", ("sh", "-c", "id -un; id -u")),
        Query("facts/kernel", ("uname", "-srm")),
        Query("facts/release", ("sh", "-c", _RELEASE)),
        Query("facts/disks", ("sh", "-c", _DISKS, "sh", *disk_paths(outline))),
        Query("facts/journal", ("tail", "-n", str(_JOURNAL_LINES), f"{vts.state_dir}/journal")),
    ]
    asked += [Query(_status(name), s.status) for name, s in vts.services.items() if s.status]
    asked += [
        fact.query
        for name, settings in vts.bma.items()
        for fact in application_of(name, settings).facts(settings)
    ]
    asked += [ReadFile(vts.config_file)] if vts.config_file else []
    return tuple(dict.fromkeys(asked))


def _status(service: str) -> str:
    return f"services/{service}/status"


def disk_paths(outline: Outline) -> tuple[str, ...]:
    """The state directory, the configuration file's folder, and the vaults."""
    vts = outline.vts
    folder = (vts.config_file.rpartition("/")[0] or "/",) if vts.config_file else ()
    vaults = (f"{outline.root}/{vault.strip('/')}" for vault in vts.vaults)
    return tuple(dict.fromkeys((vts.state_dir, *folder, *vaults)))


def look(outline: Outline, reach: Reach, clock: Callable[[], float], further: Iterable[Probe] = ()) -> Look:
    """Connect, ask all in one round trip, hang up. Raises Unreachable."""
    server = reach(outline.target)
    shell = server if isinstance(server, ShellServer) else None
    try:
        ssh, host_key = (shell.ssh, shell.host_key) if shell else (None, "")
        began = clock()
        with at_stage("session"):
            reading = server.read((*probes(outline), *further), outline.vts.state_dir)
        ended = clock()
    finally:
        server.close()
    return Look(reading=reading, ssh=ssh, host_key=host_key, began=began, ended=ended)


def facts_of_host(
    outline: Outline, reach: Reach, clock: Callable[[], float], key: FingerprintKey
) -> HostFacts:
    """Read one server; every way it can end is in the result."""
    try:
        seen = look(outline, reach, clock)
    except Unreachable as error:
        return HostFacts(host=outline.name, exit=error.exit, reason=str(error), remedy=error.remedy)
    except VtsconfError as error:
        return HostFacts(host=outline.name, exit=Exit.ERROR, reason=str(error), remedy=error.remedy)
    return HostFacts(host=outline.name, facts=facts_of(outline, seen, key))


def facts_of(outline: Outline, seen: Look, key: FingerprintKey) -> Facts:
    """Pure: what the answers mean."""
    reading, vts = seen.reading, outline.vts
    clock = _number(_said(reading, "facts/clock"))
    name, _, uid = _said(reading, "facts/identity").partition("\n")
    path = vts.config_file
    return Facts(
        user=printable(name),
        uid=_number(uid),
        kernel=printable(_said(reading, "facts/kernel")),
        release=_release(_said(reading, "facts/release")),
        clock=clock or 0,
        skew=None if clock is None else skew(clock, seen.began, seen.ended),
        ssh=seen.ssh,
        disks=tuple(disks_of(_said(reading, "facts/disks"), disk_paths(outline))),
        services=tuple(_services(outline, reading)),
        config_file=config_file_of(path, reading.files[path], outline.tables, key) if path else None,
        clients=tuple(_clients(outline, reading)),
        lock=reading.lock,
        pending=reading.pending,
        debts=reading.debts,
        settled=reading.settled,
        journal=tuple(_said(reading, "facts/journal").splitlines()),
    )


def _said(reading: Reading, name: str) -> str:
    """The output of a query that succeeded; "" otherwise."""
    seen = reading.queries.get(name)
    return seen.text if seen and seen.exit == 0 else ""


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


def skew(clock: int, began: float, ended: float) -> int:
    """Seconds that a clock, read between two moments of ours, is ahead (negative: behind), at the least."""
    if clock > ended:
        return int(clock - ended)
    return min(0, int(clock + 1 - began))  # its seconds are whole ones


def _release(text: str) -> str:
    """PRETTY_NAME of os-release; else the first line of what an older system has."""
    pretty = re.search(r"^PRETTY_NAME=[\"']?([^\"'\n]*)", text, re.MULTILINE)
    return printable(pretty[1] if pretty else text.partition("\n")[0], 100)


def disks_of(text: str, paths: Sequence[str]) -> Iterator[Disk]:
    """What `df -P` said of each path; paths of which it said nothing are left out."""
    for line in text.splitlines():
        match = _DF.fullmatch(line)
        if match and int(match["number"]) < len(paths):
            yield Disk(
                path=paths[int(match["number"])],
                present=match["present"] == "present",
                mount=printable(match["mount"]),
                total=int(match["total"]) * 1024,
                free=int(match["free"]) * 1024,
            )


def size(octets: int) -> str:
    """Bytes in the largest unit that leaves a number before the point."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if round(amount) < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.0f} TB"


def _services(outline: Outline, reading: Reading) -> Iterator[ServiceFact]:
    for name in outline.vts.services:
        seen = reading.queries.get(_status(name))
        if seen is None:
            yield ServiceFact(name=name, status="unknown")
        elif seen.exit is None:
            yield ServiceFact(name=name, status="silent")
        else:
            said = printable(seen.text, 120)
            yield ServiceFact(name=name, status="failing" if seen.exit else "ok", said=said)


def config_file_of(path: str, seen: FileSeen, tables: Tables, key: FingerprintKey) -> ConfigFile:
    """What a person wants to know of the configuration file without reading it."""
    if seen.data is None:
        return ConfigFile(path=path, kind=seen.kind.value)
    found = vtsfile.assignments(seen.data)
    names = dict.fromkeys(a.name for a in found)
    keyed = sensitive.holds_secret(seen.data) or any(sensitive.is_sensitive(name) for name in names)
    families: dict[str, int] = {}
    for name in names:
        family = tables.standing(name).family
        families[family] = families.get(family, 0) + 1
    return ConfigFile(
        path=path,
        kind=seen.kind.value,
        owner=seen.owner,
        group=seen.group,
        mode=seen.mode,
        size=len(seen.data),
        mtime=seen.mtime,
        digest=key.digest(seen.data) if keyed else seen.digest,
        keyed=keyed,
        parameters=families,
        duplicates=vtsfile.duplicates(found, names),
    )


def _clients(outline: Outline, reading: Reading) -> Iterator[ClientFact]:
    for name, settings in outline.vts.bma.items():
        for fact in application_of(name, settings).facts(settings):
            answer = fact.answer(reading.queries.get(fact.query.name))
            yield ClientFact(bma=name, fact=fact.name, ok=answer.ok, text=answer.text)


def to_json(hosts: Iterable[HostFacts]) -> dict[str, Any]:
    """The document `vtsconf/facts/1`."""
    return {"format": "vtsconf/facts/1", "hosts": [_host_json(host) for host in hosts]}


def _host_json(host: HostFacts) -> dict[str, Any]:
    head = {"host": host.host, "outcome": _OUTCOMES[host.exit], "reason": host.reason, "remedy": host.remedy}
    return head | (asdict(host.facts) if host.facts else {})


_OUTCOMES = {
    Exit.DONE: "read",
    Exit.UNREACHABLE: "unreachable",
    Exit.INVALID: "invalid",
    Exit.ERROR: "error",
}

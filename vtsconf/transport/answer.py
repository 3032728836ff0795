"""Turns the records of a server's answer into values. Whatever a server sends, this gives a value or BadFrame."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from vtsconf.core.frame import BadFrame, Record
from vtsconf.core.probe import (
    DebtSeen,
    FileKind,
    FileSeen,
    LockSeen,
    PendingSeen,
    Probe,
    QuerySeen,
    ReadFile,
    Reading,
)

_TIMED_OUT = (124, 137)  # what `timeout` says when it had to end the command


@dataclass(frozen=True)
class _Stat:
    """One line of vt_stats: `%f %U %G %a %Y %Z %s %i %n`."""

    line: bytes
    kind: int
    owner: str
    group: str
    mode: str
    mtime: int
    size: int


def _stats(body: bytes) -> dict[bytes, _Stat]:
    found = {}
    for line in body.split(b"\n"):
        words = line.split(b" ", 8)
        if len(words) < 9:
            continue
        try:
            found[words[8]] = _Stat(
                line,
                stat.S_IFMT(int(words[0], 16)),
                words[1].decode(errors="replace"),
                words[2].decode(errors="replace"),
                f"{int(words[3], 8):04o}",
                int(words[4]),
                int(words[6]),
            )
        except (ValueError, OverflowError):
            continue
    return found


def _fields(body: bytes) -> dict[str, str]:
    """`key value` lines of a note."""
    pairs = (line.partition(" ") for line in body.decode(errors="replace").splitlines())
    return {key: value.strip() for key, _, value in pairs}


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 20


def _number(text: str | None) -> int:
    return int(text) if text and _is_number(text) else 0


def _lock(body: bytes) -> LockSeen:
    note = _fields(body)
    return LockSeen(
        run=note.get("run", "?"),
        holder=note.get("holder", "?"),
        since=_number(note.get("since")),
        until=_number(note.get("until")),
    )


def _pending(body: bytes) -> PendingSeen:
    note = _fields(body)
    lock = _lock(body)
    decided = note.get("decision", "").split(" ")[0]
    return PendingSeen(run=lock.run, holder=lock.holder, since=lock.since, until=lock.until, decision=decided)


def _query(code: str, output: bytes) -> QuerySeen:
    ended = int(code) if _is_number(code) else -1
    return QuerySeen(exit=None if ended in _TIMED_OUT else ended, stdout=output)


def _file(record: Record, read: ReadFile, before: _Stat | None, after: _Stat | None) -> FileSeen:
    kinds = {"absent": FileKind.ABSENT, "unreadable": FileKind.UNREADABLE}
    if record.kind in kinds:
        return FileSeen(kind=kinds[record.kind], folder_missing=record.words[2:] == ("nofolder",))
    if record.kind == "link":
        return FileSeen(kind=FileKind.SYMLINK, target=record.body.decode(errors="replace").rstrip("\n"))
    if record.kind == "unstable" or before is None or after is None or before.line != after.line:
        return FileSeen(kind=FileKind.UNSTABLE)
    kind, data = _regular(record, read, before)
    return FileSeen(
        kind=kind,
        data=data,
        owner=before.owner,
        group=before.group,
        mode=before.mode,
        mtime=before.mtime,
        size=before.size,
    )


def _regular(record: Record, read: ReadFile, seen: _Stat) -> tuple[FileKind, bytes | None]:
    if seen.kind == stat.S_IFDIR:
        return FileKind.DIRECTORY, None
    if seen.kind != stat.S_IFREG or record.kind != "file":
        return FileKind.SPECIAL, None
    if len(record.body) > read.limit:
        return FileKind.TOO_BIG, None
    if len(record.body) != seen.size:
        return FileKind.UNSTABLE, None
    return FileKind.FILE, record.body


def _apart(body: bytes, reads: Mapping[int, ReadFile], stats: Mapping[bytes, _Stat]) -> dict[int, Record]:
    """Files that came one after another in one record: cut apart by what `stat` said, if they are as long as that."""
    found = [stats.get(read.path.encode()) for read in reads.values()]
    sizes = [
        min(seen.size, read.limit + 1) if seen else -1
        for read, seen in zip(reads.values(), found, strict=True)
    ]
    if min(sizes, default=0) < 0 or sum(sizes) != len(body):
        return {number: Record(("unstable", str(number))) for number in reads}
    ends = list(accumulate(sizes))
    return {
        number: Record(("file", str(number)), body[end - size : end])
        for number, size, end in zip(reads, sizes, ends, strict=True)
    }


def asked(records: Iterable[Record]) -> dict[str, QuerySeen]:
    """What the queries among the records answered, by name."""
    outputs: dict[str, bytes] = {}
    queries: dict[str, QuerySeen] = {}
    for record in records:
        match record.words:
            case ("query", *name):
                outputs[" ".join(name)] = record.body
            case ("exit", *name, code) if name:
                queries[" ".join(name)] = _query(code, outputs.get(" ".join(name), b""))
    return queries


def reading(records: Iterable[Record], probes: Sequence[Probe]) -> Reading:
    """What a server showed. Raises BadFrame when a probe was left unanswered."""
    reads = [p for p in probes if isinstance(p, ReadFile)]
    stats: dict[str, dict[bytes, _Stat]] = {"1": {}, "2": {}}
    shown: dict[int, Record] = {}
    known = {str(n): n for n in range(len(reads))}
    records = list(records)
    ledger: dict[str, list[Record]] = {}
    for record in records:
        match record.words:
            case ("stats", which):
                stats.setdefault(which, {}).update(_stats(record.body))
            case ("files", *numbers) if all(number in known for number in numbers):
                shown |= _apart(record.body, {known[n]: reads[known[n]] for n in numbers}, stats["1"])
            case ("file" | "link" | "other" | "absent" | "unreadable", number) if _is_number(number):
                shown[int(number)] = record
            case ("absent", number, "nofolder") if _is_number(number):
                shown[int(number)] = record
            case ("query" | "exit", *_):
                pass
            case _:
                ledger.setdefault(record.kind, []).append(record)
    if set(shown) != set(range(len(reads))):
        raise BadFrame("the server left a file unanswered")
    seen = {
        read.path: _file(
            shown[n],
            read,
            stats.get("1", {}).get(read.path.encode()),
            stats.get("2", {}).get(read.path.encode()),
        )
        for n, read in enumerate(reads)
    }
    return _with_ledger(seen, asked(records), ledger)


def _with_ledger(
    files: dict[str, FileSeen], queries: dict[str, QuerySeen], ledger: dict[str, list[Record]]
) -> Reading:
    locks = [_lock(r.body) for r in ledger.get("lock", [])]
    pending = [_pending(r.body) for r in ledger.get("pending", [])]
    clock = next((_number(r.body.decode(errors="replace").strip()) for r in ledger.get("clock", [])), 0)
    return Reading(
        files=files,
        queries=queries,
        lock=locks[0] if locks else None,
        pending=pending[0] if pending else None,
        debts=tuple(_debt(r) for r in ledger.get("debt", [])),
        settled=tuple(_settled(r.body) for r in ledger.get("settled", [])),
        clock=clock,
    )


def _debt(record: Record) -> DebtSeen:
    note = _fields(record.body)
    return DebtSeen(service=record.rest(1), run=note.get("run", "?"), since=_number(note.get("since")))


def _settled(body: bytes) -> str:
    """The last event of the program that settled: "reverted the server's processes had died …"."""
    events = [line for line in body.decode(errors="replace").splitlines() if line.startswith("- event ")]
    return events[-1].removeprefix("- event ") if events else "nothing was left to settle"

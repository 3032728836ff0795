"""Turns the records of an answer about detached runs into values. Whatever a server sends: a value, or BadFrame."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import replace

from vtsconf.core.errors import Failed
from vtsconf.core.frame import BadFrame, Record
from vtsconf.core.migrate.tape import Tape
from vtsconf.transport.runs import RunsSeen, RunState, State

_STATES: dict[str, State] = {"none": "none", "running": "running", "ended": "ended", "lost": "lost"}


def started(records: Sequence[Record], id_: str, attempt: int, paths: Sequence[str] = ()) -> RunState:
    """Raises Failed when the server could not start it, and has started nothing."""
    for record in records:
        match record.words:
            case ("result", "refused" | "busy" as word, *_):
                is_busy, reason = word == "busy", record.rest(2)
                return RunState(id=id_, attempt=attempt, state="refused", reason=reason, is_busy=is_busy)
            case ("result", "failed", *_):
                raise Failed(
                    f"the job {id_} was not started: {record.rest(2)}",
                    remedy="nothing of it runs; look at the server, then try again",
                )
    return one(records, id_, paths)


def one(records: Sequence[Record], id_: str, paths: Sequence[str] = ()) -> RunState:
    seen = looked(records, (id_,), paths)
    return replace(seen.runs[0], files=seen.files)


def looked(records: Sequence[Record], ids: Sequence[str], paths: Sequence[str] = ()) -> RunsSeen:
    """Raises BadFrame when a job was left unanswered."""
    clock = next((_number(r.body.decode(errors="replace").strip()) for r in records if r.kind == "clock"), 0)
    runs = {run.id: run for run in _runs(records, clock)}
    if any(id_ not in runs for id_ in ids):
        raise BadFrame("the server left a job unanswered")
    found = {tape.path: tape for r in records if r.kind == "stats" for tape in stats(r.body)}
    if paths and not any(r.kind == "stats" for r in records):
        raise BadFrame("the server left the files unanswered")
    files = {path: found.get(path) for path in paths}
    return RunsSeen(runs=tuple(runs[id_] for id_ in ids), files=files, clock=clock)


def forgotten(records: Iterable[Record]) -> tuple[str, ...]:
    return tuple(record.rest(1) for record in records if record.kind == "forgotten")


def stats(body: bytes) -> list[Tape]:
    """Lines of `%f %s %i %Y %b %B %U|%y|%n`; what is no regular file is left out."""
    lines = (line.split(b"|", 2) for line in body.split(b"\n"))
    return [tape for line in lines if len(line) == 3 for tape in _tape(*line)]


def _tape(numbers: bytes, when: bytes, path: bytes) -> list[Tape]:
    try:
        mode, size, inode, seconds, blocks, unit, owner = numbers.decode(errors="replace").split(" ", 6)
        if not stat.S_ISREG(int(mode, 16)):
            return []
        return [
            Tape(
                path=path.decode("utf-8", "surrogateescape"),
                size=int(size),
                mtime=int(seconds) * 10**9 + nanoseconds(when),
                inode=int(inode),
                owner=owner,
                allocated=int(blocks) * int(unit),
            )
        ]
    except (ValueError, OverflowError):
        return []


def nanoseconds(when: bytes) -> int:
    """Of `2026-11-25 10:18:04.911493859 +0000`; 0 where there is no fraction."""
    fraction = when.partition(b".")[2].partition(b" ")[0][:9]
    return int(fraction.ljust(9, b"0")) if fraction.isdigit() else 0


def _runs(records: Iterable[Record], clock: int) -> Iterable[RunState]:
    for record in records:
        if record.kind == "run" and len(record.words) >= 8:
            yield _run(record, clock)


def _run(record: Record, clock: int) -> RunState:
    _, id_, attempt, state, exit_, began, beat, cut, *_ = record.words
    if state not in _STATES:
        raise BadFrame(f"a job is said to be {state!r}")
    return RunState(
        id=id_,
        attempt=_number(attempt),
        state=_STATES[state],
        exit=_number(exit_) if exit_.isdecimal() else None,
        reason=record.rest(8),
        output=record.body,
        is_cut=cut == "cut",
        started=_number(began),
        beat=_number(beat),
        clock=clock,
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 20 else 0

"""Detached runs and tapes of a server that is a few dictionaries: what starts runs until it is told to end.

It keeps the promises of the real one: an attempt starts once, an older one never, and no two of a job at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from vtsconf.core.migrate.tape import Tape
from vtsconf.transport.runs import Guard, RunSpec, RunsSeen, RunState


@dataclass(kw_only=True)
class MemoryRuns:
    """`tapes` by path. `begun` is every run that was ever started here, in that order: what laws count."""

    tapes: dict[str, Tape] = field(default_factory=dict)
    runs: dict[str, RunState] = field(default_factory=dict)  # the newest attempt, by id
    begun: list[RunSpec] = field(default_factory=list)
    clock: int = 0
    rings: int = 0  # how many have ended
    ended: threading.Condition = field(default_factory=threading.Condition)

    def start(self, spec: RunSpec) -> RunState:
        there = self.runs.get(spec.id)
        if there and (there.attempt >= spec.attempt or there.state == "running"):
            return self._now(there)
        for guard in spec.guards:
            if reason := self._amiss(guard):
                return RunState(id=spec.id, attempt=spec.attempt, state="refused", reason=reason)
        self.begun.append(spec)
        self.runs[spec.id] = RunState(
            id=spec.id, attempt=spec.attempt, state="running", started=self.clock, beat=self.clock
        )
        return self._now(self.runs[spec.id])

    def await_end(self, id_: str, patience: float) -> RunState:
        """How this one stands, when it has ended or patience has."""
        with self.ended:
            self.ended.wait_for(lambda: self.runs[id_].state != "running", patience)
        return self._now(self.runs[id_])

    def await_any(self, ids: Sequence[str], patience: float) -> None:
        """Until one of these does not run, or any run ends."""

        def is_over() -> bool:
            runs = [self.runs.get(id_) for id_ in ids]
            return self.rings != heard or any(run is None or run.state != "running" for run in runs)

        with self.ended:
            heard = self.rings
            self.ended.wait_for(is_over, patience)

    def finish(self, id_: str, exit_: int | None = 0, output: bytes = b"", reason: str = "") -> None:
        """The run of this job ends so; None: it is lost."""
        self.runs[id_] = replace(
            self.runs[id_],
            state="lost" if exit_ is None else "ended",
            exit=exit_,
            output=output,
            reason=reason,
            beat=self.clock,
        )
        with self.ended:
            self.rings += 1
            self.ended.notify_all()

    def reboot(self) -> None:
        """Whatever runs is lost."""
        for run in list(self.runs.values()):
            if run.state == "running":
                self.finish(run.id, None)

    def look(self, ids: Sequence[str], paths: Sequence[str]) -> RunsSeen:
        return RunsSeen(
            runs=tuple(self._now(self.runs.get(id_, _none(id_))) for id_ in ids),
            files={path: self.tapes.get(path) for path in paths},
            clock=self.clock,
        )

    def end(self, id_: str, attempt: int) -> RunState:
        run = self.runs.get(id_, _none(id_))
        if run.state == "running" and run.attempt == attempt:
            self.finish(id_, 143, run.output, "ended as asked")
        return self._now(self.runs.get(id_, run))

    def forget(self, ids: Sequence[str]) -> tuple[str, ...]:
        gone = tuple(id_ for id_ in ids if id_ not in self.runs or self.runs[id_].state != "running")
        for name in list(self.runs):
            if self.runs[name].state != "running" and any(
                name == id_ or name.startswith(f"{id_}-") for id_ in ids
            ):
                self.runs.pop(name)
        return gone

    def _now(self, run: RunState) -> RunState:
        beat = self.clock if run.state == "running" else run.beat
        return replace(run, clock=self.clock, beat=beat)

    def _amiss(self, guard: Guard) -> str:
        """What does not hold, "" if it does."""
        tape = self.tapes.get(guard.path)
        if guard.only_in:
            name, vaults = guard.path.rsplit("/", 1)[1], guard.only_in
            same = [
                one.path for one in self.tapes.values() if one.cartridge == name and one.path != guard.path
            ]
            found = [
                path for path in same if any(fnmatchcase(path.split("/")[-3], vault) for vault in vaults)
            ]
            return f"{found[0]} has the same name" if found else ""
        if guard.is_absent:
            return f"{guard.path} is there" if tape else ""
        if tape is None:
            return f"{guard.path} is not there, or is not a file"
        wanted = {"size": guard.size, "mtime": guard.mtime, "inode": guard.inode}
        differing = [name for name, value in wanted.items() if value not in (None, getattr(tape, name))]
        return f"{guard.path} is not what it was: {', '.join(differing)}" if differing else ""


def _none(id_: str) -> RunState:
    return RunState(id=id_, attempt=0, state="none")

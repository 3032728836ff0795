"""A server that is three dictionaries: for laws, for simulations of large fleets, for trying a thought.

It keeps the promises of the real protocol (compare, all or nothing, armed until confirmed) without a shell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vtsconf.core.content import Content
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.probe import (
    DebtSeen,
    FileKind,
    FileSeen,
    LockSeen,
    PendingSeen,
    Probe,
    Query,
    QuerySeen,
    ReadFile,
    Reading,
)
from vtsconf.core.secret import FingerprintKey, Secret, Secrets
from vtsconf.core.step import Base, FileState, PutFile, RunCommand, Step
from vtsconf.transport.fakeruns import MemoryRuns
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState
from vtsconf.transport.server import Applied, Confirmed, Transaction
from vtsconf.transport.tapes import TapesSeen

ABSENT = FileSeen(kind=FileKind.ABSENT)
Argv = tuple[str, ...]


class _No(Exception):
    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


@dataclass(kw_only=True)
class MemoryServer:
    """`files` by path; `command` answers every argv (checks, restarts, status), exit 0 by default."""

    files: dict[str, FileSeen] = field(default_factory=dict)
    command: Callable[[Argv], QuerySeen] = lambda _: QuerySeen(exit=0)
    key: FingerprintKey = field(default_factory=lambda: FingerprintKey(Secret(b"")))
    debts: dict[str, DebtSeen] = field(default_factory=dict)
    backups: dict[str, dict[str, FileSeen]] = field(default_factory=dict)
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    armed: Transaction | None = None
    jobs: MemoryRuns = field(default_factory=MemoryRuns)

    def read(self, probes: Sequence[Probe], state_dir: str) -> Reading:  # noqa: ARG002 the seam's
        return Reading(
            files={p.path: self.files.get(p.path, ABSENT) for p in probes if isinstance(p, ReadFile)},
            queries={p.name: self.command(p.argv) for p in probes if isinstance(p, Query)},
            debts=tuple(self.debts.values()),
            lock=LockSeen(run=self.armed.run, holder=self.armed.holder, since=0, until=0)
            if self.armed
            else None,
            pending=PendingSeen(run=self.armed.run, holder=self.armed.holder, since=0, until=0)
            if self.armed
            else None,
        )

    def apply(self, transaction: Transaction, secrets: Secrets, on_event: Callable[[str], None]) -> Applied:
        if self.armed:
            return self._answer("locked", "another run holds this server", transaction)
        before, debts = dict(self.files), dict(self.debts)
        try:
            self._compare(transaction)
            on_event("compared")
            self._change(transaction, secrets)
        except _No as no:
            changed, self.files, self.debts = self.files != before, before, debts
            outcome = "reverted" if changed and no.outcome == "failed" else no.outcome
            return self._answer(outcome, no.reason, transaction)
        self.backups[transaction.run] = before
        self.armed = transaction
        on_event("done")
        return self._answer("armed", "waits to be confirmed", transaction)

    def confirm(self, run: str, health: Sequence[Query], state_dir: str, who: str = "") -> Confirmed:
        if not self.armed or self.armed.run != run:
            return Confirmed(outcome=self.outcomes.get(run, ("none", ""))[0])
        for query in health:
            if self.command(query.argv).exit != 0:
                return self.revert(run, f"health check {query.name} failed", state_dir)
        self.armed = None
        self.outcomes[run] = ("confirmed", who)
        return Confirmed(outcome="confirmed")

    def revert(self, run: str, reason: str, state_dir: str) -> Confirmed:  # noqa: ARG002 the seam's
        if self.armed and self.armed.run == run:
            self.files = dict(self.backups[run])
            self.armed = None
            self.outcomes[run] = ("reverted", reason)
        return Confirmed(outcome=self.outcomes.get(run, ("none", ""))[0], reason=reason)

    def unlock(self, state_dir: str, *, force: bool) -> Confirmed:  # noqa: ARG002 the seam's
        return Confirmed(outcome="armed" if self.armed else "none")

    def tapes(self, vaults: Sequence[str], on_tape: Callable[[Tape], None]) -> TapesSeen:
        found = [tape for tape in self.jobs.tapes.values() if not vaults or f"/{tape.vault}" in vaults]
        for tape in found:
            on_tape(tape)
        return TapesSeen(count=len(found), clock=self.jobs.clock)

    def start(
        self,
        spec: RunSpec,
        state_dir: str,  # noqa: ARG002 the seam's
        *,
        patience: float = 0.0,
        paths: Sequence[str] = (),
    ) -> RunState:
        state = self.jobs.start(spec)
        if state.state == "refused":
            return state
        return replace(self.jobs.await_end(spec.id, patience), files=self.jobs.look((), paths).files)

    def look(
        self,
        ids: Sequence[str],
        state_dir: str,  # noqa: ARG002 the seam's
        paths: Sequence[str] = (),
        *,
        patience: float = 0.0,
    ) -> RunsSeen:
        self.jobs.await_any(ids, patience)
        return self.jobs.look(ids, paths)

    def end(self, id_: str, attempt: int, state_dir: str) -> RunState:  # noqa: ARG002 the seam's
        return self.jobs.end(id_, attempt)

    def forget(self, ids: Sequence[str], state_dir: str) -> tuple[str, ...]:  # noqa: ARG002 the seam's
        return self.jobs.forget(ids)

    def close(self) -> None:
        """Nothing is held open."""

    def _answer(self, outcome: str, reason: str, transaction: Transaction) -> Applied:
        return Applied(
            outcome=outcome,
            reason=reason,
            reading=self.read(transaction.probes, transaction.state_dir),
            debts=tuple(self.debts),
        )

    def _compare(self, transaction: Transaction) -> None:
        for base in transaction.base:
            if not self._is(base):
                raise _No("stale", f"{base.path} is not what the plan was made from")
        for step in transaction.steps:
            if isinstance(step, RunCommand) and (self.command(step.check).exit == 0) != step.undo:
                raise _No("stale", f"the check of command {step.name} answers otherwise now")

    def _is(self, base: Base) -> bool:
        seen = self.files.get(base.path, ABSENT)
        if seen.data is None:
            return not base.digest and seen.kind is FileKind.ABSENT
        same = base.digest == (self.key.digest(seen.data) if base.keyed else seen.digest)
        dress = ((base.owner, seen.owner), (base.group, seen.group), (base.mode, seen.mode))
        return same and all(wanted in ("", found) for wanted, found in dress)

    def _change(self, transaction: Transaction, secrets: Secrets) -> None:
        services = {s.name: s for s in transaction.services}
        for step in transaction.steps:
            self._do(step, secrets)
            for name in step.restart:
                self.debts.setdefault(name, DebtSeen(service=name, run=transaction.run, since=0))
        for name in transaction.restarts:
            service = services[name]
            if service.restart and self.command(service.restart).exit != 0:
                raise _No("failed", f"the restart of {name} failed")
            if service.restart:
                self.debts.pop(name, None)
            if service.status and self.command(service.status).exit != 0:
                raise _No("failed", f"the status check of {name} fails after the restart")

    def _do(self, step: Step, secrets: Secrets) -> None:
        if isinstance(step, RunCommand):
            if self.command(step.revert if step.undo else step.run).exit != 0:
                raise _No("failed", f"command {step.name} failed")
        elif step.after is None:
            self.files.pop(step.path, None)
        else:
            self.files[step.path] = self._file(step, step.after, secrets)

    def _file(self, step: PutFile, after: FileState, secrets: Secrets) -> FileSeen:
        content: Content | None = after.content
        kept: Mapping[str, FileSeen] = self.backups.get(after.kept, {})
        if content is None and step.path not in kept:
            raise _No("failed", f"the backup of run {after.kept} does not hold {step.path} any more")
        data = kept[step.path].data if content is None else content.resolve(secrets)
        return FileSeen(
            kind=FileKind.FILE,
            data=data,
            owner=after.owner or "root",
            group=after.group or "root",
            mode=after.mode,
            size=len(data or b""),
        )

"""The protocol of design §6 over any session that can run a POSIX sh: one exec a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from vtsconf.core.errors import Unreachable
from vtsconf.core.frame import BadFrame, FrameReader, Record
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.probe import Probe, Query, Reading
from vtsconf.core.secret import FingerprintKey, Secrets
from vtsconf.core.step import PutFile
from vtsconf.transport import bounds, jobanswer, jobprogram, program
from vtsconf.transport.algorithms import SshFacts
from vtsconf.transport.answer import asked, reading
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState
from vtsconf.transport.server import Applied, Confirmed, Session, Transaction
from vtsconf.transport.tapeprogram import tapes_program
from vtsconf.transport.tapes import TapeReader, TapesSeen

T = TypeVar("T")


class ShellServer:
    """A server, reached over `session`. `new_mark` gives a fresh unguessable word of letters and digits."""

    def __init__(
        self,
        session: Session,
        *,
        new_mark: Callable[[], str],
        key: Callable[[], FingerprintKey] | None = None,
        name: str = "",
    ) -> None:
        self._session = session
        self._name = name
        self._new_mark = new_mark
        self._key = key

    @property
    def ssh(self) -> SshFacts | None:
        """What the connection came to use; None where it is not SSH."""
        facts = getattr(self._session, "facts", None)
        return facts if isinstance(facts, SshFacts) else None

    @property
    def host_key(self) -> str:
        """The server's public key as a line for `vts_ssh_host_key`; "" where there is none."""
        return str(getattr(self._session, "host_key", ""))

    def read(self, probes: Sequence[Probe], state_dir: str) -> Reading:
        mark = self._new_mark()
        return self._understand(
            lambda records: reading(records, probes),
            program.read_program(probes, state_dir, mark),
            mark,
            bounds.most(probes),
        )

    def apply(self, transaction: Transaction, secrets: Secrets, on_event: Callable[[str], None]) -> Applied:
        mark = self._new_mark()
        keyed = any(base.keyed for base in transaction.base) or any(
            isinstance(step, PutFile) and step.after and step.after.kept for step in transaction.steps
        )
        key = self._key().key.reveal().decode() if keyed and self._key else ""
        records = self._exchange(
            program.apply_program(transaction, secrets, key, mark),
            mark,
            bounds.most(transaction.probes),
            on_event,
            doubt=True,
        )
        return self._translate(lambda: _applied(records, transaction.probes))

    def confirm(self, run: str, health: Sequence[Query], state_dir: str, who: str = "") -> Confirmed:
        mark = self._new_mark()
        made = program.confirm_program(run, health, state_dir, mark, host=self._name, who=who)
        return self._understand(_confirmed, made, mark)

    def revert(self, run: str, reason: str, state_dir: str) -> Confirmed:
        mark = self._new_mark()
        return self._understand(_confirmed, program.revert_program(run, reason, state_dir, mark), mark)

    def unlock(self, state_dir: str, *, force: bool) -> Confirmed:
        mark = self._new_mark()
        return self._understand(_confirmed, program.unlock_program(state_dir, mark, force=force), mark)

    def tapes(self, vaults: Sequence[str], on_tape: Callable[[Tape], None]) -> TapesSeen:
        mark = self._new_mark()
        reader = TapeReader(mark, on_tape)
        made = tapes_program(vaults, mark)
        session = getattr(
            self._session, "patient", self._session
        )  # a million tapes may take long, and say so
        ending = session.execute(made.command, made.stdin, reader.feed)
        return reader.end(ending)

    def start(
        self, spec: RunSpec, state_dir: str, *, patience: float = 0.0, paths: Sequence[str] = ()
    ) -> RunState:
        mark = self._new_mark()
        made = jobprogram.start_program(spec, state_dir, mark, patience=patience, paths=paths)
        return self._understand(
            lambda records: jobanswer.started(records, spec.id, spec.attempt, paths), made, mark, _most(1)
        )

    def look(
        self, ids: Sequence[str], state_dir: str, paths: Sequence[str] = (), *, patience: float = 0.0
    ) -> RunsSeen:
        mark = self._new_mark()
        made = jobprogram.look_program(ids, state_dir, paths, mark, patience=patience)
        return self._understand(
            lambda records: jobanswer.looked(records, ids, paths), made, mark, _most(len(ids))
        )

    def end(self, id_: str, attempt: int, state_dir: str) -> RunState:
        mark = self._new_mark()
        made = jobprogram.end_program(id_, attempt, state_dir, mark)
        return self._understand(lambda records: jobanswer.one(records, id_), made, mark, _most(1))

    def forget(self, ids: Sequence[str], state_dir: str) -> tuple[str, ...]:
        mark = self._new_mark()
        return self._understand(jobanswer.forgotten, jobprogram.forget_program(ids, state_dir, mark), mark)

    def close(self) -> None:
        self._session.close()

    def _understand(
        self,
        meaning: Callable[[list[Record]], T],
        made: program.Program,
        mark: str,
        most: int = bounds.most(()),
    ) -> T:
        records = self._exchange(made, mark, most)
        return self._translate(lambda: meaning(records))

    def _translate(self, meaning: Callable[[], T]) -> T:
        try:
            return meaning()
        except BadFrame as error:
            raise Unreachable(f"the server's answer makes no sense: {error}", stage="protocol") from error

    def _exchange(
        self,
        made: program.Program,
        mark: str,
        most: int,
        on_event: Callable[[str], None] = lambda _: None,
        *,
        doubt: bool = False,
    ) -> list[Record]:
        """Run a program; the whole answer, of `most` bytes, or Unreachable."""
        reader = FrameReader(mark, limit=most)
        records: list[Record] = []

        def take(data: bytes) -> None:
            for record in reader.feed(data):
                if record.kind == "event":
                    on_event(record.rest(1))
                records.append(record)

        try:
            ending = self._session.execute(made.command, made.stdin, take)
        except BadFrame as error:
            raise Unreachable(f"the server's answer makes no sense: {error}", stage="protocol") from error
        if not reader.ended:
            said = (ending.stderr.strip() or reader.noise.strip()).decode(errors="replace")[-300:]
            raise Unreachable(
                f"the server's answer ended early (exit {ending.code}){': ' + said if said else ''}",
                remedy="it needs a POSIX sh, head, stat and sha256sum for this user; `vtsconf doctor` checks them"
                if not doubt
                else "",
                stage="protocol",
            )
        return records


def _most(jobs: int) -> int:
    """Bytes that an honest answer about so many jobs can have."""
    return bounds.most(()) + jobs * (jobprogram.KEPT_OUTPUT + 4096)


def _result(records: Sequence[Record]) -> Record:
    for record in records:
        if record.kind == "result" and len(record.words) > 1:
            return record
    raise BadFrame("no result")


def _applied(records: Sequence[Record], probes: Sequence[Probe]) -> Applied:
    result = _result(records)
    seen = reading(records, probes)
    return Applied(
        outcome=result.words[1],
        reason=result.rest(2),
        detail=result.body.decode(errors="replace").strip(),
        reading=seen,
        lock=seen.lock,
        debts=tuple(debt.service for debt in seen.debts),
    )


def _confirmed(records: Sequence[Record]) -> Confirmed:
    result = _result(records)
    return Confirmed(
        outcome=result.words[1],
        reason=result.rest(2),
        detail=result.body.decode(errors="replace").strip(),
        health=tuple(asked(records).items()),
    )

"""One attempt at one job, with all it needs: its runs on the server, its questions to the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from vtsconf.bma.contract import Command, Judgement, Located, Migrator, Output, Verdict
from vtsconf.core.errors import Failed
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.hands import Hands, Stopped
from vtsconf.engine.migrate.yard import Place
from vtsconf.transport.runs import Guard, RunSpec, RunState
from vtsconf.transport.server import Server

NOBODY = cast("Migrator", None)  # an erase asks no BMA: VTS itself does it
_GRACE = 60  # seconds that a server may take longer than it was told
_QUESTION = 600  # seconds for a question to the catalogue
_MOMENT, _ANSWER = (
    2.0,
    20.0,
)  # seconds that the answer to a start may wait for the end: of moving data, of a question
_TEXT = 2000  # characters of output that are kept of a failure


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt came out. `retry`: it is tried again, while attempts are left; `is_put_back`: nobody knows yet, and
    whoever takes the job next goes on with it.
    """

    status: Status
    reason: str
    verdict: Verdict = Verdict.UNKNOWN
    retry: bool = False
    is_put_back: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """`migrator` and `settings` are those of the job's BMA."""

    entry: Entry
    place: Place
    hands: Hands
    migrator: Migrator
    settings: Any

    @property
    def job(self) -> Job:
        return self.entry.job

    @property
    def as_planned(self) -> Guard:
        """The tape must be what it was when the job was planned, or nothing is started."""
        job = self.job
        return Guard(path=job.cartridge, size=job.bytes, mtime=job.mtime, inode=job.inode)

    def spec(self, name: str, command: Command, *guards: Guard) -> RunSpec:
        """A run on the server; `name` and the attempt are how it is found again."""
        return RunSpec(
            id=name,
            attempt=self.entry.number,
            argv=command.argv,
            stdin=command.stdin,
            files=command.files,
            env={"LC_ALL": "C", **command.env},
            timeout=command.timeout,
            guards=guards,
            checks=self._checks if guards else (),
        )

    @property
    def _checks(self) -> tuple[tuple[str, ...], ...]:
        """That nobody has mounted or locked the tape, where the server can be asked."""
        ask = self.place.vts.tape_is_free
        return ((*ask, self.job.cartridge),) if ask else ()

    def run(
        self,
        spec: RunSpec,
        *,
        may_cancel: bool = False,
        patience: float = _MOMENT,
        paths: Sequence[str] = (),
    ) -> RunState:
        """Start it, or find it again, and wait for its end; one that ends within `patience` seconds is one exec, which
        tells as well what `paths` are then. Raises Unreachable, Failed, Stopped.
        """
        host, hands = self.place.host, self.hands
        state: RunState = hands.yard.with_server(
            host,
            lambda server, place: server.start(spec, place.state_dir, patience=patience, paths=paths),
        )
        if state.state != "refused" and state.attempt != spec.attempt:
            raise Failed(
                f"attempt {state.attempt} of the same job is still at work on {host}",
                remedy="look what keeps it there; `vtsconf migrate retry` tries again",
            )
        if state.state != "running":
            return state
        asked = [False]

        def heard(now: RunState | None) -> bool:
            wanted = may_cancel and not asked[0] and self.is_cancelled
            # A runner that was killed enforces no time-out any more: then we do.
            late = now is not None and now.clock > now.started + spec.timeout + _GRACE
            if (wanted or late) and not asked[0]:
                asked[0] = True
                self._end(spec)
            return not hands.stopping()

        over = heard(state) and hands.lookout.until_over(host, (spec.id, spec.attempt), heard)
        if not over:
            raise Stopped
        return over

    @property
    def is_cancelled(self) -> bool:
        """Somebody asked for its end."""
        return self.hands.book.wish_of(self.entry.id) == "cancel"

    def _end(self, spec: RunSpec) -> None:
        """By the BMA's own command where it has one, then its whole process group."""

        def stop(server: Server, place: Place) -> None:
            (state,) = server.look([spec.id], place.state_dir).runs
            command = (
                self.migrator.cancel(self.settings, self.job.mark, output_of(state))
                if self.migrator
                else None
            )
            if command is not None:
                server.start(self.spec(f"{spec.id}-cancel", command), place.state_dir)
            server.end(spec.id, spec.attempt, place.state_dir)

        self.hands.yard.with_server(self.place.host, stop)

    def locate(self, token: str, question: str = "locate") -> Located | None:
        """The one copy in the catalogue; None where none is shown, or several of different sizes."""
        return self.look_up(token, question)[0]

    def look_up(
        self, token: str, question: str = "locate"
    ) -> tuple[Located | None, Mapping[str, Tape | None]]:
        """The same, and the tape by its path as it was after the catalogue had answered; {} where that is not known.

        `question` names it: the same one is asked once in an attempt. A `token` of "" stands for any.
        """
        job = self.job
        command = self.migrator.locate(self.settings, [job.cartridge], token, job.options)
        short = replace(command, timeout=min(command.timeout, _QUESTION))
        spec = self.spec(f"{job.mark}-{question}", short)
        state = self.run(spec, patience=_ANSWER, paths=[job.cartridge])
        if state.state != "ended":
            return None, state.files
        shown = self.migrator.located(self.settings, output_of(state), [job.cartridge], token)
        found = [one for one in shown if one.path == job.cartridge]
        is_one = found and len({one.size for one in found}) == 1
        return (found[-1] if is_one else None), state.files

    def tape(self) -> Tape | None:
        """The tape as it is now; None: not there."""
        path = self.job.cartridge
        found: Tape | None = self.hands.yard.with_server(
            self.place.host, lambda server, place: server.look((), place.state_dir, [path]).files.get(path)
        )
        return found

    def changed(self, files: Mapping[str, Tape | None]) -> str:
        """What is different from the tape as it was planned; "" when nothing is. `files`: what was seen already."""
        job = self.job
        seen = files[job.cartridge] if job.cartridge in files else self.tape()
        if seen is None:
            return "it is not there any more"
        pairs = (
            ("size", job.bytes, seen.size),
            ("mtime", job.mtime, seen.mtime),
            ("inode", job.inode, seen.inode),
        )
        return ", ".join(f"{name} {was} → {now}" for name, was, now in pairs if was != now)

    def prove(self, found: Located, witnesses: Mapping[str, str], *, token: str = "") -> None:
        """Put the copy on record. `witnesses`: who has said so, and their words; `token`: another mark than ours."""
        job = self.job
        proof = Proof(
            host=job.host,
            cartridge=job.cartridge,
            size=job.bytes,
            mtime=job.mtime,
            inode=job.inode,
            bma=job.bma,
            token=token or job.mark,
            at=self.hands.clock,
            witnesses=tuple(witnesses),
            media=found.media,
            when=found.when,
            expires=found.expires,
        )
        about = {"options": dict(job.options), "run": self.entry.run, "words": dict(witnesses)}
        self.hands.book.prove(proof, about)


def told(found: Located) -> str:
    """A copy in the catalogue, for people."""
    size = f"{found.size} bytes" if found.size is not None else f"stored as {found.stored or '?'} bytes"
    path = found.path if found.is_named else "its path not shown"
    expires = f"expires {found.expires}" if found.expires else ""
    return ", ".join(word for word in (path, size, found.when, found.media, expires) if word)


def output_of(state: RunState) -> Output:
    """What a run printed, as the BMA's judge reads it."""
    return Output(exit=state.exit, text=state.output.decode(errors="surrogateescape"), is_cut=state.is_cut)


def failed(judgement: Judgement, output: Output) -> Ending:
    """What the judge said, as the end of an attempt."""
    return Ending(
        status=Status.FAILED,
        reason=judgement.reason,
        verdict=judgement.verdict,
        retry=judgement.verdict in {Verdict.TRANSIENT, Verdict.PARTIAL},
        detail={"exit": output.exit, "proof": judgement.proof, "said": output.text[-_TEXT:]},
    )

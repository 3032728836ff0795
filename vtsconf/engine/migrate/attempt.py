"""One attempt at one job, with all it needs: its runs on the server, its questions to the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

from vtsconf.bma.contract import Command, Judgement, Located, Migrator, Output, Verdict
from vtsconf.core.errors import Failed, Unreachable
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
_MOMENT = 2.0  # seconds that the answer to a start waits for the end of what moves data
_ANSWER = 20.0  # likewise, of a question
_TEXT = 2000  # characters of output that are kept of a failure


class NotBegun(Failed):
    """The run of this attempt was not started: the next one is another attempt."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt came out.

    retry     it is tried again, while attempts are left
    goes_on   by whoever takes the job next, with this very run: nobody knows yet how it went, or what came of it
    is_free   that costs no attempt
    is_open   a later plan may ask for it again, when all attempts are used up
    """

    status: Status
    reason: str
    verdict: Verdict = Verdict.UNKNOWN
    retry: bool = False
    goes_on: bool = False
    is_free: bool = False
    is_open: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the catalogue shows. `answered` False: it could not be asked, so nobody knows what it has (`reason`).

    `files`: the tape by its path as it was after the catalogue had answered; {} where that is not known.
    """

    answered: bool
    reason: str
    copies: tuple[Located, ...] = ()
    files: Mapping[str, Tape | None] = field(default_factory=dict)

    @property
    def copy(self) -> Located | None:
        """The last one; None where none is shown, or several of different sizes."""
        is_one = len({one.size for one in self.copies}) == 1
        return self.copies[-1] if is_one else None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """`migrator` and `settings` are those of the job's BMA; `checksum`: the tape's before it is archived, "" for none."""

    entry: Entry
    place: Place
    hands: Hands
    migrator: Migrator
    settings: Any
    checksum: str = ""

    @property
    def job(self) -> Job:
        return self.entry.job

    @property
    def as_planned(self) -> Guard:
        """The tape must be what it was when the job was planned, or nothing is started."""
        job = self.job
        return Guard(path=job.cartridge, size=job.bytes, mtime=job.mtime, inode=job.inode)

    def with_number(self, number: int) -> Attempt:
        """The same, with the runs of the attempt of that number."""
        return replace(self, entry=self.entry.with_number(number))

    def spec(self, name: str, command: Command, *guards: Guard, number: int = 0) -> RunSpec:
        """A run on the server; `name` and the number, that of the attempt, are how it is found again."""
        return RunSpec(
            id=name,
            attempt=number or self.entry.number,
            argv=command.argv,
            stdin=command.stdin,
            files=command.files,
            env={"LC_ALL": "C", **command.env},
            timeout=command.timeout,
            guards=guards,
            checks=self._checks if guards and self.job.action != "restore" else (),
        )

    @property
    def _checks(self) -> tuple[tuple[str, ...], ...]:
        """That nobody has mounted or locked the tape, where the server can be asked. A restore does not ask: a tape that is
        queued for mount until it is back is locked [6.03.42 Inst p.90].
        """
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
        state = self._started(spec, patience, paths)
        if state.state != "running":
            return state
        if may_cancel:
            self.hands.book.note(self.entry, Status.RUNNING, self.hands.clock)
        asked = [False]

        def heard(now: RunState | None) -> bool:
            # A runner that was killed enforces no time-out any more: then we do.
            late = now is not None and now.clock > now.started + spec.timeout + _GRACE
            if not asked[0] and (late or (may_cancel and self.is_cancelled)):
                asked[0] = self._end(spec)
            return not self.hands.stopping()

        over = heard(state) and self.hands.lookout.until_over(self.place.host, (spec.id, spec.attempt), heard)
        if not over:
            raise Stopped
        return over

    def begin(self, spec: RunSpec) -> RunState:
        """The run that moves the data. Raises NotBegun where it was not started."""
        try:
            return self.run(spec, may_cancel=True)
        except Failed as error:
            raise NotBegun(str(error), remedy=error.remedy) from error

    def _started(self, spec: RunSpec, patience: float, paths: Sequence[str]) -> RunState:
        state: RunState = self.hands.yard.with_server(
            self.place.host,
            lambda server, place: server.start(spec, place.state_dir, patience=patience, paths=paths),
        )
        if state.state != "refused" and state.attempt != spec.attempt:
            raise Failed(
                f"attempt {state.attempt} of the same job is still at work on {self.place.host}",
                remedy="look what keeps it there; `vtsconf migrate retry` tries again",
            )
        return state

    @property
    def has_begun(self) -> bool:
        """The server knows the run of this attempt."""
        return self.newest().attempt == self.entry.number

    def newest(self) -> RunState:
        """How the last run of this job stands on its server, whichever attempt began it."""
        (state,) = self.hands.yard.with_server(
            self.place.host, lambda server, place: server.look([self.job.mark], place.state_dir).runs
        )
        found: RunState = state
        return found

    @property
    def is_cancelled(self) -> bool:
        """Somebody asked for its end."""
        return self.hands.book.wish_of(self.entry.id) == "cancel"

    def _end(self, spec: RunSpec) -> bool:
        """By the BMA's own command where it has one, then its whole process group; False: to be tried again."""

        def stop(server: Server, place: Place) -> None:
            (state,) = server.look([spec.id], place.state_dir).runs
            if command := self.cancelling(output_of(state)):
                with suppress(Failed):  # for want of room, say: its process group is ended all the same
                    server.start(self.spec(f"{spec.id}-cancel", command), place.state_dir)
            server.end(spec.id, spec.attempt, place.state_dir)

        try:
            self.hands.yard.with_server(self.place.host, stop)
        except Unreachable:
            return False
        return True

    def cancelling(self, output: Output) -> Command | None:
        """The BMA's own command that ends a run which has said this; None: it has none."""
        return self.migrator.cancel(self.settings, self.job.mark, output) if self.migrator else None

    def look_up(self, token: str, question: str, number: int) -> Shown:
        """Ask the catalogue. A `token` of "" stands for any mark.

        The question of that name and number is asked once; whoever asks it again is given the same answer.
        """
        job = self.job
        command = self.migrator.locate(self.settings, [job.cartridge], token, job.options)
        short = replace(command, timeout=min(command.timeout, _QUESTION))
        spec = self.spec(f"{job.mark}-{question}", short, number=number)
        state = self.run(spec, patience=_ANSWER, paths=[job.cartridge])
        return self._shown(state, token)

    def _shown(self, state: RunState, token: str) -> Shown:
        paths, output = [self.job.cartridge], output_of(state)
        if state.state != "ended":
            return Shown(answered=False, reason="the question was lost", files=state.files)
        judgement = self.migrator.judge(self.settings, "locate", output, paths)
        if judgement.verdict is not Verdict.SUCCESS:
            return Shown(answered=False, reason=judgement.reason, files=state.files)
        copies = self.migrator.located(self.settings, output, paths, token)
        found = tuple(one for one in copies if one.path in paths)
        return Shown(answered=True, reason=judgement.reason, copies=found, files=state.files)

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

    def prove(self, found: Located, witnesses: Mapping[str, str], *, token: str | None = None) -> None:
        """Put the copy on record. `witnesses`: who has said so, and their words; `token`: another mark than ours."""
        job = self.job
        proof = Proof(
            host=job.host,
            cartridge=job.cartridge,
            size=job.bytes,
            mtime=job.mtime,
            inode=job.inode,
            bma=job.bma,
            token=job.mark if token is None else token,
            at=self.hands.clock,
            witnesses=tuple(witnesses),
            checksum=self.checksum,
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


def refused(state: RunState, what: str = "not started") -> Ending:
    """A guard does not hold, for good; or a check does not, for now: somebody has the tape."""
    return Ending(
        status=Status.FAILED,
        reason=f"{what}: {state.reason}",
        retry=state.is_busy,
        is_open=state.is_busy,
    )

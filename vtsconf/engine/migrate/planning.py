"""Makes the migration plan: tapes are listed in one round trip for each server, judged as they come, and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vtsconf.core.errors import Refused, Unreachable, VtsconfError, bug
from vtsconf.core.migrate.aftermath import circle
from vtsconf.core.migrate.budget import Spent
from vtsconf.core.migrate.decide import can_be_spoken
from vtsconf.core.migrate.judge import Judge, Some
from vtsconf.core.migrate.plan import MigrationPlan, Part
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.words import lasting
from vtsconf.core.problem import Level, Problem, errors
from vtsconf.engine.fan import fan
from vtsconf.engine.migrate.policies import policies_of
from vtsconf.engine.prepare import Preparation, Ready, erasing
from vtsconf.engine.reach import Reach
from vtsconf.resources.lints.unproven import Unproven, erases_by_itself, unproven
from vtsconf.transport.tapes import TapesSeen

_BATCH = 500  # tapes whose records are looked up together
_SKEW = 300  # seconds between two clocks that nobody minds; the listing itself takes some

# The newest proofs of these tapes of a host, by path; what is not there was never proven.
ProofsOf = Callable[[str, Sequence[str]], Mapping[str, Proof]]
# By host, then by path: see `core.migrate.decide.Uses`.
UsesOf = Mapping[str, Mapping[str, str]]
# Told of each tape as it is judged: the host's judge, the tape, the host's name.
OnTape = Callable[[Judge, Tape, str], None]


def nothing_recorded(_host: str, _paths: Sequence[str]) -> Mapping[str, Proof]:
    """Where there is no store."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a plan is made for. `now` in seconds: judged as of then; `only` these policies; `rate`: see MigrationPlan."""

    made: int
    now: int
    only: Collection[str] = ()
    allowed: Collection[str] = ()
    rate: int = 0
    proofs: ProofsOf = nothing_recorded
    uses: UsesOf = field(default_factory=dict)
    spent: Mapping[str, Spent] = field(default_factory=dict)  # see MigrationPlan
    parallel: int = 8
    on_tape: OnTape | None = None  # called from several threads, for one host from one


class Lists(Protocol):
    """What planning needs of a server (transport/server.Server)."""

    def tapes(self, vaults: Sequence[str], on_tape: Callable[[Tape], None]) -> TapesSeen: ...


def plan_migrations(
    preparation: Preparation,
    reach: Reach,
    question: Question,
    *,
    done: Callable[[str], None] = lambda _: None,
) -> MigrationPlan:
    """Judge the tapes of every host that is ready. Every way a host can end is in the result."""
    parts = [
        Part(host=host.host, outcome="invalid", reason=host.reason, problems=host.problems)
        for host in preparation.invalid
    ]
    numbered = list(enumerate(preparation.ready))
    work = _Work(reach, question)
    made: dict[int, Part] = {}
    for (number, ready), part in fan(numbered, work, parallel=question.parallel):
        made[number] = part
        done(ready.name)
    judged = [made[number] for number, _ in numbered]
    return MigrationPlan(
        made=question.made,
        now=question.now,
        parts=[*judged, *parts],
        rate=question.rate,
        spent=question.spent,
    )


class _Work:
    def __init__(self, reach: Reach, question: Question) -> None:
        self._reach, self._question = reach, question

    def __call__(self, numbered: tuple[int, Ready]) -> Part:
        number, ready = numbered
        try:
            return self._judged(ready, number)
        except Unreachable as error:
            return Part(host=ready.name, outcome="unreachable", reason=_with(error))
        except VtsconfError as error:
            return Part(host=ready.name, outcome="error", reason=_with(error))
        except Exception as error:  # noqa: BLE001 a bug of ours on one host must not hide the others
            return Part(host=ready.name, outcome="error", reason=bug(error))

    def _judged(self, ready: Ready, number: int) -> Part:
        server = self._reach(ready.target)
        try:
            return judge_tapes(ready, server, self._question, number=number)
        finally:
            server.close()


def judge_tapes(ready: Ready, server: Lists, question: Question, *, number: int = 0) -> Part:
    """One host's part. Its number is its place among those that are judged. Raises what the server raises."""
    refused = tuple(_asked(erasing(ready.subject(), question.allowed, ready.resources), question))
    batch = _Batch(ready, question, number)
    seen = server.tapes(vaults_of(ready), batch.add)
    part = batch.end()
    nowhere = unproven(ready.subject(), batch.unproven)
    part.problems = (
        *ready.problems,
        *refused,
        *nowhere,
        *_asked(_means(ready), question),
        *_amiss(ready, seen, question),
    )
    if stops := [problem for problem in errors(refused) if problem.address.startswith("policies/")]:
        part.reason = stops[0].what
    return part


def _asked(problems: Iterable[Problem], question: Question) -> Iterator[Problem]:
    """Without those of policies that nobody asks for: the others are judged as if they were alone."""
    for problem in problems:
        kind, _, name = problem.address.partition("/")
        if kind != "policies" or not question.only or name in question.only:
            yield problem


def vaults_of(ready: Ready) -> list[str]:
    """The whole paths of its vaults; none named: whatever is /VAULT?? there. In a lab `vts_root` stands before them."""
    root = str(ready.host.variables.get("vts_root") or "").rstrip("/")
    if root and not ready.vts.vaults:
        raise Refused(
            f"{ready.name} is in a lab, and vts.vaults names no vault",
            remedy="write vts.vaults: [VAULT01]",
        )
    return [f"{root}/{vault.lstrip('/')}" for vault in ready.vts.vaults]


def _means(ready: Ready) -> Iterator[Problem]:
    """An erase is asked of the server's own command, and only for a tape that can be told to be free."""
    vts = ready.vts
    lacking = [key for key in ("vtspolicy", "tape_is_free") if not getattr(vts, key)]
    for name, policy in vts.policies.items():
        if policy.action == "erase" and lacking:
            missing = " and ".join(f"vts.{key}" for key in lacking)
            yield Problem(
                what=f"the policy {name} erases, and {missing} {'are' if lacking[1:] else 'is'} not set",
                why="its jobs are planned, and refused when they are carried out: nothing else may erase a tape",
                remedy="set vts.vtspolicy.command and vts.tape_is_free",
                level=Level.WARNING,
                code="erase-means",
                place=ready.host.locate(("vts", "policies", name, "action")),
                host=ready.name,
                address=f"policies/{name}",
            )


def _amiss(ready: Ready, seen: TapesSeen, question: Question) -> Iterator[Problem]:
    """What is no tape or could not be looked at, and a clock by which ages mean something else."""
    for sentence in seen.problems:
        yield Problem(what=sentence, level=Level.WARNING, code="tapes", host=ready.name)
    if seen.untold:
        what = f"{seen.untold} more things there are no tapes, or could not be looked at"
        yield Problem(what=what, level=Level.WARNING, code="tapes", host=ready.name)
    away = seen.clock - question.made if seen.clock else 0
    if abs(away) > _SKEW:
        yield Problem(
            what=f"its clock is {lasting(abs(away))} {'ahead of' if away > 0 else 'behind'} ours",
            why="tapes are dated by its clock, and ages are counted by ours",
            remedy="set the clocks; until then min_age and max_age are off by as much",
            level=Level.WARNING,
            code="clock",
            host=ready.name,
        )


class _Batch:
    """Tapes on their way to the judge: a few hundred wait until their records were looked up together."""

    def __init__(self, ready: Ready, question: Question, number: int) -> None:
        self._host, self._question = ready.name, question
        self._tapes: list[Tape] = []
        self._known: Mapping[str, Proof] = {}
        self._judge = Judge(
            policies_of(ready.vts, question.allowed, only=question.only),
            question.now,
            host=number,
            proofs=self._proof_of,
            uses=question.uses.get(ready.name),
        )
        self._judge.on_first = self._look_round
        self._is_watched = erases_by_itself(ready.subject())
        self._with_data, self._unproven = 0, Some()
        self._part = Part(host=ready.name, judge=self._judge)

    def add(self, tape: Tape) -> None:
        self._tapes.append(tape)
        if len(self._tapes) >= _BATCH:
            self._flush()

    def end(self) -> Part:
        self._flush()
        self._judge.end()
        return self._part

    @property
    def unproven(self) -> Unproven:
        """What would be lost if it were erased now; counted only where something else than we may do so."""
        some = self._unproven
        return Unproven(count=some.count, of=self._with_data, example=next(iter(some.examples), ""))

    def _watch(self, tape: Tape) -> None:
        proof = self._proof_of(tape.path)
        self._with_data += bool(tape.size)
        if tape.size and not (proof and proof.is_complete and proof.is_of(tape)):
            self._unproven.add(tape.path, tape.size)

    def _proof_of(self, path: str) -> Proof | None:
        return self._known.get(path)

    def _flush(self) -> None:
        tapes, self._tapes = self._tapes, []
        paths = [tape.path for tape in tapes if can_be_spoken(tape.path)]  # a store holds text only
        self._known = self._question.proofs(self._host, paths) if paths else {}
        for tape in tapes:
            self._judge.see(tape)
            if self._is_watched:
                self._watch(tape)
            if self._question.on_tape:
                self._question.on_tape(self._judge, tape, self._host)

    def _look_round(self, number: int, tape: Tape) -> None:
        """Whether a policy would take what it has just produced."""
        judge = self._judge
        found = circle(judge.policies, number, tape, judge.proof_of(tape.path), judge.now)
        if found:
            self._part.circles.setdefault(found[0], found)


def _with(error: VtsconfError) -> str:
    return f"{error}; to do: {error.remedy}" if error.remedy else str(error)

"""A gate's three answers, and what is asked: pass, fail, and inconclusive, which is never taken for a yes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from vtsconf.core.outcome import RunOutcome
from vtsconf.core.printable import printable

if TYPE_CHECKING:
    from vtsconf.core.rollout.state import Rollout


class Verdict(StrEnum):
    """INCONCLUSIVE: it could not be asked, or the answer means neither; a rollout pauses for a person."""

    PASS = "pass"  # noqa: S105 an answer
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing to ask after a wave, as data, so that every controller asks the same.

    `gate` names it for people: "services/ems", "health/mounts", "bma/tsm", "event-log", "checks/drives".
    A command answers by its exit code: 0 pass, one of `unsure` inconclusive, else fail; with a `pattern`, its
    output must match too. `kind` "event-log": `argv` is (path, severity…, then "--", then patterns to ignore).
    """

    gate: str
    kind: Literal["command", "event-log"] = "command"
    argv: tuple[str, ...] = ()
    on: Literal["server", "controller", "once"] = "server"  # "once": on the controller, once for a wave
    timeout: int = 60  # seconds
    pattern: str = ""
    exit_counts: bool = True
    unsure: tuple[int, ...] = ()  # exit codes that mean "ask again later"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"argv": list(self.argv), "unsure": list(self.unsure)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Question:
        known = {key: value for key, value in document.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "argv": tuple(known["argv"]), "unsure": tuple(known.get("unsure", ()))})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one gate said of one server ("" for the wave as a whole), with its reason."""

    gate: str
    verdict: Verdict
    reason: str
    host: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"verdict": self.verdict.value}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Answer:
        known = {key: value for key, value in document.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "verdict": Verdict(known["verdict"])})


_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


def worst(answers: Iterable[Answer]) -> Verdict:
    """One no is a no; without a no, one that is unsure is unsure. No question at all: pass."""
    return min((answer.verdict for answer in answers), key=_WORST_FIRST.index, default=Verdict.PASS)


# ---- the first gate: how the servers of the wave ended

CONFIRMED = "confirmed"
_GOOD = (RunOutcome.CHANGED, RunOutcome.UNCHANGED)


def confirmed(wave: int, rollout: Rollout) -> Answer:
    """Whether a wave (counted from 1) did what it was to do; asks nobody, the journal knows it.

    A failure of the canary is a no; other failures within the budget are told and tolerated, also where they are the
    whole wave. So is a server that was lost in the middle: what is armed there takes itself back.
    """
    hosts = rollout.waves[wave - 1]
    good = [name for name in hosts if rollout.outcome(name) in _GOOD]
    open_ends = [name for name in hosts if _has_no_end(name, rollout)]
    why = _too_bad(wave, rollout)
    if not why:
        open_ends = [name for name in open_ends if rollout.outcome(name) != RunOutcome.UNREACHABLE]
    bad = [name for name in rollout.failed(hosts) if name not in open_ends]
    verdict, reason = Verdict.PASS, f"{_share(len(good), hosts)} changed and confirmed, or in order already"
    if bad and why:
        verdict, reason = Verdict.FAIL, f"{why}: {_ends(bad, rollout)}"
    elif open_ends:
        verdict = Verdict.INCONCLUSIVE
        reason = f"how {_share(len(open_ends), hosts)} ended is not known: {_ends(open_ends, rollout)}"
    elif bad:
        reason += f"; {len(bad)} failed, within the budget ({_budget(rollout)}): {_ends(bad, rollout)}"
    return Answer(gate=CONFIRMED, verdict=verdict, reason=reason)


def _has_no_end(host: str, rollout: Rollout) -> bool:
    """In doubt, not begun, left out, or armed and not confirmed: neither changed nor failed."""
    known = (*_GOOD, *_failures())
    return rollout.outcome(host) not in known or rollout.seen.is_unsettled(host)


def _failures() -> frozenset[RunOutcome]:
    from vtsconf.core.rollout.state import FAILURES  # it knows this module

    return FAILURES


def _too_bad(wave: int, rollout: Rollout) -> str:
    """Why failures are not tolerated; "" when they are."""
    if wave == 1 and rollout.has_canary:
        return "the canary failed"
    if rollout.is_spent:
        return f"{rollout.failures} failed, more than the budget ({_budget(rollout)})"
    return ""


def _budget(rollout: Rollout) -> str:
    return "there is no limit" if rollout.tolerated is None else f"{rollout.tolerated} in all"


def _share(number: int, hosts: Sequence[str]) -> str:
    return f"{number} of {len(hosts)} server{'' if len(hosts) == 1 else 's'}"


_NAMED = 3  # hosts that a reason tells of one by one


def _ends(hosts: Sequence[str], rollout: Rollout) -> str:
    told = [f"{name} {_end(name, rollout)}" for name in hosts[:_NAMED]]
    more = [f"and {len(hosts) - _NAMED} more"] if len(hosts) > _NAMED else []
    return "; ".join([*told, *more])


def _end(host: str, rollout: Rollout) -> str:
    outcome = rollout.outcome(host) or "was not begun"
    reason = printable(str(rollout.seen.hosts.get(host, {}).get("reason") or ""), 120)
    return f"{outcome} ({reason})" if reason else outcome


# ---- the soak time


def compare(first: Iterable[Answer], last: Iterable[Answer]) -> list[Answer]:
    """The answers after the soak time, which count; one that is not what it was before says so.

    What passed before and was not asked again is not taken for a yes.
    """
    before = {(answer.host, answer.gate): answer for answer in first}
    after = [_beside(before.pop((answer.host, answer.gate), None), answer) for answer in last]
    return [*after, *_lost(before.values())] if worst(after) is Verdict.PASS else after


_PAST = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.INCONCLUSIVE: "was inconclusive"}


def _beside(first: Answer | None, last: Answer) -> Answer:
    if first is None or first.verdict is last.verdict:
        return last
    return replace(last, reason=f"{_PAST[first.verdict]} before the soak time, now: {last.reason}")


def _lost(answers: Iterable[Answer]) -> Iterator[Answer]:
    for answer in answers:
        reason = f"{_PAST[answer.verdict]} before the soak time, and was not asked again"
        yield replace(answer, verdict=Verdict.INCONCLUSIVE, reason=reason, seconds=0.0)

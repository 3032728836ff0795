"""A gate's three answers, and what is asked: pass, fail, and inconclusive, which is never taken for a yes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal


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

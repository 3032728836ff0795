"""What a document says piece by piece, whether it is YAML or JSON, and how reading it fails."""

from __future__ import annotations

from dataclasses import dataclass

from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Scalar


@dataclass(frozen=True)
class Opens:
    """A list ("[") or map ("{") begins."""

    kind: str
    place: Place
    anchor: str | None = None


@dataclass(frozen=True)
class Closes:
    """The list or map that began last ends."""

    place: Place


@dataclass(frozen=True)
class Value:
    """A scalar; `text` is how it was written, and what it is called when it is a key."""

    text: str
    value: Scalar
    place: Place
    anchor: str | None = None
    is_plain: bool = False  # neither quoted nor a block


@dataclass(frozen=True)
class Alias:
    """What the anchor of that name stands for, once more."""

    name: str
    place: Place


Event = Opens | Closes | Value | Alias


class Unreadable(Exception):
    """Reading cannot go on; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def problem(what: str, place: Place, *, why: str = "", remedy: str = "", code: str = "yaml") -> Problem:
    return Problem(what=what, why=why, remedy=remedy, code=code, place=place)

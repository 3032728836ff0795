"""A VTSPolicy line as a value: what it asks for, and what each of its words means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.problem import Problem, to_json
from vtsconf.core.vtspolicy.facts import SHOWN, Form, Sure


@dataclass(frozen=True, kw_only=True)
class Tapes:
    """One cartridge, or a whole pool: `/VAULTxx/pool[/cartridge]` [8.2 Config p.77]."""

    vault: str  # without its slash
    pool: str
    cartridge: str | None = None  # None: the whole pool

    def __str__(self) -> str:
        return "".join(f"/{part}" for part in (self.vault, self.pool, self.cartridge) if part is not None)


@dataclass(frozen=True, kw_only=True)
class Keyword:
    """`name=value` as written. `meaning` is the long name, "" where nobody knows it."""

    name: str
    value: str
    meaning: str = ""
    sure: Sure = "unknown"


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word of the line, explained: where it stands, what it is, and who says so. Columns count from 1."""

    text: str
    column: int
    part: str  # keyword, verb, type, tapes, place, tape, option, unknown
    says: str
    sure: Sure = "documented"
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request. Two lines are equal that ask for the same, however they are quoted and spaced.

    `type`: archive or selective, only in the later form. `place` is what stands before the names of Erase and Delete:
    "-" is the only documented word. `extra`: words without "=" whose meaning nobody knows.
    """

    verb: str
    form: Form
    type: str | None = None
    tapes: Tapes | None = None
    place: str = ""
    names: tuple[str, ...] = ()
    keywords: tuple[Keyword, ...] = ()
    extra: tuple[str, ...] = ()
    words: tuple[Word, ...] = field(default=(), compare=False, repr=False)
    problems: tuple[Problem, ...] = field(default=(), compare=False, repr=False)  # warnings and notes

    def value(self, meaning: str) -> str | None:
        """What a keyword of this meaning says; None where it does not stand there."""
        return next((one.value for one in self.keywords if one.meaning == meaning), None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The words that nobody can explain, as they are written."""
        return (*(f"{one.name}={one.value}" for one in self.keywords if not one.meaning), *self.extra)

    def to_json(self) -> dict[str, Any]:
        """The members of `vtsconf/policy-line/1` that are about the line itself."""
        return {
            "verb": self.verb,
            "form": self.form.value,
            "releases": SHOWN[self.form],
            "type": self.type,
            "tapes": None if self.tapes is None else vars(self.tapes) | {"path": str(self.tapes)},
            "place": self.place,
            "names": list(self.names),
            "keywords": [vars(one) for one in self.keywords],
            "extra": list(self.extra),
            "words": [vars(one) for one in self.words],
            "problems": [to_json(one) for one in self.problems],
        }

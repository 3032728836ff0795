"""What can be wrong with what a person wrote, and where: collected, never raised one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: an error stops, a warning is shown, a note is for `-v` and reports."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Place:
    """A position in a file that a person wrote; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One finding: what is wrong, why it matters, what to do; with its place and, for a lint, its source."""

    what: str
    why: str = ""
    remedy: str = ""
    level: Level = Level.ERROR
    code: str = ""  # short and stable: "C1", "unknown-key", "yaml"
    place: Place | None = None
    host: str | None = None
    address: str = ""  # "ems/ems_enable", where one is known
    source: str = ""  # the manual page or "inferred", for lints

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.level}: {self.what}"


def to_json(problem: Problem) -> dict[str, str | int | None]:
    """A problem as every document has it: flat, `file`, `line` and `column` null where no place is known."""
    place = problem.place
    return {
        "level": problem.level.value,
        "code": problem.code,
        "what": problem.what,
        "why": problem.why,
        "remedy": problem.remedy,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "address": problem.address,
        "source": problem.source,
        "host": problem.host,
    }


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop the work."""
    return [p for p in problems if p.level is Level.ERROR]


def suggestion(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Ask "did you mean `x`?" of a misspelt word; "" when nothing is close (`cutoff`: 1.0 = the same)."""
    from difflib import get_close_matches  # only for a mistake

    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=cutoff)
    if not close:
        folded = {k.casefold(): k for k in known}
        close = [folded[word.casefold()]] if word.casefold() in folded else []
    return f"did you mean `{close[0]}`?" if close else ""

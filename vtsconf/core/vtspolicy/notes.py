"""What is found wrong in a line while it is read: collected, each with its column."""

from __future__ import annotations

from dataclasses import dataclass, field

from vtsconf.core.problem import Level, Place, Problem


@dataclass(frozen=True, kw_only=True)
class Notes:
    """The findings about one line of a file (or of "the line")."""

    file: str = "the line"
    number: int = 1
    found: list[Problem] = field(default_factory=list)

    def error(self, column: int, code: str, what: str, **more: str) -> None:
        """The line cannot be understood. `more`: why, remedy, source."""
        self._add(Level.ERROR, column, code=code, what=what, **more)

    def warn(self, column: int, code: str, what: str, **more: str) -> None:
        """It can, and the server may read it otherwise."""
        self._add(Level.WARNING, column, code=code, what=what, **more)

    def _add(self, level: Level, column: int, **said: str) -> None:
        place = Place(self.file, self.number, column)
        self.found.append(Problem(level=level, place=place, **said))

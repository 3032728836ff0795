"""A host's flat variables read one by one: the right type or a problem with its place, never an exception."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.duration import seconds
from vtsconf.core.problem import Level, Place, Problem, suggestion
from vtsconf.core.secret import Secret, SecretRef, Secrets

Locate = Callable[[tuple[str | int, ...]], Place | None]
"""Where the variable at `(name,)` was written."""

_YES = {"yes", "true", "on", "1", "y", "t"}
_NO = {"no", "false", "off", "0", "n", "f"}


@dataclass
class Variables:
    """The variables of host `name`; what is wrong with them gathers in `problems`."""

    name: str
    variables: Mapping[str, Any]
    secrets: Secrets
    locate: Locate
    problems: list[Problem] = field(default_factory=list)

    def absent(self, name: str) -> bool:
        return self.variables.get(name) is None

    def first(self, *names: str) -> str | None:
        return next((n for n in names if not self.absent(n)), None)

    def text(self, *names: str) -> str:
        name = self.first(*names)
        if name is None:
            return ""
        value = self.variables[name]
        if not isinstance(value, str):
            self.complain(name, "is not text", remedy="put it into quotes")
            return ""
        if "\0" in value or "\n" in value.strip():
            self.complain(name, "has a line break or NUL in it", remedy="write it on one line")
            return ""
        return value.strip()

    def texts(self, *names: str) -> tuple[str, ...]:
        """One text or a list of texts."""
        name = self.first(*names)
        if name is None or not isinstance(self.variables[name], list):
            one = self.text(*names)
            return (one,) if one else ()
        values = self.variables[name]
        if not all(isinstance(v, str) and v and "\0" not in v and "\n" not in v for v in values):
            self.complain(name, "is not a list of texts", remedy="write one text an entry")
            return ()
        return tuple(values)

    def matching(self, pattern: re.Pattern[str], meaning: str, *names: str) -> str:
        text = self.text(*names)
        if text and not pattern.fullmatch(text):
            self.complain(self.first(*names) or names[0], f"is not {meaning}", remedy="correct it")
            return ""
        return text

    def choice(self, name: str, known: Mapping[str, str], default: str) -> str:
        text = self.text(name)
        if not text:
            return default
        if text not in known:
            hint = suggestion(text, known) or f"use one of {', '.join(known)}"
            self.complain(name, f"`{text}` is not supported", remedy=hint)
            return default
        return known[text]

    def flag(self, name: str, *, default: bool) -> bool:
        """True and false, and the words that Ansible's YAML 1.1 takes for them."""
        value = self.variables.get(name)
        if value is None:
            return default
        word = str(value).strip().casefold()
        if isinstance(value, bool | str | int) and word in _YES | _NO:
            return word in _YES
        self.complain(name, "is neither true nor false", remedy="write true or false")
        return default

    def seconds(self, default: float, *names: str, least: int = 1) -> float:
        name = self.first(*names)
        if name is None:
            return default
        value = self.variables[name]
        try:
            if isinstance(value, bool) or not isinstance(value, int | str):
                raise ValueError("a duration is written as 30s, 10m or 4h")  # noqa: TRY301, TRY004 told below
            length = seconds(value)
        except ValueError as error:
            self.complain(name, str(error), remedy="write 30s, 10m or 4h")
            return default
        if not least <= length <= 7 * 86400:
            self.complain(name, f"is out of range: {length} s", remedy=f"from {least} s to 7 days")
            return default
        return float(length)

    def secret(self, *names: str) -> Secret | None:
        name = self.first(*names)
        if name is None:
            return None
        value = self.variables[name]
        if not isinstance(value, str):
            self.complain(name, "is not text", remedy="write a secret://… reference")
            return None
        ref = SecretRef.parse(value)
        if ref is None:
            return self.plain_secret(name, value)
        if ref not in self.secrets:
            self.complain(name, f"{ref} was not resolved", remedy="see the problems of the secret itself")
        return self.secrets.get(ref)

    def plain_secret(self, name: str, value: str) -> Secret | None:
        """As Ansible allows it; said, since the repository is read by many."""
        if not value:
            return None
        self.complain(
            name,
            "is written in plain text",
            level=Level.WARNING,
            remedy="use secret://env/NAME, secret://file/PATH or another provider",
        )
        return Secret(value.encode())

    def complain(self, name: str, what: str, *, remedy: str = "", level: Level = Level.ERROR) -> None:
        self.problems.append(
            Problem(
                what=f"`{name}` {what}",
                remedy=remedy,
                level=level,
                code="connection",
                place=self.locate((name,)),
                host=self.name,
            )
        )

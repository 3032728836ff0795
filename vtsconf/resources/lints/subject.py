"""What a lint judges, what it finds, and what a lint is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from vtsconf.core.problem import Level, Place, Problem
from vtsconf.core.secret import SecretRef
from vtsconf.core.tables import Tables
from vtsconf.core.tree import Path
from vtsconf.core.validation import Locate
from vtsconf.core.wanted import WantedParameter
from vtsconf.resources.desired import Vts, nowhere


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One server's document, and what is known of the server itself.

    `live` holds the configuration file's parameters by full name; None means: nobody looked.
    """

    vts: Vts
    wanted: Mapping[str, WantedParameter]
    tables: Tables = field(default_factory=Tables)
    live: Mapping[str, str] | None = None
    host: str = ""  # in the inventory
    address: str = ""  # of the host, where it differs
    locate: Locate = nowhere

    def after(self, name: str) -> str | SecretRef | None:
        """What the file will hold after an apply: None for absent, and for what is not known."""
        if name in self.wanted:
            return self.wanted[name].text
        return (self.live or {}).get(name)

    def unknown(self, name: str) -> bool:
        """Only the live server could tell, and nobody looked."""
        return name not in self.wanted and self.live is None

    def all_after(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Every parameter with this prefix that the file will hold, as far as is known, secrets left out."""
        for name in dict.fromkeys([*self.wanted, *(self.live or {})]):
            text = self.after(name)
            if name.startswith(prefix) and isinstance(text, str):
                yield name, text

    def changes(self, name: str) -> bool | None:
        """Whether an apply changes the line of a wanted parameter; None when nobody looked."""
        if self.live is None:
            return None
        return self.wanted[name].text != self.live.get(name)

    def words(self, name: str) -> list[str] | None:
        """A list parameter after an apply; None when it is not known."""
        text = self.after(name)
        if self.unknown(name) or isinstance(text, SecretRef):
            return None
        return (text or "").replace(",", " ").split()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a lint found. `name` is the parameter it is about, `path` the way to it in the document.

    `level` is set only where a finding is milder than its lint: about a live line nobody asked for, say.
    """

    what: str
    why: str = ""
    remedy: str = ""
    name: str = ""
    path: Path = ()
    level: Level | None = None


@dataclass(frozen=True, kw_only=True)
class Lint:
    """One check, with its level and the page it rests on."""

    code: str
    title: str
    level: Level
    source: str
    check: Callable[[Subject], Iterable[Finding]]

    def problems(self, subject: Subject) -> list[Problem]:
        return [self._problem(finding, subject) for finding in self.check(subject)]

    def _problem(self, finding: Finding, subject: Subject) -> Problem:
        wanted = subject.wanted.get(finding.name)
        return Problem(
            what=finding.what,
            why=finding.why,
            remedy=finding.remedy,
            level=finding.level or self.level,
            code=self.code,
            place=_place(finding, wanted, subject),
            host=subject.host or None,
            address=wanted.address if wanted else finding.name or "/".join(str(p) for p in finding.path[1:]),
            source=self.source,
        )


def _place(finding: Finding, wanted: WantedParameter | None, subject: Subject) -> Place | None:
    if wanted and not finding.path:
        return wanted.place or subject.locate(wanted.path)
    return subject.locate(finding.path) if finding.path else None

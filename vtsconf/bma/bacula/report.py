"""What our script on the server has printed, read back: marks, records of jobs, texts. Pure.

Lines of ours begin with "= ", Bacula's with "| "; anything else is the shell's own complaint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

FINAL = frozenset("TWEefADI")  # B is a blocked job, which goes on


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One line of ours and the lines of Bacula behind it."""

    words: tuple[str, ...]
    lines: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def rest(self) -> str:
        return " ".join(self.words[1:])


@dataclass(frozen=True, kw_only=True)
class Record:
    """A job of the catalogue; names in small letters, as PostgreSQL and Bareos write them."""

    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.fields.get(name, "")

    def number(self, name: str) -> int | None:
        digits = self.text(name).replace(",", "")
        return int(digits) if digits.isdecimal() and len(digits) <= 18 else None

    @property
    def id(self) -> int | None:
        return self.number("jobid")

    @property
    def line(self) -> str:
        """The fields that decide, in one line to show."""
        names = {
            "jobid": "JobId",
            "jobstatus": "JobStatus",
            "jobfiles": "JobFiles",
            "joberrors": "JobErrors",
            "clientname": "ClientName",
        }
        return " ".join(f"{shown}={self.text(name)}" for name, shown in names.items() if self.text(name))


@dataclass(frozen=True, kw_only=True)
class Report:
    """`marks` in the order they were printed; `stray` is what nobody of us has printed."""

    marks: Sequence[Mark] = ()
    stray: Sequence[str] = field(default=())

    @classmethod
    def of(cls, text: str) -> Report:
        marks: list[Mark] = []
        stray: list[str] = []
        lines: list[str] = []
        for line in text.split("\n"):
            if line.startswith("= ") and line[2:].split():
                _close(marks, lines)
                marks.append(Mark(words=tuple(line[2:].split())))
                lines = []
            elif line.startswith("| "):
                lines.append(line[2:])
            elif line.strip("| \r"):
                stray.append(line)
        _close(marks, lines)
        return cls(marks=tuple(marks), stray=tuple(stray))

    def all(self, name: str) -> Iterator[Mark]:
        return (mark for mark in self.marks if mark.name == name)

    def last(self, name: str) -> Mark | None:
        return next((mark for mark in reversed(self.marks) if mark.name == name), None)

    @property
    def records(self) -> Sequence[Record]:
        """The records of jobs, the last one of each job."""
        found = {record.id: record for mark in self.all("record") if (record := _record(mark)).id is not None}
        return tuple(found.values())

    @property
    def said(self) -> str:
        """All that Bacula has said, and the shell."""
        lines = [line for mark in self.marks if mark.name != "folder" for line in mark.lines]
        return "\n".join([*lines, *self.stray])


def _close(marks: list[Mark], lines: list[str]) -> None:
    if marks and lines:
        marks[-1] = Mark(words=marks[-1].words, lines=tuple(lines))


def _record(mark: Mark) -> Record:
    pairs = (line.partition(":") for line in mark.lines)
    fields: dict[str, str] = {}
    for name, _, value in pairs:
        fields.setdefault(name.strip().lower(), value.strip())
    return Record(fields=fields)

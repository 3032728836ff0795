"""The server's event log: lines of eight or nine fields between bars, and which of them are errors.

The format: `timestamp|severity|message ID|system|IP address|server|user|text` [6.03.42 Ops p.123; 6.04.01 Inst p.124];
from 6.04.02 on a program, often empty, stands before the text [6.04.02 Ops p.130; 8.3 Config p.173]. The timestamp's form
depends on the server's locale, so nothing here reads it as a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

PATH = "/usr/local/tape/log/event.log"  # [6.03.42 Ops p.123]
_LONGEST = 4096  # bytes of a line that are looked at; the product's own are 255 at most [8.3 Config p.173]


class Severity(StrEnum):
    """How bad an event is, the least first."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


# The first digit of a message ID [6.04.01 Ops p.158; 8.3 Config p.174].
DIGITS = {"2": Severity.INFO, "4": Severity.WARNING, "6": Severity.ERROR, "8": Severity.CRITICAL}


@dataclass(frozen=True, kw_only=True)
class LogLine:
    r"""One event, each field as it was written; a byte that is no UTF-8 stands as its escape, `\xff`."""

    timestamp: str
    severity: str
    id: str  # severity, subsystem (two digits), event (three digits)
    system: str  # make and model: "5900-E"
    ip: str  # of the web user
    server: str
    user: str
    program: str
    text: str

    @property
    def kept(self) -> str:
        """The most that the log may have kept of one text: the first bar in that of an eight-field line looks like the end
        of a program, and it may stand at the very beginning.
        """
        return f"{self.program}|{self.text}"

    @property
    def has_program(self) -> bool:
        """What stands there can be the name of a program, or is empty, as mostly; not a part of the text, as far as that
        can be told.
        """
        return re.fullmatch(r"[A-Za-z0-9_./-]{0,64}", self.program) is not None

    @cached_property
    def level(self) -> Severity | None:
        """What the severity's word says; where that is no known word, the first digit of the ID. None: neither does."""
        word = self.severity.strip().upper()
        if word in Severity.__members__:
            return Severity(word)
        number = self.id.strip()
        return DIGITS.get(number[0]) if len(number) == 6 and _is_number(number) else None


def parse(line: bytes) -> LogLine | None:
    """The event of one line, with or without its line end; None for a line that has fewer than eight fields.

    A bar in the text makes an eight-field line look like one of nine: its text then loses its first part to `program`
    (`LogLine.kept` has both).
    """
    shown = line[:_LONGEST].rstrip(b"\r\n").decode(errors="backslashreplace")
    fields = shown.split("|", 8)
    if len(fields) < 8:
        return None
    if len(fields) == 8:
        fields.insert(7, "")
    return LogLine(**dict(zip(LogLine.__dataclass_fields__, fields, strict=True)))


def events(data: bytes) -> Iterator[LogLine]:
    """The events among the whole lines of `data`; a last line without its end is still being written."""
    whole, _, _ = data.rpartition(b"\n")
    return (event for line in whole.split(b"\n") if (event := parse(line)))


@dataclass(frozen=True, kw_only=True)
class Select:
    """Two POSIX extended regular expressions, case aside: a line counts that has `has`, unless it has `but`.

    They choose what `LogLine.level` would, where only `grep` can look.
    """

    has: str
    but: str


def select(severities: Iterable[str]) -> Select:
    """The lines of these severities. Raises ValueError for a word that is none, and where there is no word."""
    wanted = [Severity(word.strip().upper()) for word in severities]
    if not wanted:
        raise ValueError("no severity is named")
    others = [one for one in Severity if one not in wanted]
    digits = "".join(digit for digit, severity in DIGITS.items() if severity in wanted)
    words, spared = "|".join(dict.fromkeys(wanted)), "|".join(others)
    by_word = rf"^[^|]*\|[[:blank:]]*({words})[[:blank:]]*\|"
    by_number = rf"^[^|]*\|[^|]*\|[[:blank:]]*[{digits}][0-9]{{5}}[[:blank:]]*\|"
    return Select(
        has=f"{by_word}|{by_number}",
        but=rf"^[^|]*\|[[:blank:]]*({spared})[[:blank:]]*\|" if spared else "^$",
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()

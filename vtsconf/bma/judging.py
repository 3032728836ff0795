"""How a run of a backup application is judged: rows of data, read in one order for all of them. Pure.

The order is that of the facts about BMAs (§1): what the exit code says, what the text says, what the text proves. The
catalogue comes after that and is asked by somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vtsconf.bma.contract import Judgement, Output, Verdict
from vtsconf.core.printable import printable

Sure = Literal["documented", "tried", "general", "site"]

# A number in the C locale. "11.765.672" is none: a sum in German must not be taken for something else.
NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
# Characters of a line that are read: a path of three names, a vault's, a pool's and a tape's, and all that stands beside it.
LONGEST = 1500
_OURS = "vtsconf"  # what our own runner or the shell on the server means


def exits(text: str) -> frozenset[int]:
    """The exit codes in "0, 21-26, 40"."""
    ends = (part.strip().partition("-") for part in text.split(","))
    return frozenset(n for low, _, high in ends for n in range(int(low), int(high or low) + 1))


EVERY = exits("0-255")
BAD = exits("1-255")
TIMED_OUT = 124  # our runner's: whatever was printed until then, the program was not done
# What a program ends with by itself: no time-out, no shell that could not run it, no signal.
OWN = EVERY - exits("124, 126, 127, 129-159")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What an exit code or a text means. `actions`: archive, restore, locate; none means all of them.

    `is_answer`: a success that needs no further proof, because it is what was asked: the catalogue holds nothing.
    """

    verdict: Verdict
    reason: str
    source: str
    sure: Sure = "documented"
    actions: tuple[str, ...] = ()
    is_answer: bool = False

    def is_for(self, action: str) -> bool:
        return not self.actions or action in self.actions


@dataclass(frozen=True, kw_only=True)
class Code(Row):
    """The meaning of exit codes."""

    exits: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Message(Row):
    """The meaning of a text, where the run ended with one of `exits`; it goes before the code's own."""

    pattern: str
    exits: frozenset[int] = BAD


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The text that a good run prints. A group `count` must be at least the number of paths."""

    action: str
    pattern: str
    source: str
    sure: Sure = "documented"


@dataclass(frozen=True, kw_only=True)
class Tables:
    """All that is known of one BMA. Of rows that fit, the first one counts."""

    codes: tuple[Code, ...]
    messages: tuple[Message, ...] = ()
    proofs: tuple[Proof, ...] = ()

    def under(self, own: Tables) -> Tables:
        """These tables with a site's own rows before them."""
        return Tables(
            codes=own.codes + self.codes,
            messages=own.messages + self.messages,
            proofs=own.proofs + self.proofs,
        )

    def rows(self) -> Iterable[Row | Proof]:
        return (*self.codes, *self.messages, *self.proofs)


# What no BMA decides: our runner's time-out, and what a shell says of a program that it could not run to its end.
_COMMON = (
    Code(
        exits=frozenset({TIMED_OUT}),
        verdict=Verdict.UNKNOWN,
        reason="it was ended at its time-out; the catalogue knows what became of it",
        source=_OURS,
    ),
    Code(
        exits=exits("126"),
        verdict=Verdict.PERMANENT,
        reason="the program may not be executed",
        source="POSIX sh",
    ),
    Code(
        exits=exits("127"), verdict=Verdict.PERMANENT, reason="the program was not found", source="POSIX sh"
    ),
    Code(
        exits=exits("129-159"),
        verdict=Verdict.UNKNOWN,
        reason="a signal ended it; the catalogue knows what became of it",
        source="POSIX sh",
    ),
)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A row that was chosen, and the line that chose it."""

    row: Row
    line: str = field(default="")

    def judgement(self) -> Judgement:
        row = self.row
        return Judgement(
            verdict=row.verdict, reason=row.reason, proof=self.line, source=row.source, sure=row.sure
        )


def judge(tables: Tables, action: str, output: Output, paths: Sequence[str]) -> Judgement:
    """What became of a run. Of a good `locate` it says that the catalogue has answered, not that it holds anything."""
    output = replace(output, text=shortened(output.text))
    if output.exit is None:
        return _unknown("nobody knows how it ended; the catalogue knows what became of it", "")
    reading = _message(tables.messages, action, output) or _code(tables.codes, action, output.exit)
    if reading is None:
        return _unknown(f"exit {output.exit} is in no table", last_line(output.text))
    if reading.row.verdict is not Verdict.SUCCESS:
        line = reading.line or _complaint(output.text)
        return _Reading(row=reading.row, line=line).judgement()
    if action == "locate" and (doubt := _unanswered(tables, output, reading.row)):
        return _unknown(doubt, last_line(output.text))
    if reading.row.is_answer:
        return reading.judgement()
    return _proven(tables.proofs, action, output.text, len(paths)) or reading.judgement()


def _unanswered(tables: Tables, output: Output, row: Row) -> str:
    """Why a catalogue has not answered, though its exit code or text sounds good; "" when it has."""
    if output.is_cut:
        return "the middle of the catalogue's answer is missing"
    if output.exit == TIMED_OUT:
        return "the catalogue was still answering at its time-out"
    shown = _proven(tables.proofs, "locate", output.text, 0) if row.is_answer else None
    if shown and shown.verdict is Verdict.SUCCESS:
        return "the catalogue says that it holds no such copy, and shows some all the same"
    return ""


def whole_lines(text: str) -> list[str]:
    """The lines of a catalogue's answer; what follows the last end was cut, and what is too long is no row."""
    return [line.rstrip("\r") if len(line) <= LONGEST else "" for line in text.split("\n")[:-1]]


def shortened(text: str) -> str:
    """Without the ends of very long lines: a site's pattern may take the square of a line."""
    if len(text) <= LONGEST:
        return text
    return "\n".join(line[:LONGEST] for line in text.split("\n"))


def _message(messages: Sequence[Message], action: str, output: Output) -> _Reading | None:
    for row in messages:
        if output.exit in row.exits and row.is_for(action):
            match = re.search(row.pattern, output.text, re.MULTILINE)
            if match:
                return _Reading(row=row, line=_whole(output.text, match))
    return None


def _code(codes: Sequence[Code], action: str, code: int) -> _Reading | None:
    rows = (row for row in (*codes, *_COMMON) if code in row.exits and row.is_for(action))
    row = next(rows, None)
    return None if row is None else _Reading(row=row)


def _proven(proofs: Sequence[Proof], action: str, text: str, wanted: int) -> Judgement | None:
    """None where the BMA is known to print nothing that could prove it."""
    proof = next((p for p in proofs if p.action == action), None)
    if proof is None:
        return None
    matches = list(re.finditer(proof.pattern, text, re.MULTILINE))
    if not matches:
        return _unknown(
            "the exit code is good, and the text that would prove it is not there", last_line(text)
        )
    if "count" not in re.compile(proof.pattern).groupindex:
        return _success("the text proves it", _whole(text, matches[-1]), proof)
    best = max(matches, key=_count)
    line = _whole(text, best)
    if _count(best) >= wanted:
        return _success(f"{_count(best)} done, {wanted} asked", line, proof)
    return Judgement(
        verdict=Verdict.PARTIAL,
        reason=f"{_count(best)} done, {wanted} asked",
        proof=line,
        source=proof.source,
        sure=proof.sure,
    )


def _count(match: re.Match[str]) -> int:
    digits = (match["count"] or "").replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) <= 18 else -1


def _success(reason: str, line: str, proof: Proof) -> Judgement:
    return Judgement(verdict=Verdict.SUCCESS, reason=reason, proof=line, source=proof.source, sure=proof.sure)


def _unknown(reason: str, line: str) -> Judgement:
    return Judgement(verdict=Verdict.UNKNOWN, reason=reason, proof=line, source="bma-facts 1")


def _whole(text: str, match: re.Match[str]) -> str:
    """The lines that hold a match, as one line to show."""
    begin = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    return printable(text[max(begin, match.start() - 300) : end if end >= 0 else None][:2000], 600)


def last_line(text: str) -> str:
    """The last line with something in it, bounded: what a BMA that says nothing known has said."""
    return printable(text[-4000:].rstrip().rpartition("\n")[2])


def _complaint(text: str) -> str:
    """The last message of an error in a bounded look at the end, else the last line."""
    lines = text[-20000:].split("\n")
    said = (
        line for line in reversed(lines) if re.match(r"AN\w\d{4}[ES]|EXIT STATUS|\w+: .*(rror|annot)", line)
    )
    return printable(next(said, "")) or last_line(text)

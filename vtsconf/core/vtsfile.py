"""The VTS configuration file: `name='value'` lines among others, read and edited as bytes.

Documented is only `name='value'` in single quotes and that overrides stand at the bottom
[6.03.42 Ops p.44; 6.04.01 Ops p.41]. Inferred: the last of several assignments counts, and other
forms (double quotes, no quotes, a comment behind) mean what they mean to a shell. Every byte that
an edit does not have to touch stays as it is, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from vtsconf.core.content import unmarked

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NAME = rb"[A-Za-z_][A-Za-z0-9_.-]*"
_ASSIGNMENT = re.compile(
    rb"^[ \t]*(?P<name>" + _NAME + rb")="
    rb"(?P<value>'[^'\r\n\0]*'|\"[^\"$`\\\r\n\0]*\"|[^\s'\"$`\\;&|<>()#\0]*)"
    rb"(?P<tail>[ \t]*(?:[ \t]#[^\r\n\0]*)?)\r?$",
    re.MULTILINE,
)
_MENTION = re.compile(rb"(?<![A-Za-z0-9_.-])(" + _NAME + rb")[ \t]*\+?=")
_BEFORE_A_NAME = (b"", b"export", b"readonly", b"declare", b"typeset")


class Form(StrEnum):
    """How a value is written. Only PLAIN is documented."""

    PLAIN = "single quotes"
    DOUBLE = "double quotes"
    BARE = "no quotes"
    COMMENTED = "a comment behind the value"


class Kept(NamedTuple):
    """Bytes `start` to `stop` of the file as it was."""

    start: int
    stop: int


Piece = Kept | bytes


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One line that gives a name a value. `line` counts from 1; the spans are positions in the file."""

    name: str
    text: str
    form: Form
    line: int
    value: Kept  # with its quotes
    whole: Kept  # with its line end


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A line that speaks of a name in a way that cannot be judged; it is left alone."""

    name: str
    line: int
    assigns: bool  # the line begins with the name: it looks like an assignment


@lru_cache(maxsize=16)  # servers of a fleet often have the same file
def assignments(data: bytes) -> tuple[Assignment, ...]:
    """Every assignment, from top to bottom."""
    return tuple(_assignments(data))


def _assignments(data: bytes, names: Collection[str] | None = None) -> Iterator[Assignment]:
    """All of them, or those of `names`."""
    line, counted = 1, 0
    for match in _ASSIGNMENT.finditer(data):
        if names is not None and match["name"].decode() not in names:
            continue
        line += data.count(b"\n", counted, match.start())
        counted = match.start()
        stop = match.end() + 1 if match.end() < len(data) else match.end()
        yield Assignment(
            name=match["name"].decode(),
            text=_text(match["value"]),
            form=_form(match["value"], match["tail"]),
            line=line,
            value=Kept(*match.span("value")),
            whole=Kept(match.start(), stop),
        )


def _text(value: bytes) -> str:
    """Latin-1 where it is not UTF-8: old files are, and every byte then has a meaning."""
    inner = value[1:-1] if value[:1] in (b"'", b'"') else value
    try:
        return inner.decode()
    except UnicodeDecodeError:
        return inner.decode("latin-1")


def _form(value: bytes, tail: bytes) -> Form:
    if tail.strip():
        return Form.COMMENTED
    return {b"'": Form.PLAIN, b'"': Form.DOUBLE}.get(value[:1], Form.BARE)


def values(data: bytes) -> dict[str, str]:
    """What each name is set to; of several assignments the last one counts (inferred)."""
    return {match["name"].decode(): _text(match["value"]) for match in _ASSIGNMENT.finditer(data)}


def duplicates(found: Sequence[Assignment], names: Collection[str]) -> dict[str, tuple[int, ...]]:
    """Those of `names` that are assigned more than once, with the lines."""
    lines: dict[str, tuple[int, ...]] = {}
    for assignment in found:
        if assignment.name in names:
            lines[assignment.name] = (*lines.get(assignment.name, ()), assignment.line)
    return {name: where for name, where in lines.items() if len(where) > 1}


def unreadable(data: bytes, names: Collection[str]) -> tuple[Unreadable, ...]:
    """Lines that speak of one of `names` and are neither assignments nor comments."""
    readable = {match.start() for match in _ASSIGNMENT.finditer(data)}
    return tuple(_unreadable(data, names, readable))


def _unreadable(data: bytes, names: Collection[str], readable: Collection[int]) -> Iterator[Unreadable]:
    line, start, stop = 1, 0, -1
    told: set[str] = set()  # of this line
    for match in _MENTION.finditer(data):
        name = match[1].decode()
        if name not in names:
            continue
        if match.start() > stop:
            counted, start, told = start, data.rfind(b"\n", 0, match.start()) + 1, set()
            line += data.count(b"\n", counted, start)
            stop = data.find(b"\n", start) % (len(data) + 1)
        if start in readable or name in told:
            continue
        told.add(name)
        before = data[start : match.start()].removeprefix(b"\xef\xbb\xbf").strip()
        if not before.startswith(b"#"):
            yield Unreadable(name=name, line=line, assigns=before in _BEFORE_A_NAME)


def refusal(text: str, data: bytes) -> str:
    """Why this value cannot be written into this file; "" when it can."""
    visible = unmarked(text)
    if "'" in visible:
        return "a value stands in single quotes, and no way to write a single quote in one is documented"
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in visible if char != "\t"):
        return "a value is one line of text: no line ends and no control characters"
    if not visible.isascii() and not _is_utf8(data):
        return "the file is not in UTF-8, so that only ASCII can be added to it safely"
    return ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def edit(data: bytes, wishes: Mapping[str, str | None]) -> bytes:
    """The file with each name set to its text, or without any assignment of it (None).

    A name that is there is changed in place, at its last assignment; a new one goes to the bottom,
    in the order of `wishes`. A name is removed with *all* its assignments: otherwise an earlier one would come to
    life. Raises ValueError for a name or a text that cannot be written (`refusal` says why).
    """
    return b"".join(
        data[slice(*piece)] if isinstance(piece, Kept) else piece for piece in pieces(data, wishes)
    )


def pieces(data: bytes, wishes: Mapping[str, str | None]) -> tuple[Piece, ...]:
    """The same edit as what is kept of the old bytes and what is new, in order."""
    for bad in (name for name in wishes if not NAME.fullmatch(name)):
        raise ValueError(f"`{bad!a}` cannot be the name of a parameter")
    found = list(_assignments(data, wishes))
    last = {a.name: a for a in found}
    swaps: list[tuple[Kept, bytes]] = []
    for assignment in found:
        text = wishes[assignment.name]
        if text is None:
            swaps.append((assignment.whole, b""))
        elif assignment is last[assignment.name] and assignment.text != text:
            swaps.append((assignment.value, _quoted(assignment.name, text, data)))
    added = {
        name: _quoted(name, text, data)
        for name, text in wishes.items()
        if text is not None and name not in last
    }
    return (*_swapped(len(data), swaps), *_appended(data, swaps, added))


def _quoted(name: str, text: str, data: bytes) -> bytes:
    if reason := refusal(text, data):
        raise ValueError(f"`{name}`: {reason}")
    return f"'{text}'".encode()


def _swapped(size: int, swaps: Sequence[tuple[Kept, bytes]]) -> Iterator[Piece]:
    at = 0
    for span, new in swaps:
        if at < span.start:
            yield Kept(at, span.start)
        if new:
            yield new
        at = span.stop
    if at < size:
        yield Kept(at, size)


def _appended(
    data: bytes, swaps: Sequence[tuple[Kept, bytes]], added: Mapping[str, bytes]
) -> Iterator[bytes]:
    """New lines in the file's own style of line ends; a missing last line end is supplied first."""
    if not added:
        return
    end = line_end(data)
    removed_last = bool(swaps) and swaps[-1][0].stop == len(data) and not swaps[-1][1]
    if data and not data.endswith(b"\n") and not removed_last:
        yield end
    for name, value in added.items():
        yield name.encode() + b"=" + value + end


def line_end(data: bytes) -> bytes:
    """How the file ends its lines: as its last line end does; a newline alone where there is none."""
    at = data.rfind(b"\n")
    return b"\r\n" if at > 0 and data[at - 1 : at] == b"\r" else b"\n"

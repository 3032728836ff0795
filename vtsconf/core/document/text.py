"""From bytes to text that may be read: in UTF-8, of bounded size, without characters that do harm."""

from __future__ import annotations

import re

from vtsconf.core.document.events import Unreadable, problem
from vtsconf.core.problem import Place, Problem

MAX_BYTES = 8_000_000

# What a text may not hold: control characters, other characters that some programs take for line ends, lone
# surrogates, and the two that core/content.py marks secrets with.
BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000\ue001\ufeff\ufffe\uffff]"
)


def decoded(text: bytes | str, name: str) -> str:
    """The text, without a byte order mark; refused when it is too long, no UTF-8, or holds bad characters."""
    if len(text) > MAX_BYTES:
        raise Unreadable(
            problem(
                f"the document is larger than {MAX_BYTES // 1_000_000} MB",
                Place(name),
                why="reading it would take minutes",
                remedy="split it into group_vars and host_vars",
            )
        )
    if isinstance(text, bytes):
        text = _from_utf8(text, name)
    text = text.removeprefix("\ufeff")
    if bad := BAD.search(text):
        raise Unreadable(bad_character(bad[0], _place_at(text, bad.start(), name)))
    return text


def _from_utf8(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        raise Unreadable(
            problem(
                f"byte 0x{data[error.start]:02x} is not UTF-8",
                _place_at(before, len(before), name),
                code="encoding",
                remedy="save the file as UTF-8",
            )
        ) from None


def bad_character(character: str, place: Place) -> Problem:
    if character in "\ue000\ue001":
        why = "vtsconf uses this character to mark where a secret goes"
    else:
        why = "control characters do not belong into configuration, and some programs stop at them"
    return problem(
        f"the character U+{ord(character):04X} is not allowed",
        place,
        code="character",
        why=why,
        remedy="remove it",
    )


def _place_at(text: str, offset: int, name: str) -> Place:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return Place(name, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)

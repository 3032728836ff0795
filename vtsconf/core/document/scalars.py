"""What a plain scalar means, by the core schema of YAML 1.2."""

from __future__ import annotations

import re
from math import isfinite

from vtsconf.core.tree import Scalar

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_OTHER_BASE = re.compile(r"0o([0-7]{1,40})|0x([0-9a-fA-F]{1,40})")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]{1,40}|(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?"
)
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def typed(text: str) -> Scalar:
    """What a plain (unquoted) scalar means. Leading zeros stay text: `0644` would lose its meaning as a number."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if match := _OTHER_BASE.fullmatch(text):
        return int(match[1], 8) if match[1] else int(match[2], 16)
    if _FLOAT.fullmatch(text) and isfinite(number := float(text)):
        return number
    return text

"""What looks like a secret on a live server although nobody said so: names and lines not to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_PARAMETER = re.compile(r"passw|secret|token|pwd|key_", re.IGNORECASE)
# A word, a separator, and something behind it other than empty quotes. Possessive, so that no live file can make it slow.
_PAIR = re.compile(rb"(?<![\w.-])([\w.-]++)[\"']?+(?:[ \t]*+[=:]++|[ \t])[ \t]*+(?=[^\s=:])(?!\"\"|'')")
# The word ends in one for a secret (TSM lets PASSword be cut down to `pass`); so `PASSWORDAccess generate` and
# `passworddir /x`, which hold none, do not count.
_WORD = re.compile(
    rb"(?:passw(?:o(?:rd?)?)?|passwd|passphrase|secret|token|pwd|private[_-]?key)$|^pass$|key_", re.IGNORECASE
)
_KEY_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]*+)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)


def is_sensitive(name: str) -> bool:
    """A parameter of this name is not shown, whatever it holds."""
    return _PARAMETER.search(name) is not None


def spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where lines stand that look as if they held a secret (without their line ends); may overlap."""
    yield from _lines(data)
    yield from (match.span() for match in _KEY_BLOCK.finditer(data) if match[1].endswith(b"PRIVATE KEY"))


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    stop = 0
    for match in _PAIR.finditer(data):
        if match.start() < stop or not _WORD.search(match[1]):
            continue
        start = data.rfind(b"\n", 0, match.start()) + 1
        end = data.find(b"\n", match.start())
        stop = len(data) if end < 0 else end - (data[end - 1 : end] == b"\r")
        yield start, stop


@lru_cache(maxsize=16)  # asked of the same bytes as live, as desired and as base
def holds_secret(data: bytes) -> bool:
    """Some part of it must not be shown."""
    return next(spans(data), None) is not None

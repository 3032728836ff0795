"""What looks like a secret on a live server although nobody said so: names and lines not to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = re.compile(r"passw|secret|token|pwd|key_", re.IGNORECASE)
# A word for a secret at the end of a name, then a separator and something behind it; TSM lets PASSword be
# cut down to `pass`. `PASSWORDAccess generate` and `passworddir /x` do not match: they hold none.
_LINE = re.compile(
    rb"^[^\r\n]*?(?:"
    rb"(?:passw(?:o(?:rd?)?)?|passwd|passphrase|secret|token|pwd|private[_-]?key|key_[\w.-]*|\bpass)"
    rb"[\"']?[ \t]*[=: \t][ \t]*[^\s]"
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----)[^\r\n]*",
    re.IGNORECASE | re.MULTILINE,
)
_KEY_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)


def is_sensitive(name: str) -> bool:
    """A parameter of this name is not shown, whatever it holds."""
    return _NAME.search(name) is not None


def spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where lines stand that look as if they held a secret (without their line ends); may overlap."""
    yield from (match.span() for match in _LINE.finditer(data))
    yield from (match.span() for match in _KEY_BLOCK.finditer(data))


def holds_secret(data: bytes) -> bool:
    """Some part of it must not be shown."""
    return next(spans(data), None) is not None

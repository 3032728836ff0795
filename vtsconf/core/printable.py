"""Foreign text made safe to show: no control characters, no line breaks, bounded."""

from __future__ import annotations


def printable(text: str | bytes, limit: int = 300) -> str:
    """One line of `text`, at most `limit` characters: what a terminal would obey is written as an escape."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode(errors="replace")
    line = " ".join(text.split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def visible(text: str) -> str:
    """The same line with its blanks as they are, control characters as escapes: for lines of a diff."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

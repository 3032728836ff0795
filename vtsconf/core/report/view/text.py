"""Foreign text and counts, as long as a page can bear."""

from __future__ import annotations

from collections.abc import Sequence

REASON = 400  # characters
MORE = " … (the rest is in the JSON document)"


def cut(text: str, longest: int = REASON) -> str:
    """One line of at most so many characters; says so when it is cut."""
    line = " ".join(text[: longest * 2].split())
    whole = len(line) <= longest and len(text) <= longest * 2
    return line if whole else line[: longest - len(MORE)] + MORE


def many(count: int, noun: str) -> str:
    """Such as "1 server", "3,000 servers"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def names(all_names: Sequence[str], shown: int) -> str:
    """The first so many, and how many more."""
    said = ", ".join(all_names[:shown])
    return said if len(all_names) <= shown else f"{said} and {len(all_names) - shown:,} more"

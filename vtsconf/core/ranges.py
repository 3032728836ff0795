"""Host ranges of Ansible: `vts[1:3]`, `vts[01:10:2]`, `vts[a:c]`."""

from __future__ import annotations

import re
from itertools import product
from string import ascii_letters

MAX_HOSTS = 10_000
_RANGE = re.compile(r"\[([^\[\]]*)\]")


def expand(pattern: str) -> list[str]:
    """The names a pattern stands for, in order; itself when it has no range. Raises ValueError with a sentence."""
    pieces = _RANGE.split(pattern)
    if any(bracket in piece for piece in pieces[::2] for bracket in "[]"):
        raise ValueError("a `[` without its `]`")
    choices = [_members(piece) if index % 2 else [piece] for index, piece in enumerate(pieces)]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MAX_HOSTS:
        raise ValueError(f"the range stands for more than {MAX_HOSTS} hosts")
    return ["".join(words) for words in product(*choices)]


def _members(text: str) -> list[str]:
    bounds = text.split(":")
    if not 2 <= len(bounds) <= 3:
        raise ValueError(f"`[{text}]` is not a range: write [1:3] or [a:c]")
    first, last, step = bounds[0] or "0", bounds[1], bounds[2] if len(bounds) == 3 else "1"
    if not re.fullmatch(r"[1-9][0-9]{0,5}", step):
        raise ValueError(f"the step of `[{text}]` is not a number above zero")
    if re.fullmatch(r"[0-9]{1,9}", first) and re.fullmatch(r"[0-9]{1,9}", last):
        return _numbers(text, first, last, int(step))
    if len(first) == len(last) == 1 and first in ascii_letters and last in ascii_letters:
        return _not_empty(
            text, list(ascii_letters[ascii_letters.index(first) : ascii_letters.index(last) + 1 : int(step)])
        )
    raise ValueError(f"`[{text}]` is not a range: write [1:3] or [a:c]")


def _numbers(text: str, first: str, last: str, step: int) -> list[str]:
    padded = len(first) > 1 and first.startswith("0")
    if padded and len(first) != len(last):
        raise ValueError(f"the two ends of `[{text}]` must have the same number of digits")
    numbers = range(int(first), int(last) + 1, step)
    if len(numbers) > MAX_HOSTS:
        raise ValueError(f"the range stands for more than {MAX_HOSTS} hosts")
    return _not_empty(text, [str(n).zfill(len(first) if padded else 0) for n in numbers])


def _not_empty(text: str, members: list[str]) -> list[str]:
    if not members:
        raise ValueError(f"`[{text}]` ends before it begins")
    return members

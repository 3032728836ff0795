"""Counts the steps of a regular expression that goes back and forth as Python's `re` does, without its short cuts.

It reads the tree of `re`'s own parser, so that a test needs no clock: what grows with the square of a text is seen by counting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as c
from re import _parser

_CATEGORIES = {
    c.CATEGORY_DIGIT: str.isdecimal,
    c.CATEGORY_SPACE: str.isspace,
    c.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    c.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
}
_ONE = {c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN}


class Counter:
    """`search` says whether the pattern is found in the text; `steps` is what that took."""

    def __init__(self, pattern: str) -> None:
        self.tree = list(_parser.parse(pattern, re.MULTILINE))
        self.steps = 0
        self.text = ""

    @property
    def repeats(self) -> bool:
        """Whether anything in it may be there many times; without that no text is long for it."""
        return re.search(r"\((?:MAX|MIN)_REPEAT, \(\d+, (?:MAXREPEAT|\d{2,})", str(self.tree)) is not None

    def match(self, text: str) -> bool:
        """At the beginning only."""
        self.text, self.steps = text, 0
        return any(True for _ in self._row(self.tree, 0, 0))

    def search(self, text: str) -> bool:
        self.text, self.steps = text, 0
        return any(True for start in range(len(text) + 1) for _ in self._row(self.tree, 0, start))

    def _row(self, tree, at: int, here: int) -> Iterator[int]:
        """The ends of what is left of a row of items, one after another as they are tried."""
        self.steps += 1
        if at == len(tree):
            yield here
            return
        for end in self._item(*tree[at], here):
            yield from self._row(tree, at + 1, end)

    def _item(self, op, value, here: int) -> Iterator[int]:
        self.steps += 1
        if op in _ONE:
            yield from [here + 1] if here < len(self.text) and self._is(op, value, self.text[here]) else []
        elif op is c.AT:
            yield from [here] if self._is_at(value, here) else []
        elif op is c.BRANCH:
            for way in value[1]:
                yield from self._row(list(way), 0, here)
        elif op is c.SUBPATTERN:
            yield from self._row(list(value[3]), 0, here)
        elif op is c.ATOMIC_GROUP:
            yield from [end for end, _ in zip(self._row(list(value), 0, here), "1", strict=False)]
        elif op in {c.ASSERT, c.ASSERT_NOT}:
            is_there = any(True for _ in self._row(list(value[1]), 0, here))
            yield from [here] if is_there is (op is c.ASSERT) else []
        else:
            yield from self._repeat(op, *value, here)

    def _repeat(self, op, least: int, most: int, body, here: int) -> Iterator[int]:
        """Every number of times, the most first or the least; where a body has one end only, without going deeper."""
        ends = [here]
        while len(ends) <= most:
            end = next(self._row(list(body), 0, ends[-1]), None)
            if end is None or end == ends[-1]:
                break
            ends.append(end)
        good = ends[least:]
        for end in good if op is c.MIN_REPEAT else reversed(good):
            self.steps += 1
            yield end

    def _is(self, op, value, char: str) -> bool:
        if op is c.ANY:
            return char != "\n"
        if op is c.IN:
            is_negated = value[0][0] is c.NEGATE
            return is_negated is not any(self._is_member(*member, char) for member in value)
        return (ord(char) == value) is (op is c.LITERAL)

    @staticmethod
    def _is_member(op, value, char: str) -> bool:
        if op is c.RANGE:
            return value[0] <= ord(char) <= value[1]
        if op is c.CATEGORY:
            return _CATEGORIES[value](char)
        return op is c.LITERAL and ord(char) == value

    def _is_at(self, where, here: int) -> bool:
        text = self.text
        if where is c.AT_BEGINNING:
            return here == 0 or text[here - 1] == "\n"
        if where is c.AT_END:
            return here == len(text) or text[here] == "\n"
        assert where is c.AT_BOUNDARY
        sides = (text[here - 1 : here], text[here : here + 1])
        return len({bool(side) and (side.isalnum() or side == "_") for side in sides}) == 2

"""Whether a regular expression can take very long on a short hostile text: judged before it is ever used.

Python's `re` tries every way in which repeats can share a text, and nothing can stop it. A repeat in a repeat has
exponentially many ways; several in a row, each able to take what the next one could, have a power of the text's length.
So the steps of the worst text are estimated, and patterns with too many are refused. The estimate is rough, to the
factor of ten that separates what is let through (a second or two at the very worst) from what is not (minutes, or for
ever).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import factorial, prod
from re import _constants, _parser  # type: ignore[attr-defined]  # the parser has no public name; here since 3.11
from typing import Any

MOST = 10_000_000  # steps; Python takes some ten million in a second
TEXT = 255  # characters of the longest text (emsrules.LONGEST)
_LARGE = 16  # a repeat up to so many times is as good as one without end
_MANY = 5000  # characters that it wants, one after another
_ALL = frozenset(range(257))  # characters by number; 256 stands for all others
_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}
_WORD = frozenset(n for n in range(256) if re.match(r"\w", chr(n))) | {256}
_CLASSES = {
    _constants.CATEGORY_DIGIT: frozenset(range(48, 58)) | {256},
    _constants.CATEGORY_SPACE: frozenset(n for n in range(256) if chr(n).isspace()) | {256},
    _constants.CATEGORY_WORD: _WORD,
}
_CLASSES |= {
    _constants.CATEGORY_NOT_DIGIT: _ALL - frozenset(range(48, 58)),
    _constants.CATEGORY_NOT_SPACE: _ALL - frozenset(n for n in range(256) if chr(n).isspace()),
    _constants.CATEGORY_NOT_WORD: _ALL - (_WORD - {256}),
}


class _Slow(Exception):
    """Why the pattern is slow."""


@dataclass(frozen=True, kw_only=True)
class _Item:
    """What the pattern wants next: one of these characters, perhaps many times, perhaps not at all."""

    chars: frozenset[int] = _ALL
    may_miss: bool = False
    spread: int = 1  # how many different numbers of them it can take, in a text of this length
    skips: tuple[int, ...] = ()  # how many items each part has that begins here and may be missing


def too_slow(pattern: str) -> str:
    """Why this pattern is refused, as a part of a sentence; "" where it is quick. Raises re.error for none."""
    try:
        tree = _parser.parse(pattern)
        items = list(islice(_items(tree), _MANY))
    except _Slow as slow:
        return str(slow)
    except RecursionError:
        return "it is nested too deeply"
    if len(items) == _MANY:
        return "it is too long"
    is_anchored = bool(tree) and tree[0] in _STARTS
    steps = _steps(items, is_anchored=is_anchored)
    return f"its repeats can share a text in {steps:,.0f} ways" if steps > MOST else ""


_STARTS = [(_constants.AT, _constants.AT_BEGINNING), (_constants.AT, _constants.AT_BEGINNING_STRING)]


def _steps(items: Sequence[_Item], *, is_anchored: bool) -> float:
    """How often the end of the pattern is reached at most: the ends of each repeat, at every start."""
    spreads = [] if is_anchored else [TEXT]
    rarity = 1
    shared: frozenset[int] = frozenset()
    tail = 1
    for at, item in enumerate(items):
        if item.spread > 1 and _shares(items, at):
            spreads.append(item.spread)
            rarity *= min(_run(items, at), item.spread)
            shared |= item.chars
        elif item.spread > 1 and shared & item.chars:
            tail = max(tail, item.spread)  # it has one end only, looked for anew each time
    spreads += [tail] if tail > 1 else []
    in_order = factorial(
        sum(spread == TEXT for spread in spreads)
    )  # they share one text: their ends come in order
    parts = sum(len(item.skips) for item in items)
    return prod(spreads) / rarity / in_order * 2.0**parts


def _run(items: Sequence[_Item], at: int) -> int:
    """How many different letters must follow in a row: so rarely can a text repeat them."""
    letters: set[frozenset[int]] = set()
    for item in items[at + 1 : at + 9]:
        if len(item.chars) > 2 or item.may_miss or item.skips or item.spread > 1 or not item.chars:
            break
        letters.add(item.chars)
    return max(len(letters), 1)


def _shares(items: Sequence[_Item], at: int) -> bool:
    """Whether this repeat can end at several places with the rest still possible."""
    nexts, seen = [at + 1], set[int]()
    while nexts:
        here = nexts.pop()
        if here in seen or here >= len(items):
            continue
        seen.add(here)
        if items[at].chars & items[here].chars:
            return True
        nexts += [here + length for length in items[here].skips]
        nexts += [here + 1] if items[here].may_miss else []
    return False


def _items(tree: Any) -> Iterator[_Item]:
    for op, value in tree:
        if op in _REPEATS:
            yield from _repeat(op, *value)
        elif op is _constants.BRANCH:
            yield from _branch(value[1])
        elif op is _constants.SUBPATTERN:
            yield from _items(value[3])
        elif op is _constants.ATOMIC_GROUP:
            yield from _items(value)
        elif op in {_constants.ASSERT, _constants.ASSERT_NOT}:
            yield from _branch([value[1]])
        elif op is _constants.AT:
            yield _Item(chars=frozenset())
        elif op in {_constants.GROUPREF, _constants.GROUPREF_EXISTS}:
            raise _Slow("it refers back to a group")
        else:
            yield _Item(chars=_chars(op, value))


def _branch(ways: Sequence[Any]) -> Iterator[_Item]:
    """Alternatives: what stands before and after them may meet anything."""
    yield _Item(may_miss=True)
    for way in ways:
        yield from _items(way)
    yield _Item(may_miss=True)


def _repeat(op: Any, least: int, most: int, body: Any) -> Iterator[_Item]:
    inner = list(islice(_items(body), _MANY))
    if most <= 1:
        first, *others = inner or [_Item(may_miss=True)]
        yield replace(first, skips=(*first.skips, 1 + len(others)))
        yield from others
        return
    if least == most and most <= _LARGE:
        for _ in range(most):
            yield from inner
        return
    if any(one.spread > 1 or one.may_miss or one.skips for one in inner):
        raise _Slow("a repeat or an alternative stands inside a repeat")
    spread = 1 if op is _constants.POSSESSIVE_REPEAT else min(most - least + 1, TEXT)
    chars = frozenset[int]().union(*(one.chars for one in inner))
    yield _Item(chars=chars, may_miss=least == 0, spread=spread)


def _chars(op: Any, value: Any) -> frozenset[int]:
    if op is _constants.LITERAL:
        return _both(value)
    if op is _constants.NOT_LITERAL:
        return _ALL - ({value} & set(range(256)))
    if op is _constants.IN:
        return _set(value)
    return _ALL  # ANY, and whatever a later Python has


def _both(number: int) -> frozenset[int]:
    """A letter in both cases: the pattern may say (?i)."""
    letter = chr(number)
    return frozenset(min(ord(one), 256) for way in (letter, letter.swapcase()) for one in way)


def _set(members: Sequence[Any]) -> frozenset[int]:
    chars: set[int] = set()
    for op, value in members:
        if op is _constants.LITERAL:
            chars |= _both(value)
        elif op is _constants.RANGE:
            low, high = value
            chars |= {number for one in range(low, min(high, 255) + 1) for number in _both(one)}
            chars |= {256} if high > 255 else set()
        elif op is _constants.CATEGORY:
            chars |= _CLASSES.get(value, _ALL)
    is_negated = bool(members) and members[0][0] is _constants.NEGATE
    return (_ALL - (chars - {256})) if is_negated else frozenset(chars)

"""The budget of a template: how many steps it may take and how much text it may make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

STEPS = 1_000_000  # characters of one rendering; a turn of a loop counts as 4, a call as 10
MAX_LENGTH = 500_000  # characters of one text, items of one list
MAX_BITS = 4096  # of one whole number

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


class TooMuch(Exception):
    """The template would take too long or grow too large."""


@contextmanager
def budget() -> Iterator[None]:
    """A budget for one rendering; renderings inside it (a variable that needs another) share it."""
    if _left.get() is not None:
        yield
        return
    token = _left.set([STEPS])
    try:
        yield
    finally:
        _left.reset(token)


def spend(steps: int) -> None:
    """Take so much from the budget; TooMuch when there is no more."""
    left = _left.get()
    if left is None:
        return
    left[0] -= steps
    if left[0] < 0:
        raise TooMuch("it takes too many steps, or makes too much text")


def metered(items: Iterable[Any], price: int = 2) -> Iterator[Any]:
    """The same items, each at a price."""
    for item in items:
        spend(price)
        yield item


def bounded(length: int) -> None:
    """TooMuch for a text or list of that length; else its price."""
    if length > MAX_LENGTH:
        raise TooMuch("a text or a list is too long")
    spend(length)


def measure(value: Any) -> int:
    """About how many characters a value has as text; TooMuch as soon as it is too many."""
    total, stack = 0, [value]
    while stack:
        one = stack.pop()
        total += len(one) if isinstance(one, str) else 8
        if total > MAX_LENGTH:
            raise TooMuch("a text or a list is too long")
        if isinstance(one, Mapping):
            stack += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | range):
            bounded(len(one) + len(stack))
            stack += one
    return total


def spelled(value: Any) -> str:
    """A value as text; ValueError for what is no plain data, such as a function."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | float):
        return str(value)
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise TooMuch("a number is too large")
        return str(value)
    if isinstance(value, Mapping | list | tuple | range):
        measure(value)
        return str(value)
    if hasattr(value, "_fail_with_undefined_error"):
        return str(value)  # raises what it lacks
    raise ValueError(f"the result is no plain data but a {type(value).__name__}")


def multiplied(left: Any, right: Any) -> Any:
    """`left * right`, bounded."""
    for some, other in ((left, right), (right, left)):
        if isinstance(some, str | list | tuple) and isinstance(other, int):
            bounded(len(some) * max(other, 0))
    _bounded_number(left, right)
    return left * right


def power(left: Any, right: Any) -> Any:
    """`left ** right`, bounded."""
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * max(right, 0) > MAX_BITS:
        raise TooMuch("a number is too large")
    return left**right


def added(left: Any, right: Any) -> Any:
    """`left + right`, bounded."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        bounded(len(left) + len(right))
    return left + right


def _bounded_number(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > MAX_BITS:
        raise TooMuch("a number is too large")

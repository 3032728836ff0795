"""The filters and text methods that templates have: jinja2's own where they cannot explode, bounded ones elsewhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Undefined

from vtsconf.core.templates.meter import TooMuch, bounded, measure, metered, spelled, spend

_AS_THEY_ARE = (
    "abs capitalize count d default dictsort first float int items last length list lower map max min reject"
    " rejectattr reverse round select selectattr sort title trim truncate unique upper"
)
_WIDTH = re.compile(r"\*|[0-9]{4}")


def _priced(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter at the price of the items it is given."""

    @wraps(filter_)  # keeps the marks by which jinja2 passes context or environment
    def priced(*args: Any, **kwargs: Any) -> Any:
        spend(2 + sum(len(a) for a in args if isinstance(a, str | list | tuple | dict | range)))
        return filter_(*(metered(a) if isinstance(a, Iterator) else a for a in args), **kwargs)

    return priced


def _text(value: Any) -> str:
    return "" if value is None else spelled(value)


def _join(items: Iterable[Any], separator: str = "", attribute: None = None) -> str:
    if attribute is not None:
        raise ValueError("join takes no attribute: write map(attribute='…') | join")
    texts = []
    for item in metered(items):
        texts.append(_text(item))
        bounded(len(texts[-1]))
    bounded(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text = _text(value)
    bounded(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, count)


def _format(text: str, *values: Any) -> str:
    if len(text) > 1000 or _WIDTH.search(text) or any(measure(value) > 10_000 for value in values):
        raise TooMuch("a format is too long or too wide")
    result: str = text % values
    spend(len(result))
    return result


def _indent(value: Any, width: int = 4, first: bool = False, blank: bool = False) -> str:
    text = _text(value)
    lines = text.split("\n")
    bounded(len(text) + len(lines) * max(width, 0))
    pad = " " * width
    return "\n".join(
        pad + line if (line or blank) and (index or first) else line for index, line in enumerate(lines)
    )


def _sum(items: Iterable[Any]) -> Any:
    total: Any = 0
    for item in metered(items):
        if not isinstance(item, int | float):
            raise TypeError("sum takes numbers")
        total += item
    return total


def _json(value: Any, indent: int | None = None) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises what it lacks
    bounded(measure(value) * (1 + min(indent or 0, 8)))
    return json.dumps(value, indent=min(indent, 8) if indent else None, ensure_ascii=False)


def _zfill(text: str, width: int) -> str:
    bounded(width)
    return text.zfill(width)


FILTERS: dict[str, Callable[..., Any]] = {
    **{name: _priced(JINJA_FILTERS[name]) for name in _AS_THEY_ARE.split()},
    "string": _text,
    "join": _join,
    "replace": _replace,
    "format": _format,
    "indent": _indent,
    "sum": _sum,
    "tojson": _json,
    "to_json": _json,  # Ansible's name for it
    "quote": lambda value: shlex.quote(_text(value)),
}

# Methods of text that could explode, bounded.
TEXT_METHODS: dict[str, Callable[..., Any]] = {
    "replace": _replace,
    "join": lambda text, items: _join(items, text),
    "zfill": _zfill,
}

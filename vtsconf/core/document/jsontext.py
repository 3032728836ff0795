"""The pieces of a JSON document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from vtsconf.core.document.builder import too_deep
from vtsconf.core.document.events import Closes, Event, Opens, Unreadable, Value, problem
from vtsconf.core.document.scalars import typed
from vtsconf.core.document.text import BAD, bad_character
from vtsconf.core.problem import Place

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,\s"]+', re.DOTALL)


def json_events(text: str, name: str) -> Iterator[Event]:
    """Python's own reader says whether it is JSON; then the tokens alone tell the values and their places."""
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise Unreadable(
            problem(f"not JSON: {error.msg}", Place(name, error.lineno, error.colno), code="json")
        ) from None
    except RecursionError:
        raise Unreadable(too_deep(Place(name))) from None
    line, start, seen = 1, 0, 0
    for token in _TOKEN.finditer(text):
        offset = token.start()
        if (breaks := text.count("\n", seen, offset)) > 0:
            line, start = line + breaks, text.rfind("\n", seen, offset) + 1
        seen = offset
        event = _event(token[0], Place(name, line, offset - start + 1))
        if event:
            yield event


def _event(token: str, place: Place) -> Event | None:
    match token[0]:
        case "{" | "[":
            return Opens(token, place)
        case "}" | "]":
            return Closes(place)
        case ":" | ",":
            return None
        case _ if token in {"NaN", "Infinity", "-Infinity"}:  # Python's reader lets them pass
            raise Unreadable(problem(f"`{token}` is not JSON", place, code="json"))
        case '"':
            text = json.loads(token)
            if bad := BAD.search(text):
                raise Unreadable(bad_character(bad[0], place))
            return Value(text, text, place)
        case _:
            return Value(token, typed(token), place)

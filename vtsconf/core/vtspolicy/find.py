"""A VTSPolicy line inside another text: the text of an event."""

from __future__ import annotations

import re

from vtsconf.core.vtspolicy.facts import KEYWORD, VERBS, Form
from vtsconf.core.vtspolicy.scan import closing

_BEGIN = re.compile(rf"(?<![A-Za-z0-9_]){KEYWORD}(?![A-Za-z0-9_])")


def find(text: str) -> str | None:
    """The first line in a text, up to its closing quote, or to the end where it has no quotes; None: there is none.

    Erase and Delete have no quotes, so nobody can say where they end: they must be all of the text.
    """
    begin = _BEGIN.search(text)
    if begin is None:
        return None
    line = text[begin.start() :]
    end = closing(line)
    if _has_quotes(line) and end is not None:
        return line[: end + 1]
    return line if not text[: begin.start()].strip() or _has_quotes(line) else None


def _has_quotes(line: str) -> bool:
    words = line.split(None, 2)
    verb = VERBS.get(re.split(r"\W", words[1])[0]) if len(words) > 1 else None
    return verb is not None and verb.form is Form.PLAIN

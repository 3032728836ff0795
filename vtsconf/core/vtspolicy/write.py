"""A line as text, quoted as the manuals print it; `parse(write(line))` is the line again."""

from __future__ import annotations

from vtsconf.core.vtspolicy.facts import KEYWORD, Form
from vtsconf.core.vtspolicy.line import Line


def write(line: Line) -> str:
    """One line of text, without its end. What the form cannot say comes out wrong: parse it again to be sure."""
    pairs = [f"{one.name}={one.value}" for one in line.keywords]
    if line.form is Form.NAMES:
        return " ".join([KEYWORD, line.verb, line.place, *line.names, *pairs])
    tapes = [] if line.tapes is None else [str(line.tapes)]
    body = " ".join([*([line.type] if line.type else []), *tapes, *line.extra, *pairs])
    quote = "'" if line.form is Form.TYPED else '"'  # [8.2 Config p.77; 6.03.41 Ops p.83]
    return f"{KEYWORD} {line.verb} {quote}{body}{quote}"

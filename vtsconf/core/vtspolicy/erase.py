"""The one line that erases one tape."""

from __future__ import annotations

from vtsconf.core.errors import Refused
from vtsconf.core.printable import printable
from vtsconf.core.vtspolicy.facts import Form
from vtsconf.core.vtspolicy.line import Keyword, Line
from vtsconf.core.vtspolicy.parse import parse
from vtsconf.core.vtspolicy.write import write


def erase_line(cartridge: str, source: str = "", release: str | None = None) -> str:
    """`VTSPolicy Erase - CARTRIDGE`, with `s=` where `source` names who is to act.

    Raises Refused for a name that would read as something else: a tape called `A B` would erase A and B.
    """
    keywords = (Keyword(name="s", value=source, meaning="source", sure="inferred"),) if source else ()
    line = Line(verb="Erase", form=Form.NAMES, place="-", names=(cartridge,), keywords=keywords)
    text = write(line)
    if parse(text, release) != line:
        raise Refused(
            f"the tape `{printable(cartridge, 60)}` cannot be named in a VTSPolicy Erase line",
            remedy="erase it on the server: the line would be read as something else",
        )
    return text

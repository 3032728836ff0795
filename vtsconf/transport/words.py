"""Words on their way to a shell: quoted, and none that a shell should not see."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from vtsconf.core.errors import Refused

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # and what is half a character


def call(function: str, *words: object) -> str:
    """One line of sh. Refuses control characters and half characters: no word that is ours has any."""
    texts = [str(word) for word in words]
    if _CONTROL.search("".join(texts)):
        strange = next(text for text in texts if _CONTROL.search(text))
        raise Refused(f"a word for the server holds a control character: {strange!r}")
    return " ".join([function, *map(shlex.quote, texts)])


def call_for_all(function: str, words: Sequence[object]) -> list[str]:
    """One call for many things at once, where there are any."""
    return [call(function, *words)] if words else []

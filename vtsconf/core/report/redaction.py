"""A report leaves the house: what looks like a secret in a sentence, an output or a value is left out of it.

Plans and journal hold no secret that vtsconf knows of. This is for what it cannot know: a password in the error
message of somebody's program, for one. It may hide too much; the journal has it.
"""

from __future__ import annotations

import re
from typing import Any

from vtsconf.core.sensitive import is_sensitive, spans

HIDDEN = "[not shown: looks like a secret]"
_SAID = re.compile(
    r"""((?:passw(?:or)?d|passphrase|secret|token|pwd|private[_-]?key)["']?[ \t]{0,8}(?:=|:(?!//))[ \t]{0,8})"""
    r"""(?!secret://)("[^"]*"|'[^']*'|[^\s,;]+)""",
    re.IGNORECASE,
)
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def sentence(text: str) -> str:
    """A reason or the like: what follows `password=`, `token:` and so on is left out."""
    if "=" not in text and ":" not in text and "-----" not in text:
        return text  # the usual case, a hundred thousand times
    return _KEY.sub(HIDDEN, _SAID.sub(rf"\1{HIDDEN}", text))


def output(text: str) -> str:
    """What a program printed: lines that look as if they held a secret are left out."""
    data = text.encode(errors="surrogatepass")
    parts, at = [], 0
    for start, stop in sorted(spans(data)):
        if stop > at:
            parts += [data[at:start], HIDDEN.encode()]
            at = stop
    return b"".join([*parts, data[at:]]).decode(errors="surrogatepass")


def value(address: str, shown: Any, *, secret: bool) -> Any:
    """A live or desired value. With `secret` it is a fingerprint already."""
    if secret or shown is None:
        return shown
    if is_sensitive(address.rpartition("/")[2]):
        return HIDDEN
    return _inside(shown)


def _inside(shown: Any) -> Any:
    match shown:
        case str():
            return output(shown)
        case dict():
            return {key: HIDDEN if is_sensitive(str(key)) else _inside(one) for key, one in shown.items()}
        case list() | tuple():
            return [_inside(one) for one in shown]
    return shown


def sentences(shown: Any) -> Any:
    """The same data, every text in it as `sentence` has it."""
    match shown:
        case str():
            return sentence(shown)
        case dict():
            return {key: sentences(one) for key, one in shown.items()}
        case list() | tuple():
            return [sentences(one) for one in shown]
    return shown

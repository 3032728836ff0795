"""The values of parameters: from plain data to the text between the quotes of `name='value'`, and back."""

from __future__ import annotations

import re
from typing import Any

from vtsconf.core.fields import found, unprintable

Value = str | int | bool | list[str] | None

_HOST = re.compile(r"[A-Za-z0-9\\$_:][A-Za-z0-9._:-]{0,252}")
_LARGEST = 2**63
_LONGEST = 4000  # characters; a line of the file stays readable, and within what a shell of 2006 takes


class Unwritable(Exception):
    """A value that the file's line syntax, or the parameter's type, has no way to say."""

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.remedy = what, why, remedy


def written(value: Any, kind: str, *, least: int | None = None) -> str:
    """The text that stands between the quotes. `kind` is a `Row.type`. Raises Unwritable."""
    match kind:
        case "yes_no":
            return _yes_no(value)
        case "integer":
            return _integer(value, least)
        case "list":
            return _list(value)
        case "hosts":
            return _hosts(value)
        case "text":
            return _quotable(_scalar(value, "a text"))
    return _any(value)


def parsed(text: str, kind: str) -> Value:
    """The plain data that `written` would write as `text`; the text itself where its type does not fit."""
    match kind:
        case "yes_no" if text in ("YES", "NO"):
            return text == "YES"
        case "integer" if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text):
            return int(text)
        case "list" | "hosts" if text == " ".join(text.split()):
            return text.split()
    return text


def _yes_no(value: Any) -> str:
    if value in ("YES", "NO"):
        return str(value)
    if isinstance(value, bool):
        return "YES" if value else "NO"
    remedy = "write true or false"
    if isinstance(value, str) and value.casefold() in ("yes", "on", "true", "y", "1"):
        remedy = "write true (or YES)"
    elif isinstance(value, str) and value.casefold() in ("no", "off", "false", "n", "0"):
        remedy = "write false (or NO)"
    raise Unwritable(
        f"{found(value)} stands where true or false is wanted",
        why="the file knows YES and NO in capitals only",
        remedy=remedy,
    )


def _integer(value: Any, least: int | None) -> str:
    if isinstance(value, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,17}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unwritable(
            f"{found(value)} stands where a whole number is wanted", remedy="write for example 20"
        )
    if abs(value) > _LARGEST:
        raise Unwritable(f"{found(value)} stands here", remedy="write a number below 2^63")
    if least is not None and value < least:
        raise Unwritable(f"{found(value)} is too small", remedy=f"write {least} or more")
    return str(value)


def _list(value: Any) -> str:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        raise Unwritable(f"{found(value)} stands where a list is wanted", remedy="write [ONE, TWO]")
    return " ".join(_member(w) for w in words)


def _member(word: Any) -> str:
    text = _quotable(_scalar(word, "a word of a list"))
    if not text or text.split() != [text] or "," in text:
        raise Unwritable(
            f"{found(word)} cannot be one word of a list",
            why="the file separates the words of a list by blanks (6.03.42: or commas)",
            remedy="write each word as an entry of its own",
        )
    return text


def _hosts(value: Any) -> str:
    text = _list(value)
    for name in text.split():
        if not _HOST.fullmatch(name):
            raise Unwritable(
                f"`{name:.60}` is not the name of a host",
                remedy="use letters, digits, `_`, `-` and `.`, or an IP address",
            )
    return text


def _any(value: Any) -> str:
    if isinstance(value, bool):
        return "YES" if value else "NO"
    if isinstance(value, list | tuple):
        return _list(value)
    return _quotable(_scalar(value, "a text, a number, true or false, or a list"))


def _scalar(value: Any, wanted: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return str(value)
    remedy = f'write it in quotes, as the file shall hold it: "{value}"' if isinstance(value, float) else ""
    raise Unwritable(
        f"{found(value)} stands where {wanted} is wanted", remedy=remedy or "write a text in quotes"
    )


def _quotable(text: str) -> str:
    if "'" in text:
        raise Unwritable(
            "the value holds a single quote",
            why="a line of the file is name='value', and the manuals show no way to write a quote inside",
            remedy="take the quote out",
        )
    if bad := unprintable(text):
        raise Unwritable(
            f"the value holds the character {bad}",
            why="a value is one line of printable characters",
            remedy="take it out",
        )
    if len(text) > _LONGEST:
        raise Unwritable(f"the value has {len(text)} characters", remedy=f"write {_LONGEST} at most")
    return text

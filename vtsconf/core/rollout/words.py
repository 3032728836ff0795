"""What the words of a strategy may hold, as pydantic types: shares, soak times, globs, expressions."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from vtsconf.core import duration
from vtsconf.core.fields import Listed, found, refusal, unprintable
from vtsconf.core.rollout.strategy import Share

LONGEST_SOAK = 30 * 86_400  # seconds
_NUMBER = r"[0-9]+(\.[0-9]+)?%?"
_SHARE_SCHEMA: dict[str, Any] = {"type": ["integer", "string"], "minimum": 0, "pattern": f"^{_NUMBER}$"}


@dataclass(frozen=True)
class Short:
    """It may also be written in a shorter form; this is that form's JSON schema."""

    form: dict[str, Any]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [self.form, handler(core)]}


def _soak(value: Any) -> int:
    try:
        return _soaked(_text(value, "a duration"))
    except ValueError as error:
        raise refusal(str(error), remedy="write 30s, 10m, 4h or 2d") from None


def _soaked(text: str) -> int:
    if text.isdecimal() and text != "0":
        raise ValueError(f"`{text[:40]}` has no unit")
    if (length := duration.seconds(text)) > LONGEST_SOAK:
        raise ValueError(f"`{text}` is longer than {duration.spelled(LONGEST_SOAK)}")
    return length


def _text(value: Any, wanted: str) -> str:
    """A number or a text, as it was written. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{found(value)} stands where {wanted} is wanted")  # noqa: TRY004 a sentence
    return str(value)


Soak = Annotated[
    int,
    BeforeValidator(_soak),
    WithJsonSchema(
        {
            "anyOf": [{"const": 0}, {"type": "string", "pattern": "[0-9] ?[smhdw]$"}],
            "examples": ["30s", "10m", "4h"],
        }
    ),
]


def _share(value: Any) -> Share:
    try:
        return Share.parse(_text(value, "a number of servers"))
    except ValueError as error:
        raise refusal(str(error), remedy="write for example 5 or 10%") from None


def _size(value: Any) -> Share:
    share = _share(value)
    if share != Share():
        return share
    raise refusal("a wave of no servers", why="it would never end", remedy="write for example 1 or 10%")


def _budget(value: Any) -> Share | None:
    return None if value == "unlimited" else _share(value)


def _sizes(value: Any) -> Any:
    """One size alone, and `1, 10%, 100%` as one text, are lists too."""
    if value == []:
        raise refusal("no waves", why="nothing would be changed", remedy="write for example [1, 10%, 100%]")
    if isinstance(value, str):
        return [size.strip() for size in value.split(",")]
    return [value] if isinstance(value, int) else value


def _first(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and value.strip() and not unprintable(value) and not value.endswith("%"):
        return value.strip()
    raise refusal(
        f"{found(value)} does not say which servers go first",
        why="a canary is a few servers that one knows",
        remedy="write a number, such as 1, or a host pattern, such as vts1",
    )


def _glob(value: Any) -> str:
    return _word(value, "a name or a glob", '"pair_*"')


def _word(value: Any, wanted: str, example: str) -> str:
    if isinstance(value, str) and value and not unprintable(value):
        return value
    raise refusal(f"{found(value)} stands where {wanted} is wanted", remedy=f"write for example {example}")


_CLASS = re.compile(r"\[:[a-z]+:\]")  # [:digit:], inside brackets
_ANY_LINES = ("~", "Z9")  # whatever fits both is no pattern of a message
_FOREIGN = re.compile(r"\(\?|\\[dD]")  # of Perl's and Python's expressions


def _ignored(value: Any) -> str:
    """It is meant for `grep -E`: a POSIX extended regular expression."""
    text = _word(value, "an expression", "['LOGROTATE']")
    if wrong := _not_extended(text):
        raise refusal(
            f"{text!r:.60} cannot be a pattern of lines: {wrong}",
            why="it is read as `grep -E` reads it, and what it fits does not count",
            remedy="write [0-9] for a digit, and a backslash before ( [ * + ? . to mean it",
        )
    return text


def _not_extended(text: str) -> str:
    """What in it is of another kind, broken, or too much; "" when it is good."""
    if foreign := _FOREIGN.search(text):
        return f"it holds a `{foreign[0]}`"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinions on brackets inside brackets
            pattern = re.compile(_CLASS.sub("a", text))
    except re.error as error:
        return str(error)
    return "it fits every line" if all(map(pattern.search, _ANY_LINES)) else ""


_WORD_SCHEMA = WithJsonSchema({"type": "string", "minLength": 1})
FIRST_SCHEMA: dict[str, Any] = {"type": ["integer", "string"], "minimum": 1, "pattern": "[^%]$"}

Size = Annotated[Share, BeforeValidator(_size), WithJsonSchema(_SHARE_SCHEMA)]
Sizes = Annotated[
    Listed[Size],
    BeforeValidator(_sizes),
    Short(_SHARE_SCHEMA | {"pattern": f"^{_NUMBER}(, ?{_NUMBER})*$"}),
]
Budget = Annotated[
    Share | None,
    BeforeValidator(_budget),
    WithJsonSchema(_SHARE_SCHEMA | {"pattern": f"^({_NUMBER}|unlimited)$"}),
]
First = Annotated[str, BeforeValidator(_first), WithJsonSchema(FIRST_SCHEMA)]
Glob = Annotated[str, BeforeValidator(_glob), _WORD_SCHEMA]
Ignored = Annotated[str, BeforeValidator(_ignored), _WORD_SCHEMA]

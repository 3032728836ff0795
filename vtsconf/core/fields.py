"""What a field of the document may hold: paths, words, names, modes, secrets, as pydantic types."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from vtsconf.core import duration, live
from vtsconf.core.secret import SecretRef

_OURS = live.PROVIDER
NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$"
MODE = r"^0[0-7]{3}$"
REFERENCE = r"^secret://[a-z][a-z0-9_]*/.+$"


_LARGEST = 2**63  # what programs on the server can be expected to read


def refusal(what: str, *, why: str = "", remedy: str = "") -> PydanticCustomError:
    """What a validator raises: the three sentences of a Problem."""
    return PydanticCustomError("refused", "{what}", {"what": what, "why": why, "remedy": remedy})


def found(value: Any) -> str:
    """A value in the words of a person: "the number 644", "a list"; long text is cut."""
    match value:
        case None | bool():
            return {None: "nothing (null)", True: "true", False: "false"}[value]
        case int() if abs(value) > _LARGEST:
            return "a very large number"
        case int() | float():
            return f"the number {value!r:.40}"
        case str():
            return f"the text {value!r:.60}"
    return "a map" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else "this"


def unprintable(text: str) -> str:
    """The first character that has no business in a name, a path or a command word; "" when there is none."""
    return next((repr(c) for c in text if not c.isprintable()), "")


class Settings(BaseModel):
    """The base of every map of the document: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=False,
        arbitrary_types_allowed=True,
        defer_build=True,  # built when first used: most documents use few of them
    )


def _text(value: Any, wanted: str, example: str) -> str:
    if not isinstance(value, str):
        raise refusal(
            f"{found(value)} stands where {wanted} is wanted", remedy=f"write for example {example}"
        )
    return value


def _path(value: Any) -> str:
    text = _text(value, "a path", "/etc/motd")
    if bad := unprintable(text):
        raise refusal(f"the path holds the character {bad}", remedy="write a path of printable characters")
    if not text.startswith("/") or text == "/":
        raise refusal(
            f"`{text:.80}` is not the absolute path of a file",
            why="a path on the server is read from its root, never from where a command happens to stand",
            remedy="write it from the root, for example /etc/motd",
        )
    if posixpath.normpath(text) != text or text.startswith("//"):
        raise refusal(
            f"`{text:.80}` is not in its simplest form",
            why="one file must have one name, or two resources could own it",
            remedy=f"write {posixpath.normpath('/' + text.lstrip('/')):.80}",
        )
    return text


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise refusal(
            f"the command is the text {value!r:.60}",
            why="no shell is ever used, so a text would have to be cut into words by guessing",
            remedy=f"write a list of words: {_as_words(value)}",
        )
    if not isinstance(value, list | tuple):
        raise refusal(
            f"{found(value)} stands where a command is wanted",
            remedy="write a list of words, for example [/sbin/service, ems, restart]",
        )
    return tuple(_word(w) for w in value) if value else _no_words()


def _no_words() -> tuple[str, ...]:
    raise refusal("the command has no words", remedy="write a list of words, or leave the key out")


def _as_words(text: str) -> str:
    words = [w for w in text.split() if w.isprintable()][:8]
    return f"[{', '.join(words)}]"


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise refusal(
            f"{found(value)} stands among the words of a command",
            why="a command is a list of texts, and YAML reads some bare words as something else",
            remedy="put the word into quotes",
        )
    if not value or "\0" in value:
        fault = "has a NUL character" if value else "is empty"
        raise refusal(f"a word of the command {fault}", remedy="take it out")
    return value


def _mode(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise refusal(
            f"the mode is {found(value)}",
            why="YAML reads 0644 without quotes as a number, and versions of YAML disagree which",
            remedy=f'write it in quotes: "{_likely_mode(value)}"',
        )
    text = _text(value, "a mode", '"0644"')
    if not re.fullmatch(MODE[1:-1], text):
        raise refusal(
            f"`{text:.20}` is not a mode",
            why="four octal digits are wanted, the first a 0: set-id and sticky bits are not ours to give",
            remedy='write for example "0644"',
        )
    return text


def _likely_mode(value: int) -> str:
    """What was meant: 420 is how YAML may hand on an octal 0644, and 644 a decimal one."""
    if 0o600 <= value <= 0o777:
        return f"0{value:o}"
    return f"0{value}" if re.fullmatch("[0-7]{3}", str(value)) else "0644"


def _reference(value: Any) -> SecretRef:
    if isinstance(value, SecretRef):
        return value
    reference = SecretRef.parse(value) if isinstance(value, str) else None
    if reference is not None and reference.provider == _OURS:
        raise refusal(
            f"`secret://{_OURS}/` is not for documents",
            why="it stands in plans, for a secret that is known to the server only",
            remedy="write secret://env/NAME, secret://file/PATH or secret://cmd/…",
        )
    if reference is None:
        raise refusal(
            "a secret is written out here",  # its value is not repeated
            why="the document is kept in version control, where a secret must never be",
            remedy="write where it is kept: secret://env/NAME, secret://file/PATH, secret://cmd/…",
        )
    return reference


def _name(value: Any) -> str:
    text = _text(value, "a name", "nightly")
    if not re.fullmatch(NAME[1:-1], text):
        raise refusal(
            f"`{text!r:.60}` cannot be a name",
            why="names stand in addresses, file names and reports",
            remedy="use letters, digits, `_`, `.` and `-` (not first), at most 63 of them",
        )
    return text


def _seconds(value: Any) -> int:
    return _amount(value, duration.seconds, "a duration", "30s, 10m, 4h or 7d")


def _wait(value: Any) -> int:
    try:
        return duration.wait(value)
    except ValueError as error:
        raise refusal(str(error), remedy="write 30s, 10m or 4h") from None


def _bytes(value: Any) -> int:
    return _amount(value, duration.octets, "a size", "10MB, 4GB or 2TB")


def _amount(value: Any, read: Callable[[str | int], int], wanted: str, example: str) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise refusal(f"{found(value)} stands where {wanted} is wanted", remedy=f"write {example}")
    try:
        return read(value)
    except ValueError as error:
        raise refusal(str(error), remedy=f"write {example}") from None


def _scalar(value: Any) -> str | int | bool:
    if not isinstance(value, str | int):
        raise refusal(
            f"{found(value)} stands where one value is wanted", remedy="write a text, a number, true or false"
        )
    return value


T = TypeVar("T")

Seconds = Annotated[
    int,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["30s", "10m", "4h", "7d"]}),
]
Wait = Annotated[
    int,
    BeforeValidator(_wait),
    WithJsonSchema({"type": "string", "pattern": "[smhd]$", "examples": ["30s", "10m", "4h"]}),
]
Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["10MB", "4GB", "2TB"]}),
]

Scalar = Annotated[str | int | bool, BeforeValidator(_scalar)]
Path = Annotated[
    str, BeforeValidator(_path), WithJsonSchema({"type": "string", "pattern": "^/.*[^/]$"}, mode="validation")
]
Argv = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema({"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}),
]
Mode = Annotated[str, BeforeValidator(_mode), WithJsonSchema({"type": "string", "pattern": MODE})]
Reference = Annotated[
    SecretRef,
    BeforeValidator(_reference),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": REFERENCE}),
]
Name = Annotated[str, BeforeValidator(_name), WithJsonSchema({"type": "string", "pattern": NAME})]
# A key with nothing behind it is an empty map, as in an Ansible inventory.
NothingIsEmpty = BeforeValidator(lambda value: {} if value is None else value)
Named = Annotated[dict[Name, T], NothingIsEmpty]
# YAML gives lists; a frozen model keeps tuples.
Listed = Annotated[tuple[T, ...], Field(strict=False)]

"""Words with placeholders, filled in without a shell and without a template language. Pure.

`{path}` the tape, `{paths}` all tapes, one word each, `{list}` a file with one path a line, `{token}` the copy's mark,
`{dir}` the run's own directory, `{job}` what was caught for `cancel`, `{option.X}` and `{setting.X}`. Other braces are text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vtsconf.bma.words import DIRECTORY
from vtsconf.core.errors import Refused

FIXED = ("path", "paths", "list", "token", "dir", "job")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+(?:\.[A-Za-z0-9_]+)?)\}")


def names(text: str) -> list[str]:
    """The placeholders in a word or text."""
    return _PLACEHOLDER.findall(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """One word or text. A word that did not begin like an option may not do so by what was filled in: Refused."""
    filled = _PLACEHOLDER.sub(lambda match: values[match[1]], text)
    if filled.startswith("-") and not text.startswith("-"):
        raise Refused(
            f"`{filled[:60]}` would be read as an option", remedy="choose a value that begins with no `-`"
        )
    return filled


def partly(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known so far filled in; other placeholders stay."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def words(template: Sequence[str], values: Mapping[str, str], paths: Sequence[str]) -> tuple[str, ...]:
    """A command's words; `{paths}` becomes one word for each."""
    made: list[str] = []
    for word in template:
        made += paths if word == "{paths}" else (fill(word, values),)
    return tuple(made)


def values_of(
    paths: Sequence[str], token: str, options: Mapping[str, str], settings: Mapping[str, str]
) -> dict[str, str]:
    """What each placeholder stands for."""
    fixed = {"token": token, "dir": DIRECTORY, "list": f"{DIRECTORY}/list"}
    fixed |= {"path": paths[0]} if len(paths) == 1 else {}
    fixed |= {f"option.{name}": value for name, value in options.items()}
    return fixed | {f"setting.{name}": value for name, value in settings.items()}

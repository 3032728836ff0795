"""Words with placeholders, filled in without a shell and without a template language. Pure.

`{path}` the tape, `{paths}` all tapes, one word each, `{list}` a file with one path a line, `{token}` the copy's mark,
`{dir}` the run's own directory, `{job}` what was caught for `cancel`, `{option.X}` and `{setting.X}`. Other braces are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from vtsconf.bma.words import DIRECTORY
from vtsconf.core.errors import Refused

FIXED = ("path", "paths", "list", "token", "dir", "job")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+(?:\.[A-Za-z0-9_]+)?)\}")
_SHELLS = {"sh", "bash", "dash", "ash", "ksh", "zsh", "csh", "tcsh", "su"}
_JOINS = {"ssh", "rsh", "eval"}


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


def read_again(template: Iterable[str]) -> str:
    """The first word with a placeholder that a shell would read once more; "" when there is none."""
    shell = script = joins = False
    for word in template:
        program = word.rpartition("/")[2]
        if names(word) and (script or joins):
            return word
        script = shell and re.fullmatch(r"-[a-z]*c", word) is not None
        shell = shell or program in _SHELLS
        joins = joins or program in _JOINS
    return ""

"""The settings of a project: flag > environment > vtsconf.toml beside the inventory > user file > default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vtsconf.core.duration import days, wait
from vtsconf.core.errors import Invalid
from vtsconf.core.problem import Place, Problem, suggestion
from vtsconf.engine.textfile import read_bytes

FILE = "vtsconf.toml"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting's value and where it was said: "--parallel", "VTSCONF_PARALLEL", a file, or "default"."""

    value: Any
    origin: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings; `origins` says for each by name where it was said. Times are in seconds."""

    store: str
    parallel: int
    color: str  # "auto", "always" or "never"
    confirm_within: int | None  # None: as `vts.confirm_within` of each host says
    connect_timeout: int
    command_timeout: int
    jobs: int
    jobs_per_host: int
    jobs_per_bma: int
    failures_in_a_row: int
    look_every: int
    keep_runs: int
    origins: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Known:
    """A setting that exists. `read` turns what was written into its value; ValueError with a sentence."""

    default: Any
    read: Callable[[Any], Any]
    remedy: str
    help: str


def _store(value: Any) -> str:
    """Does not repeat what was written: a URL may hold a password."""
    if not isinstance(value, str) or not value.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("is not a store that is known")
    return value


def _count(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 500:
        raise ValueError("must be a whole number from 1 to 500")
    return int(text)


def _color(value: Any) -> str:
    if value not in ("auto", "always", "never"):
        raise ValueError("must be auto, always or never")
    return str(value)


_TIME = "write 30s, 10m or 4h"
_KNOWN: dict[str, _Known] = {
    "store": _Known(
        default=None,
        read=_store,
        remedy="write sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE",
        help="the journal: sqlite:///PATH or postgresql://…",
    ),
    "parallel": _Known(
        default=50, read=_count, remedy="write a whole number from 1 to 500", help="servers at once"
    ),
    "color": _Known(
        default="auto", read=_color, remedy="write auto, always or never", help="auto, always or never"
    ),
    "confirm_within": _Known(
        default=None, read=wait, remedy=_TIME, help="how long a reverter waits, for all hosts"
    ),
    "connect_timeout": _Known(default=10, read=wait, remedy=_TIME, help="for a connection to a server"),
    "command_timeout": _Known(default=600, read=wait, remedy=_TIME, help="for one command on a server"),
    "jobs": _Known(
        default=100,
        read=_count,
        remedy="write a whole number from 1 to 500",
        help="migrations at once, in all",
    ),
    "jobs_per_host": _Known(
        default=4,
        read=_count,
        remedy="write a whole number from 1 to 500",
        help="migrations at once on a server",
    ),
    "jobs_per_bma": _Known(
        default=20,
        read=_count,
        remedy="write a whole number from 1 to 500",
        help="migrations at once by a BMA",
    ),
    "failures_in_a_row": _Known(
        default=5,
        read=_count,
        remedy="write a whole number from 1 to 500",
        help="of a BMA or a policy, before it is parked for a person to look at",
    ),
    "look_every": _Known(
        default=30,
        read=wait,
        remedy=_TIME,
        help="that a server keeps the question how its runs stand, while all of them go on",
    ),
    "keep_runs": _Known(
        default=7 * 86400,
        read=days,
        remedy="write 12h, 7d or 4w",
        help="that a server keeps what a job left there after its end: its output, and that it was begun",
    ),
}


def read_settings(
    root: Path, *, flags: Mapping[str, Any], environ: Mapping[str, str], home: Path
) -> tuple[Settings, dict[str, Setting]]:
    """The settings of the project in `root`, and each with its origin for `config show`.

    `flags` are those given on the command line (None: not given). Raises Invalid with every problem.
    """
    problems: list[Problem] = []
    defaults = {name: Setting(value=known.default, origin="default") for name, known in _KNOWN.items()}
    defaults["store"] = Setting(value=f"sqlite:///{root.absolute()}/.vtsconf/vtsconf.db", origin="default")
    layers = (
        defaults,
        _from_file(_user_file(environ, home), problems),
        _from_file(root / FILE, problems),
        _from_environment(environ, problems),
        _from_flags(flags, problems),
    )
    if problems:
        raise Invalid(problems)
    won: dict[str, Setting] = {}
    for layer in layers:
        won |= layer
    values = {name: setting.value for name, setting in won.items()}
    return Settings(**values, origins={name: setting.origin for name, setting in won.items()}), won


def helps() -> dict[str, str]:
    """What each setting is for."""
    return {name: known.help for name, known in _KNOWN.items()}


def is_time(name: str) -> bool:
    """Its value is a length of time, in seconds."""
    return _KNOWN[name].read in (wait, days)


def redacted(store: str) -> str:
    """A store's URL without the password in it: for everything that is shown."""
    hidden = re.sub(r"(://[^:@/]*:).*@", r"\1***@", store, flags=re.DOTALL)
    return re.sub(r"(?i)([?&](?:ssl)?password=)[^&]*", r"\1***", hidden)


def _user_file(environ: Mapping[str, str], home: Path) -> Path:
    base = environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else home / ".config") / "vtsconf" / "config.toml"


def _from_file(path: Path, problems: list[Problem]) -> dict[str, Setting]:
    if not path.exists():
        return {}
    data = read_bytes(path, str(path))
    if isinstance(data, Problem):
        problems.append(data)
        return {}
    try:
        text = data.decode()
        written = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problems.append(_unreadable(path, error))
        return {}
    return _checked(written, str(path), lambda name: _place(path, text, name), problems)


def _from_environment(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for name in _KNOWN:
        variable = f"VTSCONF_{name.upper()}"
        if environ.get(variable):
            found |= _checked({name: environ[variable]}, variable, _at(variable), problems)
    if "color" not in found and environ.get("NO_COLOR"):
        found["color"] = Setting(value="never", origin="NO_COLOR")
    return found


def _from_flags(flags: Mapping[str, Any], problems: list[Problem]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for name, value in flags.items():
        if value is not None:
            flag = "--" + name.replace("_", "-")
            found |= _checked({name: value}, flag, _at(flag), problems)
    return found


def _at(origin: str) -> Callable[[str], Place]:
    return lambda _name: Place(origin)


def _checked(
    written: Mapping[str, Any], origin: str, place: Callable[[str], Place], problems: list[Problem]
) -> dict[str, Setting]:
    found = {}
    for name, value in written.items():
        known = _KNOWN.get(name)
        if known is None:
            hint = suggestion(name, _KNOWN) or f"known are: {', '.join(_KNOWN)}"
            what = f"`{name}` is no setting"
            problems.append(Problem(what=what, remedy=hint, code="unknown-setting", place=place(name)))
            continue
        try:
            found[name] = Setting(value=known.read(value), origin=origin)
        except ValueError as error:
            what = f"`{name}`: {error}" if str(error).startswith("`") else f"`{name}` {error}"
            problems.append(Problem(what=what, remedy=known.remedy, code="setting", place=place(name)))
    return found


def _place(path: Path, text: str, name: str) -> Place:
    match = re.search(
        rf"^[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*[=.\]]|^\[{re.escape(name)}", text, re.MULTILINE
    )
    return Place(str(path), text.count("\n", 0, match.start()) + 1 if match else 1)


def _unreadable(path: Path, error: Exception) -> Problem:
    said = str(error)
    at = re.search(r"\(at line ([0-9]+), column ([0-9]+)\)", said)
    place = Place(str(path), int(at[1]), int(at[2])) if at else Place(str(path))
    return Problem(what=f"not TOML: {said.partition(' (at ')[0][:200]}", code="toml", place=place)

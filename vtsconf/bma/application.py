"""What every backup application (BMA) answers: its settings, the files it needs, how to ask it, what to warn of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from pydantic import BeforeValidator, WithJsonSchema

from vtsconf.core.fields import Listed, Mode, Name, Settings, found, refusal, unprintable
from vtsconf.core.printable import printable
from vtsconf.core.probe import Query, QuerySeen
from vtsconf.core.problem import Level, Problem
from vtsconf.core.secret import SecretRule


@dataclass(frozen=True, kw_only=True)
class ManagedFile:
    """A file of the client, made from a template; an owner or group of "" is left as it is."""

    path: str
    template: str  # "tsm/dsm.sys.j2"
    variables: Mapping[str, Any]
    owner: str = ""
    group: str = ""
    mode: str = "0644"
    validate: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    secrets: SecretRule = field(default_factory=SecretRule)


class Client(Settings):
    """What the settings of every client have: whose its files are, and which services must learn of them."""

    owner: Name | None = None  # None: as it is, or whoever we are on the server
    group: Name | None = None
    mode: Mode = "0644"
    restart: Listed[Name] = ()

    def file(self, path: str, template: str, variables: Mapping[str, Any]) -> ManagedFile:
        """A file of this client."""
        return ManagedFile(
            path=path,
            template=template,
            variables=variables,
            owner=self.owner or "",
            group=self.group or "",
            mode=self.mode,
            restart=self.restart,
        )


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing to ask a client.

    `pattern` must be found in its output or errors, and the exit code be 0 if `exit_counts`.
    """

    name: str  # "version" or "reachable"
    query: Query
    pattern: str = ""
    exit_counts: bool = True
    source: str = ""

    def answer(self, seen: QuerySeen | None) -> Answer:
        """What the client said, as a person wants to read it."""
        if seen is None or seen.exit is None:
            return Answer(ok=False, text="was not asked" if seen is None else "did not answer in time")
        if seen.exit == 127:
            return Answer(ok=False, text=f"{_program(self.query)!a} was not found")
        text = f"{seen.text}\n{seen.stderr.decode(errors='replace')}"
        match = re.search(self.pattern, text, re.MULTILINE)
        if match is None or (self.exit_counts and seen.exit != 0):
            said = printable(seen.text or seen.stderr, 120) or "nothing"
            return Answer(ok=False, text=f"exit {seen.exit}, said: {said}")
        words = [group for group in match.groups() if group] or [match[0] or "yes"]
        return Answer(ok=True, text=printable(".".join(words), 120))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a fact's question."""

    ok: bool
    text: str


class Application(Protocol):
    """A module of this room. Everything in it is pure."""

    NAME: str
    TITLE: str

    @property
    def Settings(self) -> type[Settings]: ...  # noqa: N802 the module's class

    def files(self, settings: Any) -> Sequence[ManagedFile]:
        """The files to manage, in order."""
        ...

    def facts(self, settings: Any) -> Sequence[Fact]:
        """How to ask for the version and whether the BMA's server can be reached; moves no data."""
        ...

    def lints(self, settings: Any, vaults: Collection[str]) -> Sequence[Problem]:
        """What is dangerous or without effect in these settings. `vaults` are the names that are known."""
        ...


def _program(query: Query) -> str:
    return next(word for word in query.argv if word != "env" and "=" not in word)


def plainly(*argv: str, **environment: str) -> tuple[str, ...]:
    """The command with messages in the language that our patterns know."""
    return ("env", "LC_ALL=C", *(f"{name}={value}" for name, value in environment.items()), *argv)


def _line(value: Any) -> str:
    if not isinstance(value, str):
        raise refusal(f"{found(value)} stands where one line of text is wanted", remedy="put it into quotes")
    if not value.strip() or (bad := unprintable(value.replace("\t", " "))):
        what = f"holds the character {bad}" if value.strip() else "is empty"
        raise refusal(f"the line {what}", why="one entry is one line of the file", remedy="take it out")
    return value


def _option(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
    return _line(value)


Line = Annotated[str, BeforeValidator(_line)]


# What a person may write for the value of an option: a text, a number, yes or no, or several of them.
_OPTION = {"type": ["string", "integer", "boolean"]}
_OPTIONS: dict[str, Any] = {"anyOf": [_OPTION, {"type": "array", "items": _OPTION}]}


def _options(value: Any) -> tuple[str, ...]:
    return tuple(_option(v) for v in value) if isinstance(value, list | tuple) else (_option(value),)


# One or several values of an option that may be repeated.
Options = Annotated[tuple[str, ...], BeforeValidator(_options), WithJsonSchema(_OPTIONS)]


def rows(options: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """Options as a template wants them: one row {name, value} a line."""
    return [{"name": name, "value": value} for name, values in options.items() for value in values]


def reaches_vault(pattern: str, vaults: Collection[str]) -> bool:
    """The include-exclude pattern may match a tape, /VAULTxx/pool/cartridge, as far as its fixed beginning tells."""
    pattern = pattern.strip().strip("\"'")
    fixed = re.split(r"[*?\[{]|\.\.\.", pattern, maxsplit=1)[0]
    if not re.sub(r"[*?/.]", "", pattern):
        return True  # nothing but wildcards
    if fixed == pattern or fixed in ("", "/"):
        return stands_in_vault(fixed, vaults)
    return stands_in_vault(fixed, vaults) or any(f"/{vault}/".startswith(fixed) for vault in vaults)


def stands_in_vault(path: str, vaults: Collection[str]) -> bool:
    """The path is a known vault, or what looks like one (/VAULTxx), or lies in it."""
    inside = any(f"{path.rstrip('/')}/".startswith(f"/{vault}/") for vault in vaults)
    return inside or re.match(r"/VAULT\d", path) is not None


def finding(
    what: str, *, why: str, remedy: str, code: str, source: str, level: Level = Level.WARNING
) -> Problem:
    """A lint's problem, in one line."""
    return Problem(what=what, why=why, remedy=remedy, code=code, source=source, level=level)

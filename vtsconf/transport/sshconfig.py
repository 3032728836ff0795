"""ssh_config: what `~/.ssh/config` says about a host, by OpenSSH's rule that the first value found wins.

Host, Match (all, host, originalhost, user, localuser), Include, and the tokens of ssh_config(5).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_LINE = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*)")
_DEPTH = 16  # as OpenSSH: Include may not go deeper
_MANY = ("identityfile",)  # these collect; of all others the first wins

Reader = Callable[[str], Sequence[tuple[str, str]]]
"""Takes an Include pattern and returns (path, text) of each file it names."""


@dataclass(frozen=True)
class Criterion:
    """`Host a !b` or one word of a `Match` line."""

    kind: str  # "host" (the Host keyword), or a Match word
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Directive:
    """One setting, the conditions it stands under, and where it is written."""

    keyword: str
    value: str
    conditions: tuple[tuple[Criterion, ...], ...]
    place: str


@dataclass(frozen=True)
class Options:
    """What the configuration says of one host: keywords in lower case, tokens not yet replaced."""

    single: Mapping[str, str] = field(default_factory=dict)
    identity_files: tuple[str, ...] = ()

    def get(self, keyword: str) -> str | None:
        """The value; "none" counts as not set."""
        value = self.single.get(keyword)
        return None if value is None or value.casefold() == "none" else value


class ConfigError(Exception):
    """An ssh_config that cannot be read; the text says where and why."""


@dataclass(frozen=True)
class SshConfig:
    """A parsed ssh_config. `warnings` tell which lines are not applied."""

    directives: tuple[Directive, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, path: str, read: Reader) -> SshConfig:
        """Raises ConfigError with file and line."""
        warnings: list[str] = []
        return cls(tuple(_directives(text, path, read, (), warnings, 0)), tuple(warnings))

    def lookup(self, alias: str, user: str | None, local_user: str) -> Options:
        """Options for the name a person would give to ssh; `user` is the one asked for, if any."""
        found: dict[str, str] = {"user": user} if user else {}
        files: list[str] = []
        for one in self.directives:
            if not all(_holds(c, alias, found, local_user) for group in one.conditions for c in group):
                continue
            if one.keyword in _MANY:
                files.append(one.value)
            else:
                found.setdefault(one.keyword, one.value)
        return Options(found, tuple(dict.fromkeys(files)))


def expand(text: str, tokens: Mapping[str, str]) -> str:
    """Replace `%h`-like tokens and a leading `~`; `tokens` has the letters, and "d" is the home directory."""
    if text == "~" or text.startswith("~/"):
        text = tokens["d"] + text[1:]
    return re.sub(r"%(.)", lambda m: "%" if m[1] == "%" else tokens.get(m[1], m[0]), text)


def _directives(  # noqa: PLR0917 a parser's state, passed down
    text: str,
    path: str,
    read: Reader,
    outer: tuple[tuple[Criterion, ...], ...],
    warnings: list[str],
    depth: int,
) -> Iterator[Directive]:
    if depth > _DEPTH:
        raise ConfigError(f"{path}: Include goes deeper than {_DEPTH} files")
    conditions = outer
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        place = f"{path}:{number}"
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{place}: this line is not `Keyword value`")
        keyword, value = match[1].lower(), match[2].strip()
        if keyword == "host":
            conditions = (*outer, (Criterion("host", tuple(_words(value, place))),))
        elif keyword == "match":
            conditions = (*outer, _criteria(_words(value, place), place, warnings))
        elif keyword == "include":
            for pattern in _words(value, place):
                for inner_path, inner in read(pattern):
                    yield from _directives(inner, inner_path, read, conditions, warnings, depth + 1)
        else:
            yield Directive(keyword, _value(keyword, value, place), conditions, place)


def _words(text: str, place: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None


def _value(keyword: str, text: str, place: str) -> str:
    """A command stays as it is written; anything else is one word, perhaps in quotes."""
    if keyword in {"proxycommand", "localcommand", "remotecommand", "knownhostscommand"}:
        return text
    return " ".join(_words(text, place))


def _criteria(words: Sequence[str], place: str, warnings: list[str]) -> tuple[Criterion, ...]:
    criteria = []
    rest = iter(words)
    for word in rest:
        kind = word.lower()
        if kind in {"all", "final", "canonical"}:
            criteria.append(Criterion(kind))
        elif kind in {"host", "originalhost", "user", "localuser"}:
            criteria.append(Criterion("match" + kind, tuple(next(rest, "").split(","))))
        else:
            next(rest, "")
            criteria.append(Criterion("never"))
            warnings.append(f"{place}: `Match {word}` is not understood here, so its block is not applied")
    return tuple(criteria)


def _holds(criterion: Criterion, alias: str, found: Mapping[str, str], local_user: str) -> bool:
    match criterion.kind:
        case "all" | "final":
            return True
        case "host" | "matchoriginalhost":
            return listed(alias, criterion.patterns)
        case "matchhost":
            return listed(found.get("hostname", alias).replace("%h", alias), criterion.patterns)
        case "matchuser":
            return listed(found.get("user", local_user), criterion.patterns)
        case "matchlocaluser":
            return listed(local_user, criterion.patterns)
        case _:
            return False


def listed(name: str, patterns: Iterable[str]) -> bool:
    """OpenSSH's pattern lists: `*` and `?`, and a `!pattern` that matches says no whatever else matches."""
    matched, name = False, name.lower()
    for pattern in patterns:
        plain = pattern.removeprefix("!").lower()
        # Most are plain names, and a fleet's known_hosts has one for every server.
        if plain == name or (("*" in plain or "?" in plain) and fnmatchcase(name, plain.replace("[", "[[]"))):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def include_pattern(pattern: str, home: str) -> str:
    """Where an Include points: relative names count from ~/.ssh, as in OpenSSH."""
    path = expand(pattern, {"d": home})
    return path if path.startswith("/") else str(PurePosixPath(home) / ".ssh" / path)

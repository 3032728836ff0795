"""IBM TSM, Spectrum Protect, Storage Protect: dsm.sys, dsm.opt and the include-exclude list of the client.

Sources are the keys of the project's notes on BMAs: ibm-optover (which file holds what), ibm-inclexcl,
ibm-pwaccess, ibm-api-opt, ibm-rc. What no source was found for is a setting.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from vtsconf.bma.application import (
    Client,
    Fact,
    Line,
    ManagedFile,
    Options,
    finding,
    plainly,
    reaches_vault,
    rows,
)
from vtsconf.bma.own import Judged
from vtsconf.core.fields import Listed, Named, Path, Reference, refusal
from vtsconf.core.probe import Query
from vtsconf.core.problem import Level, Problem

NAME = "tsm"
TITLE = "IBM Storage Protect (TSM)"

_DIRECTORY = "/opt/tivoli/tsm/client/ba/bin"  # the installation directory [ibm-optover]
_RULE = re.compile(r"(include|exclude)(\.[a-z]+)?\s+(\"[^\"]+\"|'[^']+'|\S+)(\s+\S+)*", re.IGNORECASE)

OptionName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{1,40}$")]


class Settings(Judged, Client):
    """The TSM client of one server. `servers` are the stanzas of dsm.sys; any option may stand in one."""

    servers: Named[dict[OptionName, Options]]
    options: dict[OptionName, Options] = Field(default_factory=dict)  # of dsm.opt
    include_exclude: Listed[Line] = ()
    password: Reference | None = None
    dsm_sys: Path = f"{_DIRECTORY}/dsm.sys"
    dsm_opt: Path = f"{_DIRECTORY}/dsm.opt"
    inclexcl: Path = f"{_DIRECTORY}/vts.inclexcl"  # our choice: each stanza names it
    dsmc: Path = f"{_DIRECTORY}/dsmc"

    @field_validator("servers")
    @classmethod
    def _has_a_server(
        cls, servers: dict[str, dict[str, tuple[str, ...]]]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        if not servers:
            raise refusal("no TSM server is named", remedy="add one: servers: {TSM1: {tcpserveraddress: …}}")
        for options in servers.values():
            _refuse(options, "SErvername", "the name of the stanza is its key", "take it out")
            _refuse_password(options)
        return servers

    @field_validator("options")
    @classmethod
    def _holds_no_password(cls, options: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        _refuse_password(options)
        return options

    @field_validator("include_exclude")
    @classmethod
    def _are_rules(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            if not line.startswith("*") and not _RULE.fullmatch(line.strip()):
                raise refusal(
                    f"`{line[:80]}` is not a rule of an include-exclude list",
                    remedy="write include[.archive] PATTERN [CLASS] or exclude[.archive|.dir|.fs] PATTERN",
                )
        return lines

    @field_validator("dsm_sys")
    @classmethod
    def _keeps_its_name(cls, path: str) -> str:
        if posixpath.basename(path) != "dsm.sys":
            raise refusal(
                f"{path} is not called dsm.sys",
                why="the client finds it by this name, in DSM_DIR or its installation directory",
                remedy="change the directory only",
            )
        return path

    @model_validator(mode="after")
    def _has_one_list(self) -> Settings:
        for options in self.servers.values():
            if self.include_exclude:
                _refuse(
                    options,
                    "INCLExcl",
                    "`include_exclude` gives the list, and `inclexcl` its path",
                    "take it out",
                )
        if len({self.dsm_sys, self.dsm_opt, self.inclexcl}) < 3:
            raise refusal(
                "two of dsm_sys, dsm_opt and inclexcl are the same file", remedy="give each its own path"
            )
        return self


def _is_option(word: str, full: str) -> bool:
    """The word is the option or an abbreviation of it: the capitals are the shortest one."""
    shortest = "".join(char for char in full if char.isupper())
    return word.casefold().startswith(shortest.casefold()) and full.casefold().startswith(word.casefold())


def _value(options: Mapping[str, tuple[str, ...]], full: str) -> str | None:
    return next((values[-1] for word, values in options.items() if _is_option(word, full) and values), None)


def _refuse(options: Mapping[str, tuple[str, ...]], full: str, why: str, remedy: str) -> None:
    for word in options:
        if _is_option(word, full):
            raise refusal(f"the option {word} does not stand here", why=why, remedy=remedy)


def _refuse_password(options: Mapping[str, tuple[str, ...]]) -> None:
    _refuse(
        options,
        "PASSword",
        "an option file is read by many and kept in version control; the client keeps its password encrypted itself",
        "take it out and use PASSWORDAccess generate; enter the password once on the server with `dsmc set password`",
    )


def files(settings: Settings) -> Sequence[ManagedFile]:
    """dsm.sys, dsm.opt, and the include-exclude list where there is one."""
    first = next(iter(settings.servers))
    options = (
        settings.options
        if _value(settings.options, "SErvername")
        else {"SErvername": (first,), **settings.options}
    )
    system = settings.file(settings.dsm_sys, "tsm/dsm.sys.j2", {"stanzas": _stanzas(settings)})
    user = settings.file(settings.dsm_opt, "tsm/dsm.opt.j2", {"options": rows(options)})
    if not settings.include_exclude:
        return system, user
    rules = {"rules": list(settings.include_exclude)}
    return settings.file(settings.inclexcl, "tsm/inclexcl.j2", rules), system, user


def _stanzas(settings: Settings) -> list[dict[str, object]]:
    """Each stanza needs its own include-exclude list [ibm-inclexcl]."""
    stanzas: list[dict[str, object]] = []
    for name, given in settings.servers.items():
        options = dict(given)
        if _value(options, "PASSWORDAccess") is None:
            options["PASSWORDAccess"] = ("generate",)
        if settings.include_exclude:
            options["INCLExcl"] = (settings.inclexcl,)
        stanzas.append({"name": name, "options": rows(options)})
    return stanzas


def facts(settings: Settings) -> Sequence[Fact]:
    """`dsmc query session` prints both its own version and the server's name, if it reaches it [S-sample]."""
    argv = plainly(
        settings.dsmc,
        "query",
        "session",
        f"-optfile={settings.dsm_opt}",
        DSM_DIR=posixpath.dirname(settings.dsm_sys),
    )
    query = Query("facts/tsm/session", argv, timeout=30)
    return (
        Fact(
            name="version",
            query=query,
            pattern=r"Client Version (\d+), Release (\d+), Level (\d+(?:\.\d+)?)",
            exit_counts=False,
            source="S-sample",
        ),
        Fact(
            name="reachable",
            query=query,
            pattern=r"Session established with server ([^\s:]+)",
            source="S-sample",
        ),
    )


def lints(settings: Settings, vaults: Collection[str]) -> Sequence[Problem]:
    return (
        *_password_lints(settings),
        *_stanza_lints(settings),
        *_exclude_lints(settings.include_exclude, vaults),
    )


def _password_lints(settings: Settings) -> Iterator[Problem]:
    access = {
        name: (_value(options, "PASSWORDAccess") or "generate").casefold()
        for name, options in settings.servers.items()
    }
    if len(set(access.values())) > 1:
        yield finding(
            f"PASSWORDAccess differs between the stanzas of dsm.sys: {', '.join(f'{n} {v}' for n, v in access.items())}",
            why="it should have the same value in every stanza",
            remedy="take it out of all of them: `generate` is written where none is given",
            code="TSM1",
            source="ibm-api-opt",
        )
    if any(value != "generate" for value in access.values()):
        yield finding(
            "PASSWORDAccess is not `generate`",
            why="dsmc would ask for the password, and nobody answers while tapes are migrated",
            remedy="set it to generate and enter the password once on the server",
            code="TSM2",
            source="ibm-pwaccess",
        )
    if settings.password:
        yield finding(
            "vts.bma.tsm.password is not written to the server",
            why="with PASSWORDAccess generate the client keeps it encrypted, and no option file may hold it",
            remedy="run `dsmc set password` once on the server; it asks for it",
            code="TSM3",
            source="ibm-setpw",
            level=Level.NOTE,
        )


def _stanza_lints(settings: Settings) -> Iterator[Problem]:
    for name, options in settings.servers.items():
        if _value(options, "TCPServeraddress") is None:
            yield finding(
                f"the stanza {name} has no TCPServeraddress",
                why="the client does not know where this TSM server is",
                remedy="add `tcpserveraddress: HOST`",
                code="TSM4",
                source="general knowledge",
            )
    chosen = _value(settings.options, "SErvername")
    if chosen and chosen not in settings.servers:
        yield finding(
            f"dsm.opt picks the server {chosen}, which no stanza of dsm.sys has",
            why="dsmc ends with ANS1217E: server name unknown",
            remedy=f"write one of: {', '.join(settings.servers)}",
            code="TSM5",
            source="S-ans",
            level=Level.ERROR,
        )


def _exclude_lints(lines: Sequence[str], vaults: Collection[str]) -> Iterator[Problem]:
    for line in lines:
        match = _RULE.fullmatch(line.strip())
        if match is None:
            continue
        if (
            match[1].lower() == "exclude"
            and (match[2] or "").lower() != ".backup"
            and reaches_vault(match[3], vaults)
        ):
            yield finding(
                f"the rule `{line.strip()}` may leave out tapes of a vault",
                why="dsmc then ends with code 4 and the tape is not archived",
                remedy="narrow the pattern, or take the rule out; `dsmc query inclexcl` shows the order in force",
                code="TSM6",
                source="ibm-rc",
            )
        if match[1].lower() == "include" and match[4] is None and reaches_vault(match[3], vaults):
            yield finding(
                f"the rule `{line.strip()}` names no management class",
                why="the default class decides how long the copy is kept",
                remedy="add the class behind the pattern, or name it in the policy's options",
                code="TSM7",
                source="ibm-archmc",
                level=Level.NOTE,
            )

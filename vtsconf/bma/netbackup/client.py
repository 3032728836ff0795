"""Veritas (Cohesity) NetBackup: bp.conf and the include and exclude lists of the client.

Sources: nb-excl (which list is used), nb-exclsyn (their syntax), nb-exclhelp (what they do not apply to). That the
first SERVER is the master, and the names of further bp.conf entries, are general knowledge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field, field_validator

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
from vtsconf.core import fields
from vtsconf.core.fields import Listed, Path, refusal
from vtsconf.core.probe import Query
from vtsconf.core.problem import Level, Problem

NAME = "netbackup"
TITLE = "Veritas NetBackup"

EntryName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,60}$")]
# A name of a policy or schedule becomes the end of a file name.
PolicyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-][A-Za-z0-9_+-]{0,250}$")]


class Lists(fields.Settings):
    """The include and exclude list of one schedule; no list is no file."""

    exclude: Listed[Line] = ()
    include: Listed[Line] = ()

    @field_validator("exclude", "include")
    @classmethod
    def _are_patterns(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            if line.startswith("#"):
                raise refusal(
                    f"`{line[:80]}` is a comment", why="it would match nothing", remedy="take it out"
                )
        return lines


class PolicyLists(Lists):
    """The lists of one policy, and those of its schedules."""

    schedules: dict[PolicyName, Lists] = Field(default_factory=dict)


class Settings(Judged, Lists, Client):
    """The NetBackup client of one server. The lists here count for every policy that has none of its own."""

    servers: Listed[Line]
    client_name: Line | None = None
    options: dict[EntryName, Options] = Field(default_factory=dict)  # further entries of bp.conf
    policies: dict[PolicyName, PolicyLists] = Field(default_factory=dict)
    directory: Path = "/usr/openv/netbackup"
    log_directory: Path | None = (
        None  # of progress logs; newer masters allow logs/user_ops only (general knowledge)
    )
    comments: bool = False  # whether bp.conf may hold a comment is not documented

    @field_validator("servers")
    @classmethod
    def _has_a_server(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        if not servers:
            raise refusal(
                "no NetBackup server is named", remedy="add the master server first: servers: [HOST]"
            )
        return servers

    @field_validator("options")
    @classmethod
    def _leaves_ours(cls, options: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, key in (("SERVER", "servers"), ("CLIENT_NAME", "client_name")):
            if name in options:
                raise refusal(f"{name} does not stand here", remedy=f"write it as `{key}`")
        return options


def files(settings: Settings) -> Sequence[ManagedFile]:
    """bp.conf, then every list that is not empty."""
    client = {"CLIENT_NAME": (settings.client_name,)} if settings.client_name else {}
    entries = rows({"SERVER": settings.servers, **client, **settings.options})
    conf = {"entries": entries, "comments": settings.comments}
    lists = (
        settings.file(f"{settings.directory}/{name}", "netbackup/list.j2", {"patterns": list(patterns)})
        for name, patterns in _lists(settings).items()
    )
    return settings.file(f"{settings.directory}/bp.conf", "netbackup/bp.conf.j2", conf), *lists


def _lists(settings: Settings) -> Mapping[str, Sequence[str]]:
    """File name and patterns: exclude_list, exclude_list.POLICY, exclude_list.POLICY.SCHEDULE [nb-excl]."""
    scopes: dict[str, Lists] = {"": settings}
    for policy, of_policy in settings.policies.items():
        scopes[f".{policy}"] = of_policy
        for schedule, lists in of_policy.schedules.items():
            scopes[f".{policy}.{schedule}"] = lists
    found = {f"exclude_list{end}": lists.exclude for end, lists in scopes.items()}
    found |= {f"include_list{end}": lists.include for end, lists in scopes.items()}
    return {name: patterns for name, patterns in found.items() if patterns}


def facts(settings: Settings) -> Sequence[Fact]:
    """Only the line with an address and a port proves that the master answered [S-pn]."""
    version = Query("facts/netbackup/version", ("cat", f"{settings.directory}/bin/version"))
    contact = Query(
        "facts/netbackup/contact", plainly(f"{settings.directory}/bin/bpclntcmd", "-pn"), timeout=30
    )
    return (
        Fact(name="version", query=version, pattern=r"^(?:NetBackup\S*\s+)?(.*\d.*)$", source="bma-facts 4"),
        Fact(
            name="reachable",
            query=contact,
            pattern=r"^\S+ \S+ \d+(?:\.\d+){3} \d+$",
            exit_counts=False,
            source="S-pn",
        ),
    )


def lints(settings: Settings, vaults: Collection[str]) -> Sequence[Problem]:
    return tuple(
        problem
        for name, patterns in _lists(settings).items()
        for pattern in patterns
        for problem in _pattern_lints(name, pattern, vaults)
    )


def _pattern_lints(name: str, pattern: str, vaults: Collection[str]) -> Iterator[Problem]:
    if pattern != pattern.strip():
        yield finding(
            f"the entry {pattern!r} of {name} begins or ends with a blank",
            why="blanks count, also at the end, so that it matches only names that have them",
            remedy="take the blank out",
            code="NBU1",
            source="nb-exclsyn",
        )
    if name.startswith("exclude_list") and reaches_vault(pattern, vaults):
        yield finding(
            f"the entry `{pattern}` of {name} may leave out tapes of a vault",
            why="scheduled backups of the vault skip them; migrations (user backups) are not affected",
            remedy="nothing, if only migrations save this vault",
            code="NBU2",
            source="nb-exclhelp",
            level=Level.NOTE,
        )

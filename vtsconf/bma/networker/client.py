"""Dell EMC NetWorker (Legato): the servers file and `.nsr` directives of the client.

Sources: sol-dirs (directives), sol-nsrarchive (a `.nsr` file in every directory on the way is read). That comments begin
with `#`, and what the servers file means, are general knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator

from vtsconf.bma.application import (
    Client,
    Fact,
    Line,
    ManagedFile,
    finding,
    plainly,
    reaches_vault,
    stands_in_vault,
)
from vtsconf.bma.own import Judged
from vtsconf.core.fields import Listed, Path, refusal
from vtsconf.core.probe import Query
from vtsconf.core.problem import Problem

NAME = "networker"
TITLE = "Dell NetWorker"

_DIRECTIVE = re.compile(
    r"<<\s*(?P<dir>\"[^\"]+\"|\S+)\s*>>|(?P<asm>\+?[a-z][a-z0-9_]*):(?P<pattern>.*)|(save|ignore|forget|allow)"
)
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$")]
_LEAVES_OUT = ("skip", "null", "nullasm")


class Settings(Judged, Client):
    """The NetWorker client of one server. `directives` are the `.nsr` files, by the directory they stand in."""

    servers: Listed[Line]
    client: Host | None = (
        None  # the name under which the server knows this client; None: as it finds out itself
    )
    directives: dict[Path | Literal["/"], Listed[Line]] = Field(default_factory=dict)
    servers_file: Path = "/nsr/res/servers"
    comments: bool = True  # a `.nsr` file may begin with a `#` comment
    directory: Path = "/usr/sbin"  # of save, recover and their kin
    # Whether the file index must name the tape (nsrinfo; its user must be on the server's Administrator list), or the save set
    # under the mark is enough: that holds what `save` was told to save, and shows no path.
    witness: Literal["index", "save_set"] = "index"

    @field_validator("servers")
    @classmethod
    def _are_hosts(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        if not servers:
            raise refusal("no NetWorker server is named", remedy="add one: servers: [HOST]")
        for server in servers:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", server):
                raise refusal(f"`{server[:80]}` is not the name of a host", remedy="write one name an entry")
        return servers

    @field_validator("directives")
    @classmethod
    def _are_directives(cls, directives: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for line in (line for lines in directives.values() for line in lines):
            if not line.startswith("#") and not _DIRECTIVE.fullmatch(line.strip()):
                raise refusal(
                    f"`{line[:80]}` is not a directive",
                    remedy='write `<< DIRECTORY >>` or `[+]ASM: PATTERN …`, for example "+skip: core"',
                )
        return directives


def files(settings: Settings) -> Sequence[ManagedFile]:
    """The servers file, then the `.nsr` files."""
    servers = settings.file(
        settings.servers_file, "networker/servers.j2", {"servers": list(settings.servers)}
    )
    directives = (
        settings.file(
            f"{directory.rstrip('/')}/.nsr",
            "networker/nsr.j2",
            {"directives": list(lines), "comments": settings.comments},
        )
        for directory, lines in settings.directives.items()
    )
    return servers, *directives


def facts(settings: Settings) -> Sequence[Fact]:
    """Both are general knowledge; `savefs -p` asks the server what it would save, and moves nothing."""
    version = Query("facts/networker/version", plainly(f"{settings.directory}/save", "-V"))
    contact = Query(
        "facts/networker/contact",
        plainly(f"{settings.directory}/savefs", "-p", "-s", settings.servers[0]),
        timeout=60,
    )
    return (
        Fact(
            name="version",
            query=version,
            pattern=r"(\d+(?:\.\d+)+\S*)",
            exit_counts=False,
            source="general knowledge",
        ),
        Fact(name="reachable", query=contact, source="general knowledge"),
    )


def lints(settings: Settings, vaults: Collection[str]) -> Sequence[Problem]:
    return tuple(
        problem
        for directory, lines in settings.directives.items()
        for problem in (*_place_lints(directory, vaults), *_line_lints(directory, lines, vaults))
    )


def _place_lints(directory: str, vaults: Collection[str]) -> Iterator[Problem]:
    if stands_in_vault(directory, vaults):
        yield finding(
            f"{directory}/.nsr would stand in a vault",
            why="a vault holds nothing but pools of virtual tapes",
            remedy="put the directive into a directory above, with `<< DIRECTORY >>` before it",
            code="NSR1",
            source="8.4 Config p.2",
        )


def _line_lints(directory: str, lines: Sequence[str], vaults: Collection[str]) -> Iterator[Problem]:
    scope = directory
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            continue
        scope = (match["dir"] or scope).strip('"')
        if (
            match["asm"]
            and match["asm"].lstrip("+") in _LEAVES_OUT
            and _may_cover_vault(scope, match["asm"], vaults)
        ):
            yield _leaves_out(directory, line.strip(), nothing_indexed=match["asm"].lstrip("+") == "skip")


def _may_cover_vault(scope: str, asm: str, vaults: Collection[str]) -> bool:
    """In the vault, or (with `+`) in a directory above it."""
    return stands_in_vault(scope, vaults) or (
        asm.startswith("+") and reaches_vault(scope.rstrip("/") + "/*", vaults)
    )


def _leaves_out(directory: str, line: str, *, nothing_indexed: bool) -> Problem:
    why = (
        "the tapes are skipped"
        if nothing_indexed
        else "the tapes' data is left out but they are in the index all the same"
    )
    return finding(
        f"the directive `{line}` in {directory}/.nsr may leave out tapes of a vault",
        why=why,
        remedy="narrow the pattern; migrations are run with -i, which ignores directives, scheduled saves are not",
        code="NSR2",
        source="sol-dirs",
    )

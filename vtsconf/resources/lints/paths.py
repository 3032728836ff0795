"""Checks of the paths that a document has us write to: none in a vault, none owned twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vtsconf.core.problem import Level
from vtsconf.core.tree import Path
from vtsconf.resources.desired import Vts
from vtsconf.resources.lints.subject import Finding, Lint, Subject


def in_vault(path: str) -> bool:
    """The path is a vault, or in one: /VAULTxx [6.02 Inst p.50-51; 8.2 Config p.77]."""
    return re.match(r"/VAULT[A-Za-z0-9_]*(/|$)", path) is not None


def written_paths(vts: Vts) -> Iterator[tuple[str, Path]]:
    """Every path that the document has us write to, with the way to it in the document."""
    if vts.config_file:
        yield vts.config_file, ("vts", "config_file")
    yield vts.state_dir, ("vts", "state_dir")
    for file in vts.files:
        yield file, ("vts", "files", file)
    if not vts.bma:
        return
    from vtsconf import bma  # costs time, so only where there is one

    for name, settings in vts.bma.items():
        for managed in bma.ALL[name].files(settings):
            yield managed.path, ("vts", "bma", name)


def _owned_twice(subject: Subject) -> Iterator[Finding]:
    owners: dict[str, Path] = {}
    for path, way in written_paths(subject.vts):
        earlier = owners.setdefault(path, way)
        if earlier != way:
            yield Finding(
                what=f"{path} is written by {_dotted(earlier)} and by {_dotted(way)}",
                why="one would undo the other; in the configuration file only lines are owned, never the file",
                remedy="keep one; parameters go under ems, hsm, cleanup or parameters",
                path=way,
            )
        elif way[1] != "state_dir" and path.startswith(subject.vts.state_dir + "/"):
            yield Finding(
                what=f"{path} is inside vts.state_dir",
                why="that directory holds the lock and the old bytes of changes; it is not for other files",
                remedy="put it elsewhere",
                path=way,
            )


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _in_vaults(subject: Subject) -> Iterator[Finding]:
    for path, way in written_paths(subject.vts):
        if in_vault(path):
            yield Finding(
                what=f"{path} is in a vault",
                why="vaults may hold only pools; VTS may take the file for a tape",
                remedy="put it elsewhere, on the root partition for example",
                path=way,
            )
    for tape in subject.tapes or ():
        if len(tape.strip("/").split("/")) != 3:
            yield Finding(
                what=f"{tape} is in a vault and is no tape of a pool",
                why="vaults may hold only pools, and pools only tapes",
                remedy="move it elsewhere",
            )


def _names_twice(subject: Subject) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for tape in subject.tapes or ():
        earlier = seen.setdefault(tape.rpartition("/")[2], tape)
        if earlier != tape:
            yield Finding(
                what=f"two tapes have the same name: {earlier} and {tape}",
                why="names are unique over all vaults and pools; AutoCopy and VTSPolicy rely on it",
                remedy="rename or delete one of the two on the server",
            )


LINTS = (
    Lint(
        code="C12",
        title="the same cartridge name is in two pools",
        level=Level.ERROR,
        source="8.2 SIG p.21",
        check=_names_twice,
    ),
    Lint(
        code="C21",
        title="a file other than a tape in a pool is in a vault",
        level=Level.WARNING,
        source="8.4 Config p.2",
        check=_in_vaults,
    ),
    Lint(
        code="owned-twice",
        title="one file is written by two parts of the document",
        level=Level.ERROR,
        source="the document",
        check=_owned_twice,
    ),
)

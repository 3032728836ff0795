"""Checks of the paths that a document has us write to: none in a vault, none among our own files there."""

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
        for managed in bma.application_of(name, settings).files(settings):
            yield managed.path, ("vts", "bma", name)


def _in_state_dir(subject: Subject) -> Iterator[Finding]:
    ours = subject.vts.state_dir
    for path, way in written_paths(subject.vts):
        if way[1] != "state_dir" and f"{path}/".startswith(f"{ours}/"):
            yield Finding(
                what=f"{path} is {'inside ' if path != ours else ''}vts.state_dir",
                why="that directory holds the lock and the old bytes of changes; it is not for other files",
                remedy="put it elsewhere",
                path=way,
            )


def _in_vaults(subject: Subject) -> Iterator[Finding]:
    for path, way in written_paths(subject.vts):
        if in_vault(path):
            yield Finding(
                what=f"{path} is in a vault",
                why="vaults may hold only pools; VTS may take the file for a tape",
                remedy="put it elsewhere, on the root partition for example",
                path=way,
            )


LINTS = (
    Lint(
        code="C21",
        title="the document would write a file other than a tape into a vault",
        level=Level.WARNING,
        source="8.4 Config p.2",
        check=_in_vaults,
    ),
    Lint(
        code="state-dir",
        title="a file is inside `vts.state_dir`",
        level=Level.ERROR,
        source="the document",
        check=_in_state_dir,
    ),
)

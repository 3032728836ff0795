"""Backup applications that a site defines itself, one YAML file `bmas/NAME.yaml` each: read, checked, and then used like others."""

from __future__ import annotations

import posixpath
import re

from vtsconf.bma import NAMES
from vtsconf.bma.site.adapter import SiteBma
from vtsconf.bma.site.written import Written
from vtsconf.core.document import read_document
from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Map, Path, place_of, plain
from vtsconf.core.validation import validated

__all__ = ["SiteBma", "read"]


def read(text: bytes | str, file: str) -> tuple[SiteBma | None, list[Problem]]:
    """The backup application of a file's text, or every problem with it. Its name is that of the file."""
    name = posixpath.splitext(posixpath.basename(file))[0]
    if problem := _misnamed(name, file):
        return None, [problem]
    root, problems = read_document(text, file)
    if problems:
        return None, problems
    if not isinstance(root, Map):
        remedy = "write archive:, restore: and locate:"
        place = root.place if root else Place(file)
        return None, [Problem(what="a backup application is a map", remedy=remedy, code="bma", place=place)]

    def locate(path: Path, *, key: bool = False) -> Place:
        return place_of(root, path[1:], key=key)  # the path begins with the name

    written, problems = validated(Written, plain(root), path=(name,), locate=locate)
    return (SiteBma(NAME=name, written=written) if written else None), problems


def _misnamed(name: str, file: str) -> Problem | None:
    if name in NAMES:
        return Problem(
            what=f"`{name}` is built in", remedy="give the file another name", code="bma", place=Place(file)
        )
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,40}", name):
        remedy = "begin with a small letter; then letters, digits, `_` and `-`"
        return Problem(
            what=f"`{name:.60}` cannot be the name of a backup application",
            remedy=remedy,
            code="bma",
            place=Place(file),
        )
    return None

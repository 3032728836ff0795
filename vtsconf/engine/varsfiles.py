"""group_vars and host_vars: for each name one file, or a folder of files, in YAML or JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vtsconf.core.document import read_document, read_json
from vtsconf.core.problem import Level, Place, Problem, suggestion
from vtsconf.core.tree import Leaf, Map, merge_all
from vtsconf.engine.textfile import read_bytes

_SUFFIXES = ("", ".yaml", ".yml", ".json")
_MAX_DEPTH = 5  # of folders in folders; a link to a parent would go on for ever


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The variables of each name, and all that is wrong with the files."""

    variables: Mapping[str, Map]
    problems: tuple[Problem, ...]


def read_folder(root: Path, kind: str, names: Collection[str], others: Collection[str]) -> Folder:
    """Read `root/kind`, where kind is group_vars or host_vars.

    A file whose name is none of `names` is a warning; `others` are the names it may have been meant for.
    """
    variables: dict[str, Map] = {}
    origins: dict[str, Path] = {}
    problems: list[Problem] = []
    for path in _entries(root / kind, problems):
        name = (
            path.name
            if path.is_dir()
            else path.name.removesuffix(path.suffix if path.suffix in _SUFFIXES else "")
        )
        if path.name in names:
            name = path.name  # a host called `a.yaml` or `vts1.json`
        if name in origins:
            problems.append(_twice(path, name, origins[name]))
            continue
        if name not in names:
            problems.append(_unused(path, kind, name, names, others))
        origins[name] = path
        layers = list(_layers(path, problems, _MAX_DEPTH))
        variables[name] = merge_all(layers, Place(str(path)))
    return Folder(variables=variables, problems=tuple(problems))


def read_variables(path: Path) -> tuple[Map | None, list[Problem]]:
    """One file of variables; None for an empty or unreadable one."""
    data = read_bytes(path, str(path))
    if isinstance(data, Problem):
        return None, [data]
    read = read_json if path.suffix == ".json" else read_document
    tree, problems = read(data, str(path))
    if tree is None or (isinstance(tree, Leaf) and tree.value is None):
        return None, problems
    if isinstance(tree, Map):
        return tree, problems
    what = "a file of variables is a map"
    return None, [*problems, Problem(what=what, remedy="write `name: value`", code="vars", place=tree.place)]


def _entries(folder: Path, problems: list[Problem]) -> list[Path]:
    """What is in a folder and may hold variables, sorted; nothing when there is no folder."""
    if not folder.exists() and not folder.is_symlink():
        return []
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        why = (error.strerror or "").lower()
        problems.append(
            Problem(what=f"`{folder}` cannot be read", why=why, code="file", place=Place(str(folder)))
        )
        return []
    return [
        p for p in found if p.suffix in _SUFFIXES and not p.name.startswith(".") and not p.name.endswith("~")
    ]


def _layers(path: Path, problems: list[Problem], depth: int) -> Iterator[Map]:
    """The maps of a file, or of a folder's files in the order of their names."""
    if path.is_dir():
        if depth == 0:
            why = "folders are nested too deep, or a link leads back to one of its parents"
            problems.append(
                Problem(what=f"`{path}` is not read", why=why, code="file", place=Place(str(path)))
            )
            return
        for below in _entries(path, problems):
            yield from _layers(below, problems, depth - 1)
        return
    tree, wrong = read_variables(path)
    problems += wrong
    if tree is not None:
        yield tree


def _twice(path: Path, name: str, first: Path) -> Problem:
    return Problem(
        what=f"the variables of `{name}` stand in two places",
        why=f"`{first}` is there as well, and one of them would be lost",
        remedy="make it one file, or one folder with both in it",
        code="vars",
        place=Place(str(path)),
    )


def _unused(path: Path, kind: str, name: str, names: Collection[str], others: Collection[str]) -> Problem:
    what = "group" if kind == "group_vars" else "host"
    other = "host" if what == "group" else "group"
    hint = f"`{name}` is a {other}: move it to {other}_vars" if name in others else suggestion(name, names)
    return Problem(
        what=f"there is no {what} `{name}`, so this file is not used",
        remedy=hint or "rename it, or remove it",
        level=Level.WARNING,
        code="unused-file",
        place=Place(str(path)),
    )

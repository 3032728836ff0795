"""What travels with the program: the parameter tables, the built-in strategies and templates."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _root() -> Path:
    """`vtsconf/_share` in an installed wheel; the top of the checkout where one works on it."""
    package = Path(__file__).resolve().parent.parent
    shared = package / "_share"
    return shared if shared.is_dir() else package.parent


@cache
def parameter_tables() -> dict[str, str]:
    """The shipped tables' texts by file name."""
    folder = _root() / "schemas" / "parameters"
    return {f"parameters/{path.name}": path.read_text("utf-8") for path in sorted(folder.glob("*.yaml"))}


@cache
def strategies() -> dict[str, str]:
    """The texts of the built-in strategies of a rollout, by their names."""
    folder = _root() / "schemas" / "rollouts"
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.yaml"))}


def template(name: str) -> str | None:
    """A built-in template's text, by its name such as `tsm/dsm.sys.j2`; None when there is none."""
    folder = _root() / "templates"
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return None
    return path.read_text("utf-8")

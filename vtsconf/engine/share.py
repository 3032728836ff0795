"""Finds the tables, schemas and templates that travel with the package, in a wheel or in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _root() -> Path:
    package = Path(__file__).parent.parent
    installed = package / "_share"
    return installed if installed.is_dir() else package.parent


def read_text(name: str) -> str:
    """The text of "schemas/…" or "templates/…". Raises FileNotFoundError."""
    return (_root() / name).read_text(encoding="utf-8")


@cache
def template(name: str) -> str | None:
    """A built-in template's text, None when there is none of that name. Names never leave `templates/`."""
    parts = Path(name).parts
    if not parts or ".." in parts or Path(name).is_absolute():
        return None
    path = _root() / "templates" / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


@cache
def tables() -> dict[str, str]:
    """The shipped parameter tables: file name without folder and ending → text."""
    folder = _root() / "schemas" / "parameters"
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}

"""The project that `vtsconf init` writes: small, commented, valid, and never over a file that is there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from vtsconf.core.errors import Usage

# What stands for a file of ours when somebody has it under another usual name.
STANDS_FOR = {
    "inventory.yaml": ("inventory.yml", "inventory.json", "hosts.yaml", "hosts.yml"),
    "group_vars/all.yaml": ("group_vars/all.yml", "group_vars/all"),
}


def create(folder: Path) -> Iterator[tuple[str, bool]]:
    """Write the project; yields each file's name and whether it was written (False: there was one, it is kept).

    Raises Usage when `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise Usage(f"{folder} is not a folder")
    with resources.as_file(resources.files("vtsconf.engine.starter") / "files") as files:
        for source in sorted(p for p in files.rglob("*") if p.is_file()):
            name = str(source.relative_to(files)).replace("gitignore", ".gitignore")
            yield name, _write_new(folder, name, source.read_text())


def _write_new(folder: Path, name: str, text: str) -> bool:
    if any((folder / other).exists() for other in STANDS_FOR.get(name, ())):
        return False
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("x") as file:  # also refuses a link that leads nowhere
            file.write(text)
    except FileExistsError:
        return False
    return True

"""Where an inventory comes from: a YAML file, a JSON file, or a program that prints `ansible-inventory --list`."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from vtsconf.core.document import MAX_BYTES, read_document, read_json
from vtsconf.core.inventory import Inventory, read_inventory, read_listing
from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Map, Node, Seq
from vtsconf.engine.textfile import read_bytes

PROGRAM_TIMEOUT = 60  # seconds
_PROGRAM = (b"#!", b"\x7fELF")
_INI = re.compile(rb"\A(?:\s*[#;][^\n]*\n|\s*\n)*\s*\[[\w:.-]+\][ \t]*(?:\n|\Z)")


def read_source(path: Path, shown: str) -> tuple[Inventory, list[Problem]]:
    """The inventory of a file. It is run only when it is executable and begins like a program."""
    data = read_bytes(path, shown)
    if isinstance(data, Problem):
        return Inventory(), [data]
    if data.startswith(_PROGRAM) and os.access(path, os.X_OK):
        printed, problems = _run(path, shown)
        return (Inventory(), problems) if printed is None else _from_json(printed, f"{shown} (its output)")
    if _INI.match(data):
        return Inventory(), [_ini(shown)]
    if path.suffix == ".json":
        return _from_json(data, shown)
    tree, problems = read_document(data, shown)
    if tree is None and problems:
        return Inventory(), problems
    inventory, wrong = read_listing(tree, shown) if _is_listing(tree) else read_inventory(tree, shown)
    return inventory, problems + wrong


def _from_json(data: bytes, shown: str) -> tuple[Inventory, list[Problem]]:
    tree, problems = read_json(data, shown)
    if tree is None:
        return Inventory(), problems
    inventory, wrong = read_listing(tree, shown) if _is_listing(tree) else read_inventory(tree, shown)
    return inventory, problems + wrong


def _is_listing(tree: Node | None) -> bool:
    """Whether it is what `ansible-inventory --list` prints: there hosts are a list, or under `_meta`."""
    if not isinstance(tree, Map):
        return False
    groups = [group for group in tree.entries.values() if isinstance(group, Map)]
    return "_meta" in tree.entries or any(isinstance(group.entries.get("children"), Seq) for group in groups)


def _run(path: Path, shown: str) -> tuple[bytes | None, list[Problem]]:
    command = (str(path.resolve()), "--list")
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROGRAM_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return None, [_program(shown, f"it did not end within {PROGRAM_TIMEOUT} s")]
    except OSError as error:
        return None, [_program(shown, (error.strerror or str(error)).lower())]
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        return None, [_program(shown, f"exit code {done.returncode}" + (f": {said}" if said else ""))]
    if len(done.stdout) > MAX_BYTES:
        return None, [_program(shown, f"it printed more than {MAX_BYTES} bytes")]
    return done.stdout, []


def _program(shown: str, why: str) -> Problem:
    return Problem(
        what=f"the inventory program `{shown}` failed",
        why=why,
        remedy=f"run `{shown} --list` by hand: it must print one JSON document",
        code="inventory",
        place=Place(shown),
    )


def _ini(shown: str) -> Problem:
    return Problem(
        what="this is an INI inventory",
        why="inventories are read as YAML, or as the JSON that Ansible makes of any other kind",
        remedy=f"`ansible-inventory -i {shown} --list > inventory.json`, or add `--yaml --export` for YAML",
        code="inventory",
        place=Place(shown),
    )

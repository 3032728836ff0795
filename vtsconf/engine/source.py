"""Where an inventory comes from: a YAML file, a JSON file, or a program that prints `ansible-inventory --list`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from vtsconf.core.document import MAX_BYTES, read_document, read_json
from vtsconf.core.inventory import Inventory, read_inventory, read_listing
from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Map, Node
from vtsconf.engine.textfile import read_bytes

PROGRAM_TIMEOUT = 60  # seconds
_PROGRAM = (b"#!", b"\x7fELF")
_INI = re.compile(rb"\A(?:\s*[#;][^\n]*\n|\s*\n)*\s*\[[\w:.-]+\][ \t]*(?:\n|\Z)")


def read_source(path: Path, shown: str) -> tuple[Inventory, list[Problem]]:
    """The inventory of a file. It is run only when it begins like a program, and is executable."""
    data = read_bytes(path, shown)
    if isinstance(data, Problem):
        return Inventory(), [data]
    if data.startswith(_PROGRAM):
        return _from_program(path, shown)
    if _INI.match(data):
        return Inventory(), [_ini(shown)]
    read = read_json if path.suffix == ".json" else read_document
    return _understood(*read(data, shown), shown)


def _from_program(path: Path, shown: str) -> tuple[Inventory, list[Problem]]:
    printed, problems = _run(path, shown)
    if printed is None:
        return Inventory(), problems
    output = f"{shown} (its output)"
    return _understood(*read_json(printed, output), output)


def _understood(tree: Node | None, problems: list[Problem], shown: str) -> tuple[Inventory, list[Problem]]:
    if tree is None and problems:
        return Inventory(), problems
    read = read_listing if _is_listing(tree) else read_inventory
    inventory, wrong = read(tree, shown)
    return inventory, problems + wrong


def _is_listing(tree: Node | None) -> bool:
    """Whether it is what `ansible-inventory --list` prints: it alone has `_meta`."""
    return isinstance(tree, Map) and "_meta" in tree.entries


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
        remedy=f"run `{shown} --list` by hand: it must be executable and print one JSON document",
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

"""`secret://sops/FILE#KEY/KEY`: one value of a file that sops has encrypted."""

from __future__ import annotations

import json
from pathlib import Path

from vtsconf.engine.secrets.provider import NotFound, run


def find(reference: str, project_root: Path) -> bytes:
    """The value that `sops -d --extract` prints; the file is relative to the project."""
    file, mark, keys = reference.rpartition("#")
    if not mark or not file or not keys:
        raise NotFound("a reference of sops is FILE#KEY, or FILE#KEY/KEY")
    if file.startswith("-"):
        raise NotFound("the file's name begins with `-`", remedy="write ./ before it")
    path = "".join(f"[{key if key.isdigit() else json.dumps(key)}]" for key in keys.split("/"))
    return run(("sops", "-d", "--extract", path, file), project_root)

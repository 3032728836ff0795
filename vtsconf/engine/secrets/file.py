"""`secret://file/PATH`: a file, relative to the project; `secret://file//etc/x` is absolute."""

from __future__ import annotations

import stat
from pathlib import Path

from vtsconf.core.problem import Problem
from vtsconf.engine.secrets.provider import MAX_BYTES, NotFound
from vtsconf.engine.textfile import read_bytes


def find(reference: str, project_root: Path) -> bytes:
    """The file's bytes. One that everybody may read holds no secret, and is refused."""
    path = project_root / Path(reference).expanduser()
    data = read_bytes(path, str(path), MAX_BYTES)
    if isinstance(data, Problem):
        raise NotFound(f"{data.what}: {data.why}", remedy=f"put the secret into it, and `chmod 600 {path}`")
    if len(data) > MAX_BYTES:
        raise NotFound(f"`{path}` is larger than {MAX_BYTES} bytes")
    if path.stat().st_mode & stat.S_IROTH:
        raise NotFound(f"everybody may read `{path}`", remedy=f"chmod 600 {path}")
    return data

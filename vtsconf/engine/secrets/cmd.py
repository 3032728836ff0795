"""`secret://cmd/PROGRAM WORDS`: what a program prints, split like a shell does, without a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from vtsconf.engine.secrets.provider import NotFound, run


def find(reference: str, project_root: Path) -> bytes:
    """The program's stdout; it runs in the project's folder."""
    try:
        command = shlex.split(reference)
    except ValueError as error:
        raise NotFound(f"the command cannot be split into words: {error}", remedy="close the quote") from None
    if not command:
        raise NotFound("there is no command")
    return run(command, project_root)

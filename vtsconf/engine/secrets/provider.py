"""What a provider of secrets is: a function from a reference and the project's folder to bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

Find = Callable[[str, Path], bytes]  # raises NotFound

TIMEOUT = 60  # seconds; a provider may have to ask a person or a server
MAX_BYTES = 64_000


class NotFound(Exception):
    """A secret cannot be had; `str()` says why and never holds any of it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


def run(command: Sequence[str], folder: Path) -> bytes:
    """What a command prints. Its stderr may be shown, its stdout never: that may be a part of the secret."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False
        )
    except FileNotFoundError:
        raise NotFound(
            f"there is no program `{command[0]}`", remedy="install it, or correct its name"
        ) from None
    except OSError as error:
        raise NotFound(f"`{command[0]}` cannot be run: {(error.strerror or '').lower()}") from None
    except subprocess.TimeoutExpired:
        raise NotFound(
            f"`{command[0]}` did not end within {TIMEOUT} s", remedy="does it wait for a question?"
        ) from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise NotFound(
            f"`{command[0]}` ended with exit code {done.returncode}" + (f": {said}" if said else ""),
            remedy="run the same command by hand in the project's folder",
        )
    if len(done.stdout) > MAX_BYTES:
        raise NotFound(f"`{command[0]}` printed more than {MAX_BYTES} bytes")
    return done.stdout

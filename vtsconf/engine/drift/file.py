"""A report as a file: there whole or not at all, for whoever reads it while it is written anew."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from vtsconf.core.errors import VtsconfError


def write_whole(path: Path, text: str) -> None:
    """Write it, mode 0644. A reader finds the old text or the new one, also after a power cut. Raises VtsconfError."""
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}.new")  # node_exporter reads only *.prom
    try:
        _refuse_what_is_no_file(path)
        draft.unlink(missing_ok=True)
        _write(draft, text.encode(errors="backslashreplace"))
        draft.replace(path)
    except OSError as error:
        raise VtsconfError(
            f"the report cannot be written to {path}: {error.strerror or error}",
            remedy="name a file in a folder that is there and that you can write",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _refuse_what_is_no_file(path: Path) -> None:
    """A rename would take the place of a device or a pipe."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(0, "it is there and is no file")


def _write(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o644), "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o644)  # whatever the umask: another user collects it
        file.flush()
        os.fsync(file.fileno())

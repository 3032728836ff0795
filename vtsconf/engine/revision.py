"""The Git revision of a project, for the journal."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 10  # seconds


@dataclass(frozen=True, kw_only=True)
class Revision:
    """`commit` is 40 hex digits; `dirty`: there are changes that no commit has."""

    commit: str
    dirty: bool

    def __str__(self) -> str:
        return self.commit[:12] + ("+dirty" if self.dirty else "")


def read_revision(folder: Path) -> Revision | None:
    """None when the folder is in no checkout, has no commit yet, or git is not there."""
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return None
    changes = _git(folder, "status", "--porcelain", "--", ".")
    return Revision(commit=commit.strip(), dirty=bool(changes))


def _git(folder: Path, *words: str) -> str | None:
    # fsmonitor is a command of the checkout's own configuration: a project must not run one here.
    command = ("git", "-c", "core.fsmonitor=false", "-C", str(folder), *words)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None

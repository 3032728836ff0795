"""Installs each peer into an environment of its own, outside the repository; or says why not."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.tool import NotMeasured, Tool


def default_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "vtsconf-bench"


def install(tool: Tool, venvs: Path) -> None:
    """Raises NotMeasured. A finished environment is marked with what is in it, and used again."""
    if not tool.packages:
        return
    venv = venvs / tool.venv
    stamp = venv / ".packages"
    wanted = hashlib.sha256("\n".join([sys.version, *tool.packages]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    try:
        _run(sys.executable, "-m", "venv", "--clear", venv)
        _run(venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *tool.packages)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise NotMeasured(f"could not be installed: {said.strip().splitlines()[-1][:150]}") from None
    stamp.write_text(wanted)


def _run(*words: str | Path) -> None:
    subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True, timeout=900)

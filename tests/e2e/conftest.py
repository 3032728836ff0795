"""A lab for each test, and the real command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vtsconf.engine.lab.lab import Lab


@dataclass(frozen=True)
class Ended:
    """How a command ended; `json` is the document it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Vtsconf = Callable[..., Ended]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=2) as lab:
        yield lab


@pytest.fixture
def vtsconf(lab: Lab) -> Vtsconf:
    """Run `vtsconf WORDS` in the lab's folder, without a terminal."""

    def run(*words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "vtsconf", *words],
            cwd=lab.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "NO_COLOR": "1", **(env or {})},
        )
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    return run

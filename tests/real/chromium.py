"""A real Chromium without a window, for pages that we write: what is in the DOM, on paper, in its console.

    seen = Chromium(tmp_path).open(page)      # a file; nothing is reachable from there, every name is not found
    seen.dom, seen.console, seen.asked        # asked: addresses that the page wanted and could not have
    Chromium(tmp_path).print(page)            # the PDF's bytes

Needs `chromium` (Debian: chromium). With CI set a missing browser is a failure, else a skip that says what to
install.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CONSOLE = re.compile(r'CONSOLE[:(]\d+\)?\] "(.*?)"(?:, source|$)', re.MULTILINE)
_TIMEOUT = 120  # seconds; a loaded machine starts it in ten


def require_chromium() -> str:
    """Its path; skips or fails where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing = "Chromium is not installed: apt-get install --no-install-recommends chromium"
        if "CI" in os.environ:
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of opening a page."""

    dom: str
    console: list[str]
    asked: list[str]


@dataclass(frozen=True)
class Chromium:
    """One browser in a folder of its own."""

    folder: Path

    def open(self, page: Path) -> Seen:
        log = self.folder / "net.json"
        done = self._run("--dump-dom", f"--log-net-log={log}", page=page)
        return Seen(dom=done.stdout, console=_CONSOLE.findall(done.stderr), asked=list(_asked(log)))

    def print(self, page: Path) -> bytes:
        paper = self.folder / "page.pdf"
        self._run("--no-pdf-header-footer", f"--print-to-pdf={paper}", page=page)
        return paper.read_bytes()

    def _run(self, *words: str, page: Path) -> subprocess.CompletedProcess[str]:
        command = [
            require_chromium(),
            "--headless=new",
            "--no-sandbox",  # tests run as root
            "--disable-gpu",
            "--disable-dev-shm-usage",  # a container has little of it
            "--disable-background-networking",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--proxy-server=127.0.0.1:9",
            "--enable-logging=stderr",
            "--v=0",
            f"--user-data-dir={self.folder / 'profile'}",
            *words,
            page.as_uri(),
        ]
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT, check=True
        )


def _asked(log: Path) -> Iterator[str]:
    """What a page from a file asked for, from the browser's log of its network; its own errands are left out."""
    for event in json.loads(log.read_text(errors="replace"))["events"]:
        parameters = event.get("params")
        if isinstance(parameters, dict) and _is_of_a_file(parameters):
            yield str(parameters["url"])


def _is_of_a_file(parameters: dict[str, Any]) -> bool:
    return "url" in parameters and str(parameters.get("network_isolation_key", "")).startswith("file://")


def pages_of(paper: bytes) -> int:
    """How many pages a PDF of Chromium's has."""
    return max(int(count) for count in re.findall(rb"/Count (\d+)", paper))

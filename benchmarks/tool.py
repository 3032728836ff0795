"""What a tool must be able to do to be measured."""

from __future__ import annotations

import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from benchmarks.measure import Sample
from benchmarks.work import Server


class Job(StrEnum):
    """What is measured: nothing to change, three files differ, and an apply with nothing to do."""

    PLAN = "plan"
    APPLY = "apply"
    AGAIN = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The servers that a tool has to do with, and what it needs to reach them and to write their files."""

    folder: Path  # the tool's own, empty
    servers: tuple[Server, ...]
    templates: Mapping[str, str]  # path → text with the marks of `work.filled`
    key: Path
    known_hosts: Path
    host_key: str


@dataclass(frozen=True, slots=True)
class Call:
    """A command line and what it wants in the environment."""

    words: tuple[str | Path, ...]
    env: Mapping[str, str] = field(default_factory=dict)


class NotMeasured(Exception):
    """Why a tool could not be measured, as words for a person."""


class Tool(ABC):
    """One tool. `packages` go into an environment of their own, `venv`; () means this one."""

    name: str
    packages: tuple[str, ...] = ()
    venv: str = ""
    slow: bool = False  # more than a second a server: fewer runs
    largest: int = 50  # the largest fleet of a usual run

    def __init__(self, venvs: Path) -> None:
        self._bin = venvs / self.venv / "bin"

    @abstractmethod
    def write(self, site: Site) -> None:
        """Write the project: inventory, values, one template a file."""

    @abstractmethod
    def call(self, job: Job, site: Site) -> Call:
        """The command for a job."""

    def complaint(self, job: Job, sample: Sample) -> str:
        """Why this run was not the job, "" when it was. What stands on the servers is checked by the caller."""
        del job
        return "" if sample.exit == 0 else f"exit {sample.exit}"

    def forget(self, site: Site) -> None:  # noqa: B027 most leave nothing behind
        """Drop what outlives a run, so that every run starts alike."""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def close_masters(folder: Path) -> None:
    """End the connections that OpenSSH keeps open for the next program."""
    for socket in folder.glob("*"):
        if socket.is_socket() and re.fullmatch(r"[\w.@:-]+", socket.name):
            subprocess.run(
                ["ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "any"],
                capture_output=True,
                check=False,
            )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

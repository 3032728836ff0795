"""A lab's folder: its marker, which servers it has on which ports, its keys, and who serves it now."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vtsconf.core.errors import Locked, Usage, VtsconfError
from vtsconf.engine.lab.processes import start_time
from vtsconf.engine.lab.tree import Tree

FORMAT = "vtsconf/lab/1"
PROJECT = (
    "group_vars",
    "host_vars",
    "library",
    "parameters",
    "rollouts",
    "templates",
    "inventory.yaml",
    "rehearse.yaml",
    "vtsconf.toml",
)
USER = "vtsa"  # who logs in: the documented maintenance account


@dataclass(frozen=True)
class Daemon:
    """The process that serves a lab, told from a later one with the same pid by its start time."""

    pid: int
    started: int
    ports: Mapping[str, int]
    detached: bool  # a process that does nothing else; otherwise a program that has the lab inside

    @property
    def runs(self) -> bool:
        return start_time(self.pid) == self.started


@dataclass(frozen=True)
class Home:
    """The folder of one lab. `folder` is absolute and has no links in it."""

    folder: Path

    @classmethod
    def at(cls, folder: Path | str) -> Home:
        return cls(Path(folder).resolve())

    @property
    def own(self) -> Path:
        """What is the lab's and nobody else's."""
        return self.folder / ".lab"

    @property
    def marker(self) -> Path:
        return self.own / "lab.json"

    @property
    def log(self) -> Path:
        return self.own / "daemon.log"

    @property
    def user_key(self) -> Path:
        return self.own / "id"

    @property
    def known_hosts(self) -> Path:
        return self.own / "known_hosts"

    @property
    def host_keys(self) -> Path:
        return self.own / "hostkeys"

    @property
    def exists(self) -> bool:
        return self.marker.is_file()

    def tree(self, name: str) -> Tree:
        return Tree(self.folder / name)

    def servers(self) -> dict[str, int]:
        """Name to port of every server; port 0 = not chosen yet. Raises when this is no lab of ours."""
        if not self.exists:
            raise Usage(f"{self.folder} is not a lab", remedy=f"vtsconf lab up {self.folder}")
        content = _read_json(self.marker)
        servers = content.get("servers") if content.get("format") == FORMAT else None
        if not isinstance(servers, dict) or not all(_names_a_server(n, p) for n, p in servers.items()):
            raise VtsconfError(
                f"{self.marker} is not the marker of a lab",
                remedy="put it back from a copy, or remove the folder by hand",
            )
        return servers

    def remember(self, servers: Mapping[str, int]) -> None:
        """Write the marker."""
        write_whole(self.marker, json.dumps({"format": FORMAT, "servers": servers}, indent=1) + "\n")

    def daemon(self) -> Daemon | None:
        """Who serves this lab; None when nobody does. What a dead process left behind counts as nothing."""
        try:
            content = _read_json(self.own / "daemon.json")
            daemon = Daemon(
                int(content["pid"]),
                int(content["started"]),
                dict(content["ports"]),
                content["detached"] is True,
            )
        except (FileNotFoundError, VtsconfError, KeyError, TypeError, ValueError):
            return None
        return daemon if daemon.runs else None

    def sign_in(self, ports: Mapping[str, int], *, detached: bool) -> None:
        """Say that this process serves the lab."""
        content = {
            "pid": os.getpid(),
            "started": start_time(os.getpid()),
            "ports": ports,
            "detached": detached,
        }
        write_whole(self.own / "daemon.json", json.dumps(content) + "\n")

    def sign_off(self) -> None:
        (self.own / "daemon.json").unlink(missing_ok=True)

    @contextmanager
    def hold(self, purpose: str) -> Iterator[None]:
        """Keep others from `purpose` ("up", "serve") meanwhile; ends with this process whatever happens."""
        self.own.mkdir(parents=True, exist_ok=True)
        with (self.own / f"{purpose}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Locked(f"another process is busy with the lab {self.folder}") from error
            yield


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(text)
    staged.replace(path)


def public_key(path: Path) -> str:
    """The public half of the key pair at `path`: "TYPE BASE64"."""
    return path.with_name(f"{path.name}.pub").read_text().strip()


def is_server_name(name: str) -> bool:
    """Whether a server may be called so: its name is also the name of a folder in the lab's."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}", name) is not None and name not in PROJECT


def _names_a_server(name: object, port: object) -> bool:
    return isinstance(port, int) and isinstance(name, str) and is_server_name(name)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise VtsconfError(f"{path} is damaged: {error}", remedy="remove the lab's folder by hand") from error
    return content if isinstance(content, dict) else {}

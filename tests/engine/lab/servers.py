"""What tests of the lab share: the way to a server, and processes that outlive a command."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vtsconf.core.connection import Target
from vtsconf.engine.lab.host import Host
from vtsconf.engine.lab.lab import Lab

# A process in a session of its own, and wait until it is one.
DETACH = """rm -f tmp/own; setsid sh -c 'echo >tmp/own; exec sleep 61' >/dev/null 2>&1 </dev/null &
until [ -e tmp/own ]; do sleep 0.01; done"""


class Ended(NamedTuple):
    code: int | None
    stdout: bytes
    stderr: bytes


Run = Callable[..., Ended]


def target(lab: Lab, host: Host, **more: object) -> Target:
    settings = {
        "address": "127.0.0.1",
        "port": host.port,
        "user": "vtsa",
        "key_files": (str(lab.folder / ".lab/id"),),
        "known_hosts": (str(lab.folder / ".lab/known_hosts"),),
        "ssh_config": "",
        "use_agent": False,
        "connect_timeout": 5.0,
    }
    return Target(name=host.name, **{**settings, **more})


def survivors(host: Host) -> int:
    """How many detached `sleep` run on the server, once they do; they are ended by this."""
    deadline = time.monotonic() + 5
    while not (sleeps := _sleeps(host)) and host.processes() and time.monotonic() < deadline:
        time.sleep(0.02)  # a shell that is about to become one
    for pid in sleeps:
        os.kill(pid, signal.SIGKILL)
    return len(sleeps)


def _sleeps(host: Host) -> list[int]:
    found = []
    for pid in host.processes():
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
                found.append(pid)
    return found


def wait_until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)

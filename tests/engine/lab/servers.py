"""What tests of the lab share: the way to a server, and processes that outlive a command."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
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


def ended_sleeps(host: Host) -> int:
    """How many `sleep` run on the server; they are ended by this."""
    sleeps = [pid for pid in host.processes() if Path(f"/proc/{pid}/comm").read_text() == "sleep\n"]
    for pid in sleeps:
        os.kill(pid, signal.SIGKILL)
    return len(sleeps)

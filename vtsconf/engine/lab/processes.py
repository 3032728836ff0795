"""Which processes belong to a lab server, and how they end. Asks Linux's /proc; nothing is ended by name."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

# Every command of a server has this in its environment, and hands it on to what it starts.
MARK = "VTSCONF_LAB_TREE"


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: with the pid, who it is. None: it does not run."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name, which may hold blanks and brackets: state, ppid, …"""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def of_tree(tree: Path) -> list[int]:
    """The processes that carry the server's mark, and all their descendants."""
    return _marked(f"{MARK}={tree}\0")


def of_lab(folder: Path) -> list[int]:
    """Those of all servers of a lab."""
    return _marked(f"{MARK}={folder}/")


def _marked(mark: str) -> list[int]:
    """The processes with a variable in their environment that begins so, and all their descendants."""
    begins = b"\0" + mark.encode(errors="surrogateescape")
    parents: dict[int, int] = {}
    found: set[int] = set()
    for pid in (int(p) for p in os.listdir("/proc") if p.isdecimal()):  # noqa: PTH208 names only, and fast
        fields = _stat(pid)
        if fields is None or fields[0] in "ZX" or pid == os.getpid():
            continue
        parents[pid] = int(fields[1])
        with contextlib.suppress(OSError):
            if begins in b"\0" + Path(f"/proc/{pid}/environ").read_bytes() + b"\0":
                found.add(pid)
    return sorted(_with_descendants(found, parents))


def _with_descendants(found: set[int], parents: dict[int, int]) -> set[int]:
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found = found | more
    return found


def end_all(find: Callable[[], list[int]], *, seconds: float = 5.0) -> None:
    """Kill all processes that `find` gives, again until it gives none twice.

    All are stopped first: one whose child dies before it would go on, and perhaps tidy up, as no reboot lets it.
    One that is just becoming another program has no environment to be known by for a moment.
    """
    deadline = time.monotonic() + seconds
    quiet = 0
    while quiet < 2 and time.monotonic() < deadline:
        pids = find()
        quiet = 0 if pids else quiet + 1
        for how, pid in itertools.product((signal.SIGSTOP, signal.SIGKILL), pids):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, how)
        time.sleep(0.005)


def end_process(pid: int, started: int, *, seconds: float = 10.0) -> bool:
    """End one process if it still is the one that started then: asked first, killed after `seconds`.

    Returns whether it was running.
    """
    if start_time(pid) != started:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while start_time(pid) == started:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline += seconds
        time.sleep(0.02)
    return True

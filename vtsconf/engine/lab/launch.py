"""Starts the process that serves a lab and outlives the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from vtsconf.core.errors import VtsconfError
from vtsconf.engine.lab.home import Home
from vtsconf.engine.lab.processes import MARK
from vtsconf.engine.lab.wait import wait_until


def start_daemon(home: Home) -> None:
    """Start the serving process and wait until it answers; if we are interrupted, it does not stay."""
    environment = {k: v for k, v in os.environ.items() if k != MARK}
    # ^C between the start and our knowing of it would leave a process behind; the process itself unblocks it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with home.log.open("ab") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "vtsconf.engine.lab.daemon", str(home.folder)),
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        wait_until(
            lambda: process.poll() is not None or _signed_in(home, process.pid), "the lab does not answer"
        )
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.poll() is not None:
        last = home.log.read_text(errors="replace").strip().splitlines()[-1:]
        raise VtsconfError(
            f"the lab's process ended at once: {' '.join(last)}", remedy=f"look into {home.log}"
        )


def _signed_in(home: Home, pid: int) -> bool:
    daemon = home.daemon()
    return daemon is not None and daemon.pid == pid

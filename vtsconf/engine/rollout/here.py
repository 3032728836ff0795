"""One command on the controller: its own process group, a time-out, an output that is bounded."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

from vtsconf.core.probe import QuerySeen
from vtsconf.core.rollout.judge import SHOWN
from vtsconf.engine.fan import Stop

_LOOK = 0.2  # seconds: so often it is seen that it has ended, or is to be ended
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as a shell says it


def ask_here(
    argv: Sequence[str], environment: Mapping[str, str], seconds: int, stop: Stop
) -> QuerySeen | None:
    """Its exit (None: ended at its time-out; 128 + N: by signal N) and the first 64 KiB. None: told to stop meanwhile."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except FileNotFoundError as error:
        return QuerySeen(exit=_NOT_FOUND, stdout=str(error.strerror).encode())
    except (OSError, ValueError) as error:
        return QuerySeen(exit=_NOT_EXECUTABLE, stdout=str(error).encode())
    with process:
        try:
            output = _output(process, time.monotonic() + seconds, stop)
            late = process.poll() is None
        finally:
            _end(process)
    if late:
        return None if stop.is_set else QuerySeen(exit=None, stdout=output)
    code = process.returncode
    return QuerySeen(exit=code if code >= 0 else 128 - code, stdout=output)


def _output(process: subprocess.Popen[bytes], deadline: float, stop: Stop) -> bytes:
    """What it prints until it has ended; a child that keeps the pipe open does not hold us up."""
    kept = bytearray()
    for block in _blocks(process, deadline, stop):
        kept += block[: SHOWN - len(kept)]
    return bytes(kept)


def _blocks(process: subprocess.Popen[bytes], deadline: float, stop: Stop) -> Iterator[bytes]:
    """Until it has ended, its time is over, or it is to be ended."""
    assert process.stdout
    open_ = True
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and not stop.is_set:
            ended = process.poll() is not None
            if not open_:
                if ended:
                    return
                time.sleep(_LOOK / 10)  # its output is closed: only its end is still to come
            elif ready.select(0 if ended else min(_LOOK, max(0.0, deadline - time.monotonic()))):
                block = os.read(process.stdout.fileno(), 65536)
                open_ = bool(block)
                yield block
            elif ended:
                return


def _end(process: subprocess.Popen[bytes]) -> None:
    """It, and all that it has started and not detached."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

"""One command on a lab server, from its start to its end, and the faults that strike it on the way."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from vtsconf.engine.lab.faults import Faults
from vtsconf.transport.sshd import Line

EVENT = re.compile(rb"\S+ event (\S+)(?: .*)?")
SETTLES = 0.2  # seconds: by then what a command wrote before it ended has been passed on
LONGEST_EVENT = 512  # bytes: a longer line is none
# The shell whose writes fail: the limit is in blocks of 512 bytes, and the signal that goes with it is ignored.
FULL_DISK = """trap '' XFSZ; ulimit -f "$1"; shift; exec "$@" """


class Execution:
    """Runs a command as sshd would: its own session, three pipes, killed by nobody but itself or a fault."""

    def __init__(
        self,
        *,
        command: str | None,
        line: Line,
        folder: Path,
        environment: Mapping[str, str],
        faults: Faults,
        reboot: Callable[[], None],
    ) -> None:
        self._line = line
        self._faults = faults
        self._reboot = reboot
        self._events = Events()
        self._process = subprocess.Popen(
            _argv(command, faults),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )

    def run(self) -> None:
        """Pass everything through until the command has ended and nobody holds its output open."""
        process = self._process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        _thread(self._feed, process.stdin)
        outputs = [
            _thread(self._pass_on, process.stdout, self._send),
            _thread(self._pass_on, process.stderr, self._line.complain),
        ]
        code = process.wait()
        outputs[0].join(SETTLES)  # a fault that waits for the last event strikes before the exit is told
        with contextlib.suppress(BrokenPipeError):
            self._line.exit(code)
        for output in outputs:
            output.join()  # a detached child that kept its output holds the channel, as on a real server
        self._line.close()

    def _feed(self, stdin: IO[bytes]) -> None:
        """Hand on the caller's input; what a command no longer reads is read here and dropped."""
        limit = _limit(self._faults)
        done = 0
        while data := self._line.read():
            if limit is not None and done + len(data) >= limit and self._faults.claim("drop"):
                _write(stdin, data[: limit - done])
                self._line.cut()
                break
            done += len(data)
            _write(stdin, data)
        with contextlib.suppress(OSError):
            stdin.close()

    def _pass_on(self, output: IO[bytes], send: Callable[[bytes], None]) -> None:
        """Hand on the command's output; when nobody listens, close it, so that the command finds out."""
        with output, contextlib.suppress(BrokenPipeError):
            while data := os.read(output.fileno(), 65536):
                send(data)

    def _send(self, data: bytes) -> None:
        """Send stdout; where a line of it is an event that a fault waits for, send up to there, and strike."""
        for piece, event in self._events.split(data):
            self._line.write(piece)
            if event:
                self._strike(event)

    def _strike(self, event: str) -> None:
        names = {event, str(self._events.count)}
        for fault, strike in (
            ("drop-after", self._line.cut),
            ("kill-after", self._kill),
            ("reboot-after", self._reboot),
        ):
            waits_for = self._faults.peek(fault)
            if waits_for and waits_for[0] in names and self._faults.claim(fault):
                strike()

    def _kill(self) -> None:
        """Kill the command and what shares its session's process group, not what it has detached."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


class Events:
    """Finds the event lines in a stream that comes in pieces; counts them."""

    def __init__(self) -> None:
        self._tail = b""
        self.count = 0

    def split(self, data: bytes) -> list[tuple[bytes, str]]:
        """The same bytes in pieces, each that ends an event line with the event's name, others with ""."""
        pieces: list[tuple[bytes, str]] = []
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            line = self._tail + data[begin:end]
            self._tail = b""
            match = EVENT.fullmatch(line) if len(line) <= LONGEST_EVENT else None
            if match:
                self.count += 1
                pieces.append((data[begin : end + 1], match[1].decode(errors="replace")))
            elif pieces and not pieces[-1][1]:
                pieces[-1] = (pieces[-1][0] + data[begin : end + 1], "")
            else:
                pieces.append((data[begin : end + 1], ""))
            begin = end + 1
        self._tail = (self._tail + data[begin:])[: LONGEST_EVENT + 1]  # enough to know that it is too long
        return [*pieces, (data[begin:], "")] if data[begin:] else pieces


def _argv(command: str | None, faults: Faults) -> list[str]:
    argv = ["sh", "-c", command] if command is not None else ["sh", "-s"]
    full = faults.fire("disk-full")
    if full is None:
        return argv
    blocks = int(full[0]) // 512 if full else 0
    return ["sh", "-c", FULL_DISK, "sh", str(blocks), *argv]


def _limit(faults: Faults) -> int | None:
    words = faults.peek("drop")
    return None if words is None else int(words[0]) if words else 0


def _write(stdin: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    with contextlib.suppress(OSError, ValueError):  # the command reads no more, or has ended
        while view:
            view = view[stdin.write(view) :]


def _thread(function: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread

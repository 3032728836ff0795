"""A session on this machine: `ansible_connection: local`, and the quickest way to try the protocol for real."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import IO

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.server import Exit

_STDERR_LIMIT = 64 * 1024


class LocalSession:
    """Runs sh here, as we are."""

    def execute(self, command: str, stdin: Iterable[bytes], on_stdout: Callable[[bytes], None]) -> Exit:
        try:
            child = subprocess.Popen(
                ("sh", "-c", command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise Unreachable(f"sh cannot be started here: {error.strerror}") from error
        assert child.stdin
        assert child.stdout
        assert child.stderr
        errors = bytearray()
        writer = threading.Thread(target=_feed, args=(child.stdin, stdin), daemon=True)
        listener = threading.Thread(target=_collect, args=(child.stderr, errors), daemon=True)
        writer.start()
        listener.start()
        while data := child.stdout.read1(65536):  # type: ignore[attr-defined]  # a BufferedReader
            on_stdout(data)
        code = child.wait()
        listener.join(timeout=2)
        return Exit(code=code if code >= 0 else None, stderr=bytes(errors))

    def close(self) -> None:
        """Nothing is held open."""


class LocalConnector:
    """Connects to nothing: the server is this machine."""

    def connect(self, target: Target) -> LocalSession:
        if target.become is not None:
            raise Unreachable(
                "ansible_become is not available for local connections",
                remedy="run vtsconf itself as that user, or connect over SSH",
            )
        return LocalSession()


def _feed(pipe: IO[bytes], chunks: Iterable[bytes]) -> None:
    with suppress(BrokenPipeError):  # the server ended early: its exit code tells
        for chunk in chunks:
            pipe.write(chunk)
        pipe.flush()
    with suppress(BrokenPipeError):
        pipe.close()


def _collect(pipe: IO[bytes], into: bytearray) -> None:
    while data := pipe.read(4096):
        if len(into) < _STDERR_LIMIT:
            into += data

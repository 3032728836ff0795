"""One TCP connection as an SSH library sees it: may be slow, and can be cut at any time."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable


class Wire:
    """A connected socket. `latency` is in seconds a packet, `bandwidth` in bytes a second (0 = all there is)."""

    def __init__(
        self,
        connection: socket.socket,
        peer: tuple[str, int],
        *,
        latency: float,
        bandwidth: float,
        closed: Callable[[Wire], None],
    ) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._latency = latency
        self._bandwidth = bandwidth
        self._closed = closed
        self.peer = peer

    def send(self, data: bytes) -> int:
        piece = data[: self._piece] if self._bandwidth else data
        if delay := self._latency + self._seconds(len(piece)):
            time.sleep(delay)
        return self._socket.send(piece)

    def recv(self, size: int) -> bytes:
        data = self._socket.recv(min(size, self._piece) if self._bandwidth else size)
        if delay := self._seconds(len(data)):
            time.sleep(delay)
        return data

    @property
    def _piece(self) -> int:
        """Bytes of a twentieth of a second."""
        return max(1, int(self._bandwidth / 20))

    def _seconds(self, size: int) -> float:
        return size / self._bandwidth if self._bandwidth else 0.0

    def settimeout(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    def getpeername(self) -> tuple[str, int]:
        return self.peer

    def close(self) -> None:
        self._closed(self)
        self._socket.close()

    def cut(self) -> None:
        """End both directions; whoever reads or writes finds out and closes."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def swallow(self) -> None:
        """Read until the peer gives up, and answer nothing."""
        with contextlib.suppress(OSError):
            while self._socket.recv(4096):
                pass
        self.close()

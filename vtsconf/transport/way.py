"""The way to a server's port: TCP, a ProxyCommand, or a channel through a jump host that sessions share."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import paramiko

from vtsconf.transport.endpoint import Endpoint

Stream = socket.socket | paramiko.Channel


class PromptSocket(socket.socket):
    """Acknowledges what it reads at once.

    sshd leaves Nagle's algorithm on: what it sends next waits for our acknowledgement of the packet before,
    and Linux delays that by 40 ms where we have nothing to say, as while the first command starts.
    """

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        block = super().recv(size, flags)
        if _QUICK is not None:
            self.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)  # holds for a moment only, so each time
        return block


_QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux


def tcp(endpoint: Endpoint) -> socket.socket:
    """A connection that sends small packets at once and notices a dead peer. Raises OSError."""
    plain = socket.create_connection((endpoint.address, endpoint.port), endpoint.connect_timeout)
    stream = PromptSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # What we sent and nobody acknowledged for this long ends the connection (milliseconds).
        patience = int(max(30.0, 3 * endpoint.keep_alive) * 1000)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience)
    return stream


def through_command(command: str) -> tuple[socket.socket, Callable[[], None]]:
    """ssh_config's ProxyCommand, run by a shell as OpenSSH does; returns its stream and how to end it."""
    ours, theirs = socket.socketpair()
    with theirs:
        running = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end() -> None:
        ours.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(0.5)
        if running.poll() is None:
            running.kill()
            running.wait()

    return ours, end


@dataclass
class Shared:
    """One jump host's connection, and how many go through it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    transport: paramiko.Transport | None = None
    close: Callable[[], None] = lambda: None
    travellers: int = 0


@dataclass
class Jumps:
    """Jump hosts in use: one connection each, opened by the first that needs it, closed by the last."""

    _shared: dict[Hashable, Shared] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def board(
        self, key: Hashable, opened: Callable[[], tuple[paramiko.Transport, Callable[[], None]]]
    ) -> tuple[paramiko.Transport, Callable[[], None]]:
        """The transport of jump host `key`, and how to let go of it. Raises what `opened` raises."""
        with self._lock:
            shared = self._shared.setdefault(key, Shared())
        with shared.lock:
            if shared.transport is None or not shared.transport.is_active():
                shared.transport, shared.close = opened()
                shared.travellers = 0
            transport = shared.transport
            shared.travellers += 1
        return transport, lambda: self._leave(shared, transport)

    @staticmethod
    def _leave(shared: Shared, transport: paramiko.Transport) -> None:
        with shared.lock:
            if shared.transport is not transport:
                return  # it was lost meanwhile, and another one took its place
            shared.travellers -= 1
            if shared.travellers == 0:
                shared.transport = None
                shared.close()

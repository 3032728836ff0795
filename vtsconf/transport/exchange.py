"""One command's bytes, both ways, until it has ended: stdin from a thread of its own, so neither side can block the other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import paramiko

from vtsconf.core.errors import Unreachable
from vtsconf.transport.become import Wrapped
from vtsconf.transport.server import Exit

STDERR_LIMIT = 64 * 1024
_GULP = (
    4 * 1024 * 1024
)  # whatever has arrived: taking part of paramiko's buffer would copy the rest each time
_LINGER = 2.0  # a command that has ended may leave a child that holds its stdout: wait so long for more
_PIECE = 32 * 1024  # what OpenSSH takes in one packet
_LOOK = 0.5  # the exit comes on another event than output: look for it so often
_PREAMBLE_LIMIT = 64 * 1024  # what a login may print before the mark


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds: nothing heard for `idle`, or not ended after `total`."""

    idle: float
    total: float


class NotStarted(Exception):
    """The command never ran: sudo or su refused; with what they said."""

    def __init__(self, stderr: bytes, why: str = "") -> None:
        super().__init__(why)
        self.stderr = stderr
        self.why = why


@dataclass
class Exchange:
    """One wrapped command, started on `channel`. Use once."""

    channel: paramiko.Channel
    wrapped: Wrapped
    limits: Limits
    name: str  # of the server, for messages
    hang_up: Callable[[], None]  # ends the whole connection at once
    password: bytes | None = None
    clock: Callable[[], float] = time.monotonic
    _event: threading.Event = field(default_factory=threading.Event)
    _stdout: Callable[[bytes], None] = lambda _: None
    _stderr: bytearray = field(default_factory=bytearray)
    _preamble: bytearray = field(default_factory=bytearray)
    _started: bool = False  # the mark was seen, or there is none
    _asked: int = 0  # prompts answered
    _heard: float = 0.0
    _trouble: list[BaseException] = field(default_factory=list)

    def run(self, stdin: Iterable[bytes], on_stdout: Callable[[bytes], None]) -> Exit:
        """Raises Unreachable, NotStarted, or what `stdin` or `on_stdout` raise."""
        began = self._heard = self.clock()
        self._stdout = on_stdout
        self.channel.in_buffer.set_event(self._event)
        self.channel.in_stderr_buffer.set_event(self._event)
        try:
            self._begin(stdin)
            while not self._ended():
                if not (self._take_stdout(stdin) | self._take_stderr()):
                    self._wait(began)
            while self._take_stdout(stdin) | self._take_stderr():
                pass
        except Unreachable:
            # Closing only the channel says goodbye on the connection, and waits where nobody takes it.
            self.hang_up()
            raise
        finally:
            self.channel.close()
        if self._trouble:
            raise self._trouble[0]
        return self._exit()

    def _begin(self, stdin: Iterable[bytes]) -> None:
        """Feed at once, unless something may still ask for a password."""
        self._started = not self.wrapped.mark
        if not self.wrapped.prompt:
            self._feed(stdin)

    def _take_stdout(self, stdin: Iterable[bytes]) -> bool:
        if not self.channel.recv_ready():
            return False
        block = self._read(self.channel.recv)
        self._heard = self.clock()
        if not self._started:
            block = self._after_mark(block, stdin)
        if block:
            self._stdout(block)
        return True

    def _read(self, receive: Callable[[int], bytes]) -> bytes:
        try:
            return receive(_GULP)
        except (
            OSError,
            EOFError,
            paramiko.SSHException,
        ):  # it also tells the server that there is room again
            raise self._lost() from None

    def _after_mark(self, block: bytes, stdin: Iterable[bytes]) -> bytes:
        """What follows the mark's line, b"" while it has not come."""
        self._preamble += block
        line = self.wrapped.mark + b"\n"
        at = self._preamble.find(line)
        if at < 0:
            del self._preamble[:-_PREAMBLE_LIMIT]
            return b""
        self._started = True
        rest = bytes(self._preamble[at + len(line) :])
        if self.wrapped.prompt:
            self._feed(stdin)
        return rest

    def _take_stderr(self) -> bool:
        if not self.channel.recv_stderr_ready():
            return False
        self._stderr += self._read(self.channel.recv_stderr)
        self._heard = self.clock()
        if self.wrapped.prompt and not self._started:
            self._answer()
        del self._stderr[STDERR_LIMIT:]
        return True

    def _answer(self) -> None:
        """A prompt stands at the end of stderr, without a newline."""
        if not self._stderr.endswith(self.wrapped.prompt):
            return
        said = bytes(self._stderr)
        self._stderr.clear()
        if self.password is None:
            raise NotStarted(b"no password was provided")
        if self._asked:
            raise NotStarted(said + b"incorrect password")
        self._asked += 1
        with contextlib.suppress(OSError):  # gone meanwhile: its end will tell
            self.channel.sendall(self.password + b"\n")

    def _feed(self, stdin: Iterable[bytes]) -> None:
        if isinstance(stdin, list | tuple) and not stdin:
            self.channel.shutdown_write()
            return
        threading.Thread(target=self._feeding, args=(stdin,), daemon=True, name=f"stdin {self.name}").start()

    def _feeding(self, stdin: Iterable[bytes]) -> None:
        try:
            for block in stdin:
                self._send(block)
            self.channel.shutdown_write()
        except (OSError, EOFError, paramiko.SSHException):
            pass  # the command closed its stdin, or the connection is gone: its end will tell
        except BaseException as error:  # noqa: BLE001 the caller's own iterator may raise anything; told to the caller
            self._trouble.append(error)
            self.channel.close()

    def _send(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            sent = self.channel.send(bytes(rest[:_PIECE]))
            if sent == 0:
                raise EOFError
            self._heard = self.clock()
            rest = rest[sent:]

    def _ended(self) -> bool:
        """All output has been announced as complete and the exit is known, or there is nothing left to come."""
        if self.channel.closed:
            return True
        if not self.channel.exit_status_ready():
            return False
        return bool(self.channel.eof_received) or self.clock() - self._heard > _LINGER

    def _wait(self, began: float) -> None:
        """Until something arrives; raises Unreachable when a limit passes."""
        now = self.clock()
        left = min(self._heard + self.limits.idle, began + self.limits.total) - now
        if left <= 0:
            raise self._late(now - began)
        if self.channel.eof_received:
            # The pipes are closed and their event stays set: only the exit is still to come.
            self.channel.status_event.wait(left)
        else:
            self._event.wait(min(left, _LOOK))

    def _late(self, seconds: float) -> Unreachable:
        if seconds >= self.limits.total:
            return Unreachable(
                f"{self.name}: the command did not end within {self.limits.total:g} s",
                remedy="look at what runs there; raise vts_ssh_total_timeout if it needs longer",
            )
        return Unreachable(
            f"{self.name}: nothing heard from the command for {self.limits.idle:g} s",
            remedy="look at what runs there; raise vts_ssh_idle_timeout if it may be silent longer",
        )

    def _lost(self) -> Unreachable:
        return Unreachable(
            f"{self.name}: connection lost while a command was running",
            remedy="its outcome is not known: contact the server again to see",
        )

    def _exit(self) -> Exit:
        status = self.channel.exit_status
        if status == -1:
            # paramiko keeps no exit-signal. A lost connection closes channels just before its thread ends.
            transport = self.channel.get_transport()
            transport.join(0.3)
            if not transport.is_alive():
                raise self._lost()
        if not self._started:
            raise NotStarted(bytes(self._stderr))
        return Exit(code=None if status == -1 else status, stderr=bytes(self._stderr))

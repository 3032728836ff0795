"""How to be an SSH server: what paramiko needs for it. The lab puts its machines behind this."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_REQUEST,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
    cMSG_CHANNEL_REQUEST,
)

from vtsconf.transport.wire import Wire

LOG = logging.getLogger("vtsconf.sshd")
LOG.addHandler(logging.NullHandler())

# What a Linux of the RHEL 5 era offers: SHA-1 everywhere, no elliptic curves.
LEGACY_KEX = ("diffie-hellman-group14-sha1",)
LEGACY_KEYS = ("ssh-rsa",)
LEGACY_CIPHERS = ("aes128-ctr", "aes128-cbc")
LEGACY_MACS = ("hmac-sha1",)

# Ways in which a connection is found gone by one who reads or writes.
GONE = (OSError, EOFError, paramiko.SSHException)


class Reception(StrEnum):
    """What happens to a connection that arrives."""

    SERVE = "serve"
    REFUSE = "refuse"  # closed at once, without a word
    HANG = "hang"  # accepted, and never a word
    DROP = "drop"  # cut as soon as someone has logged in


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """How one connection is received."""

    host_key: Path
    reception: Reception = Reception.SERVE
    legacy: bool = False  # SHA-1 only; `host_key` must then be an RSA key
    latency: float = 0.0  # seconds that each packet is late
    bandwidth: float = 0.0  # bytes a second in each direction; 0 = as fast as it goes


class Line:
    """The three streams of one exec request, and how it ends. Every call raises BrokenPipeError when the peer has gone."""

    def __init__(self, channel: paramiko.Channel, wire: Wire) -> None:
        self._channel = channel
        self._wire = wire

    def read(self, size: int = 65536) -> bytes:
        """Some bytes of stdin; b"" at its end, also when the connection is gone."""
        try:
            return self._channel.recv(size)
        except GONE:
            return b""

    def write(self, data: bytes) -> None:
        """Send all of `data` as stdout."""
        with _broken():
            self._channel.sendall(data)

    def complain(self, data: bytes) -> None:
        """Send all of `data` as stderr."""
        with _broken():
            self._channel.sendall_stderr(data)

    def exit(self, code: int) -> None:
        """Tell how the command ended: its exit code, or minus the number of the signal that ended it."""
        with _broken():
            if code >= 0:
                self._channel.send_exit_status(code)
            else:
                self._send_exit_signal(-code)

    def _send_exit_signal(self, number: int) -> None:
        """Paramiko can read this message (RFC 4254, 6.10), and has no call to send it."""
        import signal

        channel: Any = self._channel
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("exit-signal")
        message.add_boolean(False)
        message.add_string(signal.Signals(number).name.removeprefix("SIG"))
        message.add_boolean(False)
        message.add_string("")
        message.add_string("")
        channel.transport._send_user_message(message)  # noqa: SLF001 as paramiko's own channel does

    def close(self) -> None:
        """End this command's channel; the connection stays."""
        with contextlib.suppress(*GONE):
            self._channel.close()

    def cut(self) -> None:
        """Cut the whole connection, as a pulled cable would look to a program."""
        self._wire.cut()

    @property
    def peer(self) -> tuple[str, int]:
        """Address and port of the one who called."""
        return self._wire.peer


@contextlib.contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except GONE as error:
        raise BrokenPipeError(str(error)) from error


class Machine(Protocol):
    """What stands behind an SSH server."""

    def welcome(self) -> Welcome:
        """Decide about a connection that has just arrived."""
        ...

    def run(self, command: str | None, line: Line) -> None:
        """Run one command (None: a shell) to its end, in a thread of its own."""
        ...


class Sshd:
    """One listening SSH server. `port` 0 lets the kernel choose; the choice is in `port` afterwards."""

    def __init__(
        self, machine: Machine, *, user: str, authorized: str, port: int = 0, address: str = "127.0.0.1"
    ) -> None:
        self._machine = machine
        self._user = user
        self._authorized = authorized  # one public key, "TYPE BASE64"
        self._wires: set[Wire] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._listener = socket.create_server((address, port), backlog=256)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Answer from now on, in threads."""
        threading.Thread(target=self._listen, name=f"sshd-{self.port}", daemon=True).start()

    def stop(self) -> None:
        """Stop answering and cut every connection."""
        self._stopped = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection; new ones are welcome."""
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            wire.cut()

    def _listen(self) -> None:
        while not self._stopped:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                if self._stopped:
                    return
                time.sleep(0.05)  # out of file descriptors, most likely: later there may be some
                continue
            threading.Thread(target=self._receive, args=(connection, peer), daemon=True).start()

    def _receive(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        welcome = self._machine.welcome()
        wire = Wire(
            connection, peer, latency=welcome.latency, bandwidth=welcome.bandwidth, closed=self._forget
        )
        with self._lock:
            self._wires.add(wire)
        if welcome.reception is Reception.REFUSE or self._stopped:
            wire.close()
        elif welcome.reception is Reception.HANG:
            wire.swallow()
        else:
            self._serve(wire, welcome)

    def _serve(self, wire: Wire, welcome: Welcome) -> None:
        try:
            key = _key(welcome.host_key)
        except OSError as error:
            LOG.error("no host key: %s", error)  # noqa: TRY400 a sentence, not a traceback
            wire.close()
            return
        transport = _Transport(wire)  # type: ignore[arg-type]  # a wire is enough of a socket
        transport.local_version = "SSH-2.0-vtsconf_lab"
        transport.set_log_channel(LOG.name)
        transport.add_server_key(key)
        if welcome.legacy:
            options = transport.get_security_options()
            options.kex, options.key_types = LEGACY_KEX, LEGACY_KEYS
            options.ciphers, options.digests = LEGACY_CIPHERS, LEGACY_MACS
        desk = _Desk(self._machine, wire, welcome.reception, self._user, self._authorized)
        try:
            transport.start_server(event=threading.Event(), server=desk)
        except GONE as error:
            LOG.info("negotiation failed: %s", error)
            wire.close()

    def _forget(self, wire: Wire) -> None:
        with self._lock:
            self._wires.discard(wire)


class _Desk(paramiko.ServerInterface):
    """Answers paramiko's questions about one connection: who may come in, what is run."""

    def __init__(
        self, machine: Machine, wire: Wire, reception: Reception, user: str, authorized: str
    ) -> None:
        self._machine = machine
        self._wire = wire
        self._reception = reception
        self._user = user
        self._authorized = authorized
        self._accepted: dict[int, str | None] = {}

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 the same for everyone
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = f"{key.get_name()} {key.get_base64()}" == self._authorized
        return AUTH_SUCCESSFUL if known and username == self._user else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 any number will do
        if self._reception is Reception.DROP:
            self._wire.cut()
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._accepted[channel.get_id()] = command.decode(errors="surrogateescape")
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        self._accepted[channel.get_id()] = None
        return True

    def begin(self, channel: paramiko.Channel) -> None:
        """Run what was accepted on this channel, if anything was."""
        if channel.get_id() not in self._accepted:
            return
        command = self._accepted.pop(channel.get_id())
        line = Line(channel, self._wire)
        threading.Thread(target=self._run, args=(command, line), daemon=True).start()

    def _run(self, command: str | None, line: Line) -> None:
        with contextlib.suppress(BrokenPipeError):
            try:
                self._machine.run(command, line)
            except OSError as error:  # the command could not be started
                line.complain(f"{error}\n".encode(errors="replace"))
                line.exit(255)
        line.close()


def _answer(channel: Any, message: paramiko.Message) -> None:
    """Answer a channel's request, and only then begin what it asked for.

    A quick command would otherwise send its output and its end before paramiko has sent
    "accepted", and clients take that for a refusal.
    """
    paramiko.Channel._handle_request(channel, message)  # type: ignore[attr-defined]  # noqa: SLF001 see above
    channel.transport.server_object.begin(channel)


class _Transport(paramiko.Transport):
    _channel_handler_table: ClassVar[dict[int, Any]] = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]  # noqa: SLF001 see _answer
        MSG_CHANNEL_REQUEST: _answer,
    }


@lru_cache(maxsize=256)
def _key(path: Path) -> paramiko.PKey:
    return paramiko.PKey.from_path(path)


def create_key(path: Path, *, rsa: bool = False) -> None:
    """Make a key pair: `path` (mode 0600) and `path`.pub. Both appear whole or not at all."""
    key: Any = paramiko.RSAKey.generate(2048) if rsa else paramiko.ECDSAKey.generate()
    staged = path.with_name(path.name + ".new")
    staged.unlink(missing_ok=True)
    key.write_private_key_file(str(staged))
    public = path.with_name(path.name + ".pub")
    public.write_text(f"{key.get_name()} {key.get_base64()}\n")
    staged.replace(path)

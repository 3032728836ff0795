"""User keys: from files, which are read once, and from the agent."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from vtsconf.core.secret import Secret
from vtsconf.transport.endpoint import Endpoint
from vtsconf.transport.hostkeys import HostKey


class KeyUnusable(Exception):
    """A key file that cannot be used; the text says why, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass
class Keyring:
    """Reads each key file once, however many servers want it: an encrypted one takes a good part of a second."""

    _read: dict[tuple[str, int, int, Secret | None], paramiko.PKey] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, path: str, passphrase: Secret | None) -> paramiko.PKey:
        """Raises KeyUnusable."""
        with self._lock:
            try:
                status = Path(path).stat()
                name = (path, status.st_mtime_ns, status.st_size, passphrase)
                if name not in self._read:
                    self._read[name] = _load(path, passphrase)
                return self._read[name]
            except OSError as error:
                raise KeyUnusable(
                    f"cannot read the key file {path}: {error.strerror}",
                    "correct ansible_ssh_private_key_file or the file's rights",
                ) from None


@contextlib.contextmanager
def agent_keys(endpoint: Endpoint) -> Iterator[tuple[paramiko.AgentKey, ...]]:
    """Keys of the agent in SSH_AUTH_SOCK, those that the endpoint names first; () where there is no agent.

    Each login talks to the agent on a connection of its own: paramiko's is not for several threads.
    """
    if not endpoint.use_agent or not os.environ.get("SSH_AUTH_SOCK"):
        yield ()
        return
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError):
        yield ()
        return
    try:
        yield _ranked(agent.get_keys(), endpoint)
    finally:
        agent.close()


def _ranked(found: tuple[paramiko.AgentKey, ...], endpoint: Endpoint) -> tuple[paramiko.AgentKey, ...]:
    named = {blob for path in endpoint.key_files if (blob := _public_blob(path)) is not None}
    first = tuple(k for k in found if k.asbytes() in named)
    if endpoint.identities_only:
        return first
    return first + tuple(k for k in found if k.asbytes() not in named)


def _load(path: str, passphrase: Secret | None) -> paramiko.PKey:
    word = None if passphrase is None else passphrase.reveal()
    try:
        try:
            return paramiko.PKey.from_path(path, word)  # type: ignore[arg-type]  # bytes, the stubs are wrong
        except (TypeError, paramiko.PasswordRequiredException):
            if word is None:
                raise KeyUnusable(
                    f"the key file {path} is encrypted and no passphrase is given",
                    "set vts_ssh_key_passphrase to a secret://… reference, or add the key to the agent",
                ) from None
            # A passphrase is given, and this key has none.
            return paramiko.PKey.from_path(path)
    except UnknownKeyType:
        raise KeyUnusable(
            f"the key file {path} has a kind of key that is not supported", "use ed25519, ecdsa or rsa"
        ) from None
    except (ValueError, paramiko.SSHException):
        raise KeyUnusable(*_why_unreadable(path, passphrase)) from None


def _why_unreadable(path: str, passphrase: Secret | None) -> tuple[str, str]:
    if passphrase is not None:
        return f"the passphrase of the key file {path} is wrong", "correct vts_ssh_key_passphrase"
    return f"{path} is not a private key", "give the private key, not the .pub file"


def _public_blob(path: str) -> bytes | None:
    """From the .pub file beside the key, as ssh does; None where there is none."""
    try:
        key = HostKey.parse(Path(path + ".pub").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return key.blob if key else None

"""Logging in: our credentials, in the order that costs least, and what to say when none is taken."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from vtsconf.core.errors import Unreachable
from vtsconf.core.printable import printable
from vtsconf.transport.endpoint import Endpoint
from vtsconf.transport.failure import unreachable
from vtsconf.transport.greeting import LegacyTransport, announces_signatures
from vtsconf.transport.keys import Keyring, KeyUnusable, agent_keys


@dataclass
class Attempts:
    """What was tried and what the server takes, for the sentence when all fails."""

    tried: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # why a credential could not be tried
    remedies: list[str] = field(default_factory=list)
    offered: tuple[str, ...] = ()


def authenticate(transport: paramiko.Transport, endpoint: Endpoint, keyring: Keyring) -> str:
    """Log in; returns the method used, for people. Raises Unreachable with what was tried and what is offered."""
    attempts = Attempts()
    try:
        method = _with_keys(transport, endpoint, keyring, attempts) or _with_password(
            transport, endpoint, attempts
        )
        if method is None:
            _ask_what_is_offered(transport, endpoint, attempts)
    except (EOFError, OSError, paramiko.SSHException) as error:
        raise _hung_up(error, endpoint, attempts) from None
    except Exception as error:  # noqa: BLE001 paramiko hands on whatever its thread met in the server's words
        raise unreachable(error, endpoint, "logging in") from None
    if method is None:
        raise _rejected(transport, endpoint, attempts)
    return method


def _credentials(
    endpoint: Endpoint, keyring: Keyring, attempts: Attempts
) -> Generator[tuple[str, paramiko.PKey]]:
    """Keys in order: the files a person named, the agent's, the usual files."""
    named = endpoint.keys_asked_for
    if named:
        yield from _files(endpoint, keyring, attempts)
    with agent_keys(endpoint) as keys:
        for key in keys:
            yield f"agent key {printable(key.comment) or key.get_name()}", key
    if not named:
        yield from _files(endpoint, keyring, attempts)


def _files(endpoint: Endpoint, keyring: Keyring, attempts: Attempts) -> Iterator[tuple[str, paramiko.PKey]]:
    for path in endpoint.key_files:
        if not endpoint.keys_asked_for and not Path(path).exists():
            continue
        try:
            yield path, keyring.load(path, endpoint.key_passphrase)
        except KeyUnusable as error:
            attempts.notes.append(str(error))
            attempts.remedies.append(error.remedy)


def _with_keys(
    transport: paramiko.Transport, endpoint: Endpoint, keyring: Keyring, attempts: Attempts
) -> str | None:
    with contextlib.closing(_credentials(endpoint, keyring, attempts)) as credentials:
        return _first_taken(credentials, transport, endpoint, attempts)


def _first_taken(
    credentials: Iterable[tuple[str, paramiko.PKey]],
    transport: paramiko.Transport,
    endpoint: Endpoint,
    attempts: Attempts,
) -> str | None:
    offered: set[bytes] = set()
    for name, key in credentials:
        if key.asbytes() in offered:
            continue
        offered.add(key.asbytes())
        attempts.tried.append(name)
        try:
            further = _offer(transport, endpoint, key)
        except paramiko.BadAuthenticationType as error:
            attempts.offered = tuple(error.allowed_types)
            return None
        if further is None:
            continue
        if not further:
            return f"publickey ({name})"
        attempts.offered = tuple(further)
        return None
    return None


def _offer(transport: paramiko.Transport, endpoint: Endpoint, key: paramiko.PKey) -> list[str] | None:
    """What the server wants besides the key; None: it does not take it."""
    try:
        return transport.auth_publickey(endpoint.user, key)
    except paramiko.BadAuthenticationType:
        raise
    except paramiko.AuthenticationException:
        if not transport.is_active():
            raise
    if (
        isinstance(transport, LegacyTransport)
        and key.get_name() == "ssh-rsa"
        and not transport.sha1_signatures
    ):
        transport.sha1_signatures = True
        return _offer(transport, endpoint, key)
    return None


def _with_password(transport: paramiko.Transport, endpoint: Endpoint, attempts: Attempts) -> str | None:
    if endpoint.password is None:
        return None
    attempts.tried.append("password")
    try:
        further = transport.auth_password(
            endpoint.user, endpoint.password.reveal().decode("utf-8", "replace")
        )
    except paramiko.BadAuthenticationType as error:
        attempts.offered = tuple(error.allowed_types)
        return None
    except paramiko.AuthenticationException:
        if not transport.is_active():
            raise
        return None
    if further:
        attempts.offered = tuple(further)
        return None
    return "password"


def _ask_what_is_offered(transport: paramiko.Transport, endpoint: Endpoint, attempts: Attempts) -> None:
    """One more round trip, only on the way to an error."""
    if attempts.offered:
        return
    try:
        transport.auth_none(endpoint.user)
    except paramiko.BadAuthenticationType as error:
        attempts.offered = tuple(error.allowed_types)
    except paramiko.AuthenticationException:
        pass


def _rejected(transport: paramiko.Transport, endpoint: Endpoint, attempts: Attempts) -> Unreachable:
    tried = ", ".join(attempts.tried) or "nothing"
    offered = printable(", ".join(attempts.offered)) or "nothing it would tell"
    notes = "; ".join(["", *attempts.notes])
    return Unreachable(
        f"{endpoint.name}: login as {endpoint.user} failed: tried {tried}; the server takes {offered}{notes}",
        remedy=_how_to_log_in(transport, endpoint, attempts),
    )


def _how_to_log_in(transport: paramiko.Transport, endpoint: Endpoint, attempts: Attempts) -> str:
    if attempts.remedies:
        return attempts.remedies[0]
    if not announces_signatures(transport) and not endpoint.legacy:
        return "if the key is RSA, this old server may need vts_ssh_legacy: true; else check ansible_user and the key"
    if endpoint.password is not None and "password" in attempts.tried:
        return "correct ansible_password or ansible_user"
    return (
        f"add the key to ~{endpoint.user}/.ssh/authorized_keys on the server, "
        "or set ansible_ssh_private_key_file, ansible_user or ansible_password"
    )


def _hung_up(error: BaseException, endpoint: Endpoint, attempts: Attempts) -> Unreachable:
    """The server may cut the connection in the middle of a login: too many keys, or an account it does not let in."""
    if isinstance(error, paramiko.AuthenticationException) and "timeout" in str(error).casefold():
        return Unreachable(
            f"{endpoint.name}: the server did not answer the login within {endpoint.auth_timeout:g} s",
            remedy="check its name service (UseDNS) and PAM, or raise vts_ssh_auth_timeout",
        )
    return Unreachable(
        f"{endpoint.name}: the server hung up during the login as {endpoint.user}, "
        f"after {len(attempts.tried)} credentials ({', '.join(attempts.tried[:6])})",
        remedy="too many keys? set ansible_ssh_private_key_file; else see AllowUsers and MaxAuthTries on the server",
    )

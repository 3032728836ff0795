"""Logging in: SSH greeting, the server's key, and our own credentials, in the order that costs least."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from vtsconf.core.errors import Unreachable
from vtsconf.core.printable import printable
from vtsconf.transport.algorithms import MODERN, OUTDATED, disabled
from vtsconf.transport.endpoint import Endpoint
from vtsconf.transport.failure import translated, unreachable
from vtsconf.transport.hostkeys import Entry, HostKey, Verdict, algorithms, entries_for, judge, remedy
from vtsconf.transport.keys import Keyring, KeyUnusable, agent_keys

_WINDOW = 16 * 1024 * 1024  # bytes in flight from the server before it waits for us


class Transport(paramiko.Transport):
    """paramiko's, which forgets what key exchange it used as soon as it is done."""

    kex_used: str = ""

    def run(self) -> None:
        with contextlib.suppress(
            Exception
        ):  # closing a stream whose jump host is gone raises, to nobody, in a thread
            super().run()

    def _parse_kex_init(self, m: paramiko.Message) -> None:
        super()._parse_kex_init(m)  # type: ignore[misc]  # not in the stubs
        used = type(self.kex_engine)
        self.kex_used = next((n for n, engine in self._kex_info.items() if engine is used), used.__name__)


class LegacyTransport(Transport):
    """For servers that take SHA-1 signatures alone.

    The old ones announce no `server-sig-algs`, and paramiko would sign with SHA-2 then. It asks for this list
    once it knows what they announce. Newer ones announce SHA-2 and may yet be configured not to take it.
    """

    sha1_signatures: bool = False

    @property
    def preferred_pubkeys(self) -> tuple[str, ...]:
        ours: tuple[str, ...] = super().preferred_pubkeys
        if "server-sig-algs" in self.server_extensions and not self.sha1_signatures:
            return ours
        return tuple(name for name in ours if not name.startswith("rsa-sha2-"))


@dataclass(slots=True)
class Attempts:
    """What was tried and what the server takes, for the sentence when all fails."""

    tried: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # why a credential could not be tried
    remedies: list[str] = field(default_factory=list)
    offered: tuple[str, ...] = ()


def greet(stream: socket.socket | paramiko.Channel, endpoint: Endpoint, entries: list[Entry]) -> Transport:
    """Key exchange, then the check of the server's key. Raises Unreachable, and IncompatiblePeer untranslated."""
    kind = LegacyTransport if endpoint.legacy else Transport
    about_it = entries_for(entries, endpoint.known_as, endpoint.port)
    pin = HostKey.parse(endpoint.host_key) if endpoint.host_key else None
    with translated(endpoint, "connecting"):
        transport = kind(
            stream,
            default_window_size=_WINDOW,
            disabled_algorithms=disabled(legacy=endpoint.legacy),
        )
        transport.banner_timeout = endpoint.connect_timeout
        transport.handshake_timeout = endpoint.connect_timeout
        transport.auth_timeout = endpoint.auth_timeout
        transport.channel_timeout = endpoint.connect_timeout
        _prefer(transport, endpoint, [pin.type] if pin else [e.key.type for e in about_it if not e.marker])
    try:
        transport.start_client(timeout=endpoint.connect_timeout * 1.5)
    except paramiko.ssh_exception.IncompatiblePeer:
        raise
    except Exception as error:  # noqa: BLE001 paramiko hands on whatever its thread met
        raise unreachable(error, endpoint, "") from None
    _check(transport, endpoint, about_it, pin)
    return transport


def _prefer(transport: paramiko.Transport, endpoint: Endpoint, expected: list[str]) -> None:
    options = transport.get_security_options()
    older = OUTDATED if endpoint.legacy else {}
    options.key_types = algorithms(expected, (*MODERN["keys"], *older.get("keys", ())))
    options.ciphers = [
        c for c in (*MODERN["ciphers"], *older.get("ciphers", ())) if c in paramiko.Transport._cipher_info
    ]


def _check(
    transport: paramiko.Transport, endpoint: Endpoint, about_it: list[Entry], pin: HostKey | None
) -> None:
    key = transport.get_remote_server_key()
    seen = HostKey(key.get_name(), key.asbytes())
    if pin is not None:
        if pin == seen:
            return
        verdict = Verdict("changed", (pin,))
        advice = f"if the server was really reinstalled: vts_ssh_host_key: {seen.type} {key.get_base64()}"
    else:
        verdict = judge(seen, about_it, endpoint.known_as, endpoint.port)
        if verdict.trusted:
            return
        file = verdict.place.rpartition(":")[0] or endpoint.known_hosts[0]
        advice = remedy(
            verdict, address=endpoint.known_as, port=endpoint.port, kind=seen.type, known_hosts=file
        )
    transport.close()
    raise Unreachable(f"{endpoint.name}: {_said(verdict, seen)}", remedy=advice, stage="host key")


def _said(verdict: Verdict, seen: HostKey) -> str:
    shown = f"{seen.type} {seen.fingerprint}"
    expected = ", ".join(f"{k.type} {k.fingerprint}" for k in verdict.expected)
    match verdict.word:
        case "changed":
            place = f" ({verdict.place})" if verdict.place else " (pinned)"
            return f"the host key has changed: the server shows {shown}, expected is {expected}{place}"
        case "revoked":
            return f"the host key {shown} is marked as revoked in {verdict.place}"
        case _:
            return f"the host key is not known: the server shows {shown}"


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
    if "server-sig-algs" not in transport.server_extensions and not endpoint.legacy:
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

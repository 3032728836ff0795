"""The start of a connection: SSH greeting, key exchange, and the check of the server's key."""

from __future__ import annotations

import contextlib

import paramiko

from vtsconf.core.errors import Unreachable
from vtsconf.transport.algorithms import MODERN, OUTDATED, disabled
from vtsconf.transport.endpoint import Endpoint
from vtsconf.transport.failure import translated, unreachable
from vtsconf.transport.hostkeys import Entry, HostKey, Verdict, algorithms, entries_for, judge, remedy
from vtsconf.transport.way import Stream

_WINDOW = 16 * 1024 * 1024  # bytes in flight from the server before it waits for us


def announces_signatures(transport: paramiko.Transport) -> bool:
    """Whether the server said which signatures it takes, as those since about 2016 do (RFC 8308)."""
    return "server-sig-algs" in transport.server_extensions  # type: ignore[attr-defined]  # not in the stubs


class Transport(paramiko.Transport):
    """paramiko's, which forgets what key exchange it used as soon as it is done."""

    kex_used: str = ""

    def run(self) -> None:
        # Closing a stream whose jump host is gone raises: in a thread, to nobody.
        with contextlib.suppress(Exception):
            super().run()

    def _parse_kex_init(self, m: paramiko.Message) -> None:
        super()._parse_kex_init(m)  # type: ignore[misc]  # not in the stubs
        used, known = type(self.kex_engine), self._kex_info  # type: ignore[attr-defined]  # likewise
        self.kex_used = next((name for name, engine in known.items() if engine is used), used.__name__)


class LegacyTransport(Transport):
    """For servers that take SHA-1 signatures alone.

    The old ones announce no `server-sig-algs`, and paramiko would sign with SHA-2 then. It asks for this list
    once it knows what they announce. Newer ones announce SHA-2 and may yet be configured not to take it.
    """

    sha1_signatures: bool = False

    @property
    def preferred_pubkeys(self) -> tuple[str, ...]:
        ours = tuple(super().preferred_pubkeys)
        if announces_signatures(self) and not self.sha1_signatures:
            return ours
        return tuple(name for name in ours if not name.startswith("rsa-sha2-"))


def greet(stream: Stream, endpoint: Endpoint, entries: list[Entry]) -> Transport:
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
    options.ciphers = [c for c in (*MODERN["ciphers"], *older.get("ciphers", ())) if c in options.ciphers]


def _check(
    transport: paramiko.Transport, endpoint: Endpoint, about_it: list[Entry], pin: HostKey | None
) -> None:
    key = transport.get_remote_server_key()
    seen = HostKey(key.get_name(), key.asbytes())
    if pin is not None:
        if pin == seen:
            return
        verdict = Verdict("changed", (pin,))
        advice = (
            "it may be somebody who listens in; only if the fingerprint is the server's own: "
            f"`vts_ssh_host_key: {seen}`"
        )
    else:
        verdict = judge(seen, about_it, endpoint.known_as, endpoint.port)
        if verdict.trusted:
            return
        file = verdict.place.rpartition(":")[0] or endpoint.known_hosts[0]
        advice = remedy(
            verdict,
            seen,
            address=endpoint.address,
            known_as=endpoint.known_as,
            port=endpoint.port,
            known_hosts=file,
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

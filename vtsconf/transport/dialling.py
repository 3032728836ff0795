"""From a Target to a logged-in connection: resolve, open the way, greet, check the key, log in."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import paramiko

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable, at_stage
from vtsconf.core.printable import printable
from vtsconf.transport.algorithms import Offer, SshFacts, ask
from vtsconf.transport.endpoint import Endpoint, Here, endpoint_of, jump_target
from vtsconf.transport.failure import translated
from vtsconf.transport.greeting import Transport, greet
from vtsconf.transport.hostkeys import HostKey
from vtsconf.transport.keys import Keyring
from vtsconf.transport.localfiles import LocalFiles
from vtsconf.transport.login import authenticate
from vtsconf.transport.way import Jumps, Stream, tcp, through_command

_HOPS = 8


@dataclass(frozen=True, kw_only=True)
class Link:
    """A connection, logged in."""

    endpoint: Endpoint
    transport: paramiko.Transport
    stream: Stream
    facts: SshFacts
    leave: Callable[[], None]  # lets go of what the way was made of

    def close(self) -> None:
        """Close at once. Shutting the stream down first wakes paramiko's reader, which else sleeps up to 0.1 s."""
        _hang_up(self.stream, self.transport)
        self.leave()


@dataclass(kw_only=True)
class Dialling:
    """What all connections of a run share: files read once, keys decrypted once, jump hosts connected once."""

    here: Here
    warn: Callable[[str], None]
    files: LocalFiles = field(init=False)
    keyring: Keyring = field(default_factory=Keyring)
    jumps: Jumps = field(default_factory=Jumps)
    _said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.files = LocalFiles(home=self.here.home, warn=self.warn)

    def link(self, target: Target) -> Link:
        """Raises Unreachable."""
        endpoint = self._endpoint(target)
        self._check_route(target, endpoint)
        with at_stage("network"):
            stream, leave = self._way(target, endpoint)
        try:
            with at_stage("greeting"):
                transport = self._greeted(target, endpoint, stream)
            try:
                with at_stage("login"):
                    method = authenticate(transport, endpoint, self.keyring)
            except BaseException:
                _hang_up(stream, transport)
                raise
        except BaseException:
            stream.close()
            leave()
            raise
        if endpoint.keep_alive > 0:
            transport.set_keepalive(max(1, int(endpoint.keep_alive)))
        facts = _facts(transport, endpoint, method)
        self._say_legacy(endpoint, facts)
        return Link(endpoint=endpoint, transport=transport, stream=stream, facts=facts, leave=leave)

    def _endpoint(self, target: Target) -> Endpoint:
        return endpoint_of(target, self.files.config(target.ssh_config, target.name), self.here)

    def _check_route(self, target: Target, endpoint: Endpoint) -> None:
        """A circle of jump hosts would wait for itself for ever, so it is looked for before the first is called."""
        hop, at = target, endpoint
        for _ in range(_HOPS):
            if not at.jumps:
                return
            hop = _last_hop(at, hop)
            at = self._endpoint(hop)
        raise Unreachable(
            f"{target.name}: more than {_HOPS} jump hosts", remedy="look for a circle in ProxyJump"
        )

    def _way(self, target: Target, endpoint: Endpoint) -> tuple[Stream, Callable[[], None]]:
        if endpoint.jumps:
            return self._through_jump(target, endpoint)
        with translated(endpoint, ""):
            if endpoint.proxy_command:
                return through_command(endpoint.proxy_command)
            return tcp(endpoint), lambda: None

    def _through_jump(self, target: Target, endpoint: Endpoint) -> tuple[Stream, Callable[[], None]]:
        last, hop = endpoint.jumps[-1], _last_hop(endpoint, target)

        def opened() -> tuple[paramiko.Transport, Callable[[], None]]:
            link = self.link(hop)
            return link.transport, link.close

        try:
            transport, leave = self.jumps.board((endpoint.jumps, hop), opened)
        except Unreachable as error:
            raise Unreachable(
                f"{endpoint.name}: through the jump host {printable(last)}: {error}",
                remedy=error.remedy,
                stage="jump host",
            ) from None
        try:
            with translated(endpoint, f"asking the jump host {printable(last)} for {endpoint.where}"):
                channel = transport.open_channel(
                    "direct-tcpip",
                    (endpoint.address, endpoint.port),
                    ("127.0.0.1", 0),
                    timeout=endpoint.connect_timeout,
                )
        except BaseException:
            leave()
            raise
        return channel, leave

    def _greeted(self, target: Target, endpoint: Endpoint, stream: Stream) -> Transport:
        entries = [] if endpoint.host_key else self.files.known_hosts(endpoint.known_hosts, endpoint.name)
        try:
            return greet(stream, endpoint, entries)
        except paramiko.ssh_exception.IncompatiblePeer as error:
            reason = str(error)
        with at_stage("algorithms"):
            raise _incompatible(endpoint, self._offer(target, endpoint), reason)

    def _offer(self, target: Target, endpoint: Endpoint) -> Offer | None:
        """Ask the server again, on a connection of its own, what it can do."""
        try:
            stream, leave = self._way(target, endpoint)
        except Unreachable:
            return None
        try:
            stream.settimeout(endpoint.connect_timeout)
            return ask(stream)
        except (OSError, EOFError, paramiko.SSHException):
            return None
        finally:
            stream.close()
            leave()

    def _say_legacy(self, endpoint: Endpoint, facts: SshFacts) -> None:
        if not endpoint.legacy:
            return
        if facts.outdated:
            self._say_once(
                f"{endpoint.name}: connected with outdated SSH algorithms ({', '.join(facts.outdated)}), "
                "which vts_ssh_legacy allows: others can read or change such a connection more easily"
            )
        else:
            self.warn(
                f"{endpoint.name}: vts_ssh_legacy is set, and this server does not need it: take it out"
            )

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.warn(text)


def _last_hop(endpoint: Endpoint, target: Target) -> Target:
    """The jump host that calls the server itself; it is reached through those before it."""
    *before, last = endpoint.jumps
    return replace(jump_target(last, target), proxy_jump=",".join(before))


def _hang_up(stream: Stream, transport: paramiko.Transport) -> None:
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        stream.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        transport.close()


def _incompatible(endpoint: Endpoint, offer: Offer | None, reason: str) -> Unreachable:
    if offer is None:
        return Unreachable(
            f"{endpoint.name}: no SSH algorithm in common ({printable(reason)})",
            remedy="if it is an old server, set vts_ssh_legacy: true for this host",
        )
    lacks = "; ".join(printable(text) for text in offer.lacks)
    if offer.legacy_would_help and not endpoint.legacy:
        return Unreachable(
            f"{endpoint.name}: the server offers only outdated SSH algorithms: {lacks}",
            remedy="update its SSH server, or set vts_ssh_legacy: true for this host alone",
        )
    return Unreachable(
        f"{endpoint.name}: no SSH algorithm in common: it offers {lacks or reason}",
        remedy="update its SSH server; even vts_ssh_legacy does not reach that far",
    )


def _facts(transport: Transport, endpoint: Endpoint, method: str) -> SshFacts:
    key = transport.get_remote_server_key()
    return SshFacts(
        address=endpoint.address,
        port=endpoint.port,
        user=endpoint.user,
        server_version=printable(transport.remote_version),
        kex=transport.kex_used,
        host_key=str(transport.host_key_type),
        fingerprint=HostKey(key.get_name(), key.asbytes()).fingerprint,
        cipher=str(transport.local_cipher),
        # A GCM cipher proves the packets itself; whatever MAC was agreed on is not used.
        mac="" if "gcm" in str(transport.local_cipher) else str(transport.local_mac),
        auth=method,
        jumps=endpoint.jumps,
    )

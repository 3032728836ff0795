"""Reaches a server: the connector that its target names, the protocol on top."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from vtsconf.core.connection import Target
from vtsconf.core.secret import FingerprintKey
from vtsconf.transport.server import Connector, Server, Session

Reach = Callable[[Target], Server]  # raises Unreachable


def _new_mark() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Time-outs of the project's settings, in seconds; a host's own variables win over them."""

    connect: float | None = None
    command: float | None = None

    def on(self, target: Target) -> Target:
        """The target with these where it says nothing else."""
        usual = Target(name=target.name)
        if self.connect is not None and target.connect_timeout == usual.connect_timeout:
            target = replace(target, connect_timeout=self.connect)
        if self.command is not None and target.total_timeout == usual.total_timeout:
            target = replace(target, total_timeout=self.command)
        return target


class Lines:
    """The way to servers, shared by all hosts of a command: keys and known_hosts are read once.

    `key` is asked only when a change needs it.
    """

    def __init__(self, key: Callable[[], FingerprintKey], limits: Limits | None = None) -> None:
        self._key, self._limits = key, limits or Limits()
        self._connectors: dict[str, Connector] = {}
        self._guard = threading.Lock()

    def __call__(self, target: Target) -> Server:
        """A new connection. Raises Unreachable."""
        from vtsconf.transport.shell import ShellServer

        session = self._connect(self._limits.on(target))
        return ShellServer(session, new_mark=_new_mark, key=self._key, name=target.name)

    def warm(self, kinds: Collection[str]) -> None:
        """Load what these kinds of connections need, once, before processes part."""
        from vtsconf.transport import shell  # noqa: F401

        for kind in kinds:
            self._connectors.setdefault(kind, _connector(kind))

    def _connect(self, target: Target) -> Session:
        with self._guard:
            if target.transport not in self._connectors:
                self._connectors[target.transport] = _connector(target.transport)
            connector = self._connectors[target.transport]
        return connector.connect(target)


def _connector(kind: str) -> Connector:
    if kind == "local":
        from vtsconf.transport.local import LocalConnector

        return LocalConnector()
    from vtsconf.transport.ssh import SshConnector

    return SshConnector()

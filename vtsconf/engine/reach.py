"""Reaches a server: the connector that its target names, the protocol on top."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from vtsconf.core.connection import Target
from vtsconf.core.secret import FingerprintKey
from vtsconf.transport.server import Connector, Server

Reach = Callable[[Target], Server]  # raises Unreachable


def _connector(kind: str) -> Connector:
    if kind == "local":
        from vtsconf.transport.local import LocalConnector

        return LocalConnector()
    from vtsconf.transport.ssh import SshConnector

    return SshConnector()


def _new_mark() -> str:
    return secrets.token_hex(16)


def reach_with(key: Callable[[], FingerprintKey]) -> Reach:
    """A way to reach servers; `key` is asked only when a change needs it."""

    def reach(target: Target) -> Server:
        from vtsconf.transport.shell import ShellServer

        session = _connector(target.transport).connect(target)
        return ShellServer(session, new_mark=_new_mark, key=key, name=target.name)

    return reach

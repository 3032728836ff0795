"""SSH to a server: from a Target to a Session. paramiko is imported when the first connection is made."""

from __future__ import annotations

import getpass
import logging
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.endpoint import Here

if TYPE_CHECKING:
    from vtsconf.transport.dialling import Dialling
    from vtsconf.transport.session import SshSession

_LOADING = threading.Lock()


def here() -> Here:
    """Who runs us, from the environment."""
    return Here(user=getpass.getuser(), home=str(Path.home()))


def say(text: str) -> None:
    """Where warnings go by default: stderr."""
    sys.stderr.write(f"warning: {text}\n")


def load_paramiko() -> None:
    """Import paramiko without `invoke`, which only its ssh_config parser wants: a third of its import time."""
    with _LOADING:
        if "paramiko" in sys.modules:
            return
        absent = "invoke" not in sys.modules
        if absent:
            sys.modules["invoke"] = None  # type: ignore[assignment]  # how Python spells "not installed"
        try:
            import paramiko  # noqa: F401 the import is the point
        finally:
            if absent:
                del sys.modules["invoke"]
        # What it would log is told by our own exceptions.
        logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


@dataclass(kw_only=True)
class SshConnector:
    """Makes SSH sessions; one for the whole fleet, used by many threads at once.

    `warn` is told what a person should know although it works: outdated algorithms, lines of
    ssh_config that are not applied. `token` gives letters and digits nobody can guess.
    """

    warn: Callable[[str], None] = say
    here: Here = field(default_factory=here)
    token: Callable[[], str] = lambda: secrets.token_hex(8)
    _dialling: Dialling | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def connect(self, target: Target) -> SshSession:
        """Raises Unreachable with one sentence and the remedy."""
        if target.transport != "ssh":
            raise Unreachable(
                f"{target.name}: `{target.transport}` is not SSH", remedy="set ansible_connection: ssh"
            )
        load_paramiko()
        from vtsconf.transport.exchange import Limits
        from vtsconf.transport.session import SshSession

        link = self._dial().link(target)
        endpoint, become = link.endpoint, target.become
        if become is not None and become.user == endpoint.user:
            become = None
        return SshSession(
            link=link,
            limits=Limits(idle=target.idle_timeout, total=target.total_timeout),
            become=become,
            token=self.token,
        )

    def _dial(self) -> Dialling:
        from vtsconf.transport.dialling import Dialling

        with self._lock:
            if self._dialling is None:
                self._dialling = Dialling(here=self.here, warn=self.warn)
            return self._dialling

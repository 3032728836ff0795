"""A session over SSH: logged in, executes commands one after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from vtsconf.core.connection import Become
from vtsconf.core.errors import Unreachable
from vtsconf.transport.algorithms import SshFacts
from vtsconf.transport.become import Wrapped, refusal, wrapped
from vtsconf.transport.dialling import Link
from vtsconf.transport.exchange import Exchange, Limits, NotStarted
from vtsconf.transport.failure import translated
from vtsconf.transport.server import Exit

COMMAND_LIMIT = 120_000  # bytes; Linux takes 128 KiB in one word


@dataclass(kw_only=True)
class SshSession:
    """One connection to one server. Not for two threads at once."""

    link: Link
    limits: Limits
    become: Become | None
    token: Callable[[], str]
    _closed: bool = False

    @property
    def facts(self) -> SshFacts:
        """What the connection came to use: algorithms, host key, login method."""
        return self.link.facts

    @property
    def host_key(self) -> str:
        """The server's public key as a line: "ssh-ed25519 AAAA…"."""
        key = self.link.transport.get_remote_server_key()
        return f"{key.get_name()} {key.get_base64()}"

    @property
    def patient(self) -> SshSession:
        """The same session for commands that may take any time, as long as they are not silent."""
        return replace(self, limits=replace(self.limits, total=math.inf))

    def execute(self, command: str, stdin: Iterable[bytes], on_stdout: Callable[[bytes], None]) -> Exit:
        """See Session. After Unreachable the session is closed.

        A command may have 120,000 bytes when wrapped; longer ones go to `sh -s` on stdin.
        """
        endpoint, become = self.link.endpoint, self.become
        line = self._wrapped(command)
        with translated(endpoint, "starting a command"):
            channel = self.link.transport.open_session()
            channel.exec_command(line.line)
        password = become.password.reveal() if become and become.password else None
        exchange = Exchange(channel, line, self.limits, endpoint.name, self.close, password)
        try:
            return exchange.run(stdin, on_stdout)
        except NotStarted as refused:
            assert become is not None
            what, remedy = refusal(become, refused.stderr)
            raise Unreachable(f"{endpoint.name}: {what}", remedy=remedy, stage="become") from None

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.link.close()

    def _wrapped(self, command: str) -> Wrapped:
        name = self.link.endpoint.name
        try:
            line = wrapped(command, self.become, self.token())
        except ValueError as error:
            raise Unreachable(f"{name}: {error}", remedy="correct the ansible_become_* variables") from None
        if len(line.line.encode()) > COMMAND_LIMIT:
            raise ValueError(f"a command of {len(line.line)} characters: send it on stdin")
        return line

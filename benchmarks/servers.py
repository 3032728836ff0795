"""N real OpenSSH servers on loopback, each with its own file system, and the state that a measurement begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import work
from tests.real.openssh import OpenSsh, keys, missing

_CONFIG = "MaxStartups 500:30:500\nSubsystem sftp internal-sftp\n"


@dataclass(kw_only=True)
class Servers:
    """Running servers. `texts` are their files as they should be, once `learn` was called."""

    folder: Path
    running: list[OpenSsh]
    templates: dict[str, str] = field(default_factory=dict)

    @property
    def servers(self) -> list[work.Server]:
        return [
            work.Server(f"vts{n:03}", server.address, server.port) for n, server in enumerate(self.running, 1)
        ]

    @property
    def key(self) -> Path:
        return keys().user

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def host_key(self) -> str:
        return keys().public("host_ed25519")

    def learn(self) -> None:
        """Take what stands on the first server now for what should be on all."""
        texts = {path: self.running[0].path(path).read_text() for path in work.FILES}
        self.templates = work.templates(self.servers[0], texts)

    def right(self, count: int) -> None:
        """Make the first `count` servers as they should be."""
        for server, on in zip(self.servers[:count], self.running, strict=False):
            for path, template in self.templates.items():
                _write(on.path(path), work.rendered(template, server))

    def outdate(self, count: int) -> None:
        """Three files of each server differ from what they should be."""
        for server, on in zip(self.servers[:count], self.running, strict=False):
            for path in work.DIFFERING:
                _write(on.path(path), work.out_of_date(path, work.rendered(self.templates[path], server)))

    def wrong(self, count: int) -> list[str]:
        """Files that are not as they should be, as `vts001 /path`."""
        return [
            f"{server.name} {path}"
            for server, on in zip(self.servers[:count], self.running, strict=False)
            for path, template in self.templates.items()
            if on.path(path).read_text() != work.rendered(template, server)
        ]

    def restarts(self, count: int) -> int:
        """How often services have been restarted, over the first `count` servers."""
        logs = [on.path(work.RESTARTS) for on in self.running[:count]]
        return sum(len(log.read_text().splitlines()) for log in logs if log.exists())


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)


def lacking() -> list[str]:
    """What this machine lacks for real servers."""
    return missing()


@contextmanager
def started(folder: Path, count: int) -> Iterator[Servers]:
    """`count` servers, with the service and a first configuration file; they end with the block."""
    running: list[OpenSsh] = []
    try:
        for _ in range(count):
            running.append(OpenSsh.start(folder, own=work.OWN, config=_CONFIG, level="INFO"))
            _furnish(running[-1])
        servers = Servers(folder=folder, running=running)
        servers.known_hosts.write_text("".join(server.known_hosts("host_ed25519") for server in running))
        yield servers
    finally:
        for server in running:
            server.stop()


def _furnish(server: OpenSsh) -> None:
    for folder in (f"{work.ROOT}/etc", f"{work.ROOT}/bin", f"{work.ROOT}/log"):
        server.path(folder).mkdir()
    service = server.path(work.SERVICE)
    service.write_text(work.RESTART_PROGRAM)
    service.chmod(0o755)
    _write(server.path(work.CONFIG), work.first_config())

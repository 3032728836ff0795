"""Real servers for the tests in this folder; each ends with its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.real.bacula.daemons import Bacula
from tests.real.openssh import OpenSsh, require_openssh
from tests.real.postgres import Postgres


class StartOpenSsh(Protocol):
    def __call__(self, **wanted: object) -> OpenSsh: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[StartOpenSsh]:
    """`openssh(own=("/usr/local/tape",))` starts a server; all end with the test."""
    require_openssh()
    servers: list[OpenSsh] = []

    def start(**wanted: object) -> OpenSsh:
        servers.append(OpenSsh.start(tmp_path, **wanted))  # type: ignore[arg-type]
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(openssh: StartOpenSsh) -> OpenSsh:
    """A server with nothing special."""
    return openssh()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One for all tests of this process."""
    server = Postgres.start_new()
    yield server
    server.stop()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Postgres:
    """A running server, even where the test before has killed it; take a `fresh()` database."""
    postgres_server.start()
    return postgres_server


@pytest.fixture(scope="session")
def bacula() -> Iterator[Bacula]:
    """One for all tests of this process that break nothing of it; `bacula.place()` is what an executor is told."""
    server = Bacula.start_new(slots=12)
    yield server
    server.stop()

"""The engine's work as another process sees it: nothing is started, nothing is locked."""

from __future__ import annotations

from typing import Self

from vtsconf.engine.durable.desk import Desk
from vtsconf.engine.durable.library import NAME, dbos
from vtsconf.engine.durable.store import sentences, store_at


class Client(Desk):
    """A context manager. Where no engine has ever been, there is no work; raises VtsconfError when the store is away."""

    def __init__(self, store_url: str) -> None:
        self._store = store_at(store_url)

    def __enter__(self) -> Self:
        if not self._store.exists:
            return self
        self._store.check()
        with sentences(self._store):
            client = connected(self._store.url)
            self._api = client if is_made(client) else None
        if self._api is None:
            client.destroy()
        return self

    def __exit__(self, *_: object) -> None:
        if self._api is not None:
            self._api.destroy()


def connected(url: str):  # type: ignore[no-untyped-def]  # noqa: ANN201 the library's type, which is not loaded here
    """A client of the library; what is wrong is said at once, not waited for."""
    module = dbos()
    return module.DBOSClient(
        system_database_url=url,
        application_name=NAME,
        serializer=module.DBOSPortableJSONSerializer(),
        retry_connection_errors=False,
    )


def is_made(client) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """The tables are there."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    try:
        client.list_queues()
    except (OperationalError, ProgrammingError) as error:
        if "no such table" in str(error) or "does not exist" in str(error):
            return False
        raise
    return True

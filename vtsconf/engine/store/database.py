"""What the journal asks of a database. SQL is the part that SQLite and PostgreSQL share; values stand as `?`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from vtsconf.core.errors import Refused, Usage

Row = tuple[Any, ...]
Result = TypeVar("Result")
KNOWN = "write sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE"


class Transaction(Protocol):
    """Statements that take effect together, or not at all."""

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]: ...

    def write(self, statement: str, rows: Sequence[Row]) -> None:
        """The statement once for each row of values, in their order."""
        ...


class Database(Transaction, Protocol):
    """Opens when first used, and makes its tables then. Safe for threads. Each `read` and `write` stands alone.

    What was written is on the disk when a call returns. A call that fails is a VtsconfError with a sentence
    that holds no password; a call may be done again after a connection was lost, so statements must bear that.
    """

    @property
    def exists(self) -> bool:
        """False: nobody has written here yet."""
        ...

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        """`work` in one transaction; what it raises takes everything back. It may be called more than once."""
        ...

    def among(self, column: str) -> str:
        """The condition that `column` is one of many; its one value comes from `listed`."""
        ...

    def listed(self, names: Sequence[str]) -> Any:
        """Many names as one value: a database bounds how many values a statement has."""
        ...

    def close(self) -> None: ...


def database(url: str, patience: float) -> Database:
    """The database at `url`; nothing is opened yet. `patience`: seconds a lost connection is tried again for.

    Raises Usage or Refused where the URL is none that is known; what it says is not repeated: it may hold a password.
    """
    if url.startswith("sqlite:///"):
        from vtsconf.engine.store.sqlite import Sqlite

        return Sqlite(url.removeprefix("sqlite:///"))
    if url.startswith("postgresql://"):
        from vtsconf.engine.store.postgresql import Postgresql

        return Postgresql(url, patience)
    raise Usage("the store is not an URL that is known", remedy=KNOWN)


def of_later_version(name: str) -> Refused:
    """The tables were made by a vtsconf that knows more than this one."""
    return Refused(
        f"the journal {name} was written by a later version of vtsconf",
        remedy="use that version, or another store",
    )

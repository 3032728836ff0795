"""Where the engine keeps its tables: in a file beside a SQLite store, or in the PostgreSQL database of the store.

Beside it, not in it: in one file the journal's writes waited up to 130 ms for the engine's, in two 3 ms (docs/adr/0009).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from vtsconf.core.errors import Refused, Usage, VtsconfError
from vtsconf.engine.settings import redacted

if TYPE_CHECKING:
    from sqlalchemy import URL

_REMEDY = "write sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE"
_GRANTS = (
    "let the owner of the database grant this role what docs/store.md lists: the schema dbos is needed, too"
)
_OLDEST = (3, 35)  # the library's statements use RETURNING


@dataclass(frozen=True, kw_only=True)
class Store:
    """`url` is for the library, and never for people; `file` is None for PostgreSQL."""

    url: str = field(repr=False)
    file: Path | None = None

    @property
    def exists(self) -> bool:
        """False only where it is certain."""
        return self.file is None or self.file.exists()

    @property
    def lock(self) -> Path:
        """The file that the one engine of a SQLite store holds."""
        assert self.file
        return self.file.with_name(self.file.name.removesuffix(".db"))

    def __str__(self) -> str:
        return str(self.file or redacted(self.url))

    def check(self) -> URL:
        """The URL in its parts. Raises Usage for one from which nobody learns which database is meant."""
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            url = make_url(self.url)
        except (ArgumentError, ValueError):
            raise Usage(f"the store {self} is not an URL that can be read", remedy=_REMEDY) from None
        if not url.database:
            raise Usage(f"the store {self} names no database", remedy=_REMEDY)
        return url

    def prepare(self) -> None:
        """Make the file of a SQLite store, readable for its owner only, in the mode that lets others read meanwhile."""
        self.check()
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise unusable(self, error, remedy="set `store` to a place you can write") from error
        _set_wal(self)


def store_at(url: str) -> Store:
    """The engine's store of a store setting: `sqlite:///PATH` → PATH.engine.db, `postgresql://…` as it is."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///")).absolute()
        file = path.with_name(path.name + ".engine.db")
        return Store(url=f"sqlite:///{quote(str(file))}", file=file)
    if url.startswith(("postgresql://", "postgresql+")):
        return Store(url="postgresql://" + url.partition("://")[2])
    raise Usage("the store is not an URL that is known", remedy=_REMEDY)


def _set_wal(store: Store) -> None:
    """It stays with the file; the library leaves the slow mode."""
    from sqlalchemy import NullPool, create_engine, text

    engine = create_engine(store.url, poolclass=NullPool)
    check_sqlite(engine.dialect.dbapi.sqlite_version_info)  # type: ignore[union-attr]
    with sentences(store), engine.connect() as db:
        db.execute(text("pragma journal_mode=wal"))


def check_sqlite(version: tuple[int, ...]) -> None:
    """Raises Refused."""
    if version < _OLDEST:
        raise Refused(
            f"this Python's SQLite is {'.'.join(map(str, version))}, and rollouts need 3.35 or newer",
            remedy="use a Python with a newer SQLite, or a postgresql:// store",
        )


@contextmanager
def sentences(store: Store) -> Iterator[None]:
    """What the database says becomes one sentence."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        said = getattr(error, "orig", None) or error
        raise unusable(store, said, _GRANTS if "permission denied" in str(said) else "") from None


def unusable(store: Store, error: BaseException, remedy: str = "") -> VtsconfError:
    """Of what was said only the first line, and never the password."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    secret = str(store.check().password or "")
    if secret:
        said = said.replace(secret, "***")
    return VtsconfError(f"the store {store} cannot be used: {said}", remedy=remedy)

"""Who is alive, asked of a real PostgreSQL: sessions end, come back, and are not taken for the dead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from tests.real.postgres import Postgres
from vtsconf.core.errors import VtsconfError
from vtsconf.engine.durable.owner import DatabaseOwner, _ask, _key
from vtsconf.engine.durable.store import store_at

GRACE = 0.3  # seconds


@pytest.fixture
def pair(postgres: Postgres) -> Iterator[tuple[DatabaseOwner, DatabaseOwner]]:
    store = store_at(postgres.fresh())
    owners = DatabaseOwner(store, GRACE), DatabaseOwner(store, GRACE)
    for owner in owners:
        owner.take()
    yield owners
    for owner in owners:
        owner.release()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _holds(owner: DatabaseOwner) -> bool:
    return owner._is_held and owner._db is not None


def test_the_living_have_not_ended(pair: tuple[DatabaseOwner, DatabaseOwner]) -> None:
    first, second = pair
    first._grace = 0

    assert set() == first.ended([first.name, second.name])


def test_a_lock_that_is_gone_counts_after_a_while(pair: tuple[DatabaseOwner, DatabaseOwner]) -> None:
    first, second = pair
    second.release()
    at_once = first.ended([second.name])
    _until(lambda: first.ended([second.name]) == {second.name})

    assert set() == at_once


def test_a_restart_of_the_database_ends_nobody(
    pair: tuple[DatabaseOwner, DatabaseOwner], postgres: Postgres
) -> None:
    """Not even the one that is the last to be back."""
    first, second = pair
    with second._guard:  # it cannot look
        postgres.restart()
        _until(lambda: _reaches(first))
        early = first.ended([second.name])
    _until(lambda: _key(second.name) in _locks(first))
    late = first.ended([second.name])

    assert (set(), set()) == (early, late)


def _reaches(owner: DatabaseOwner) -> bool:
    return _key(owner.name) in _locks(owner)


def _locks(owner: DatabaseOwner) -> set[int]:
    try:
        with owner._guard:
            return owner._locks()
    except SQLAlchemyError:
        return set()


def test_a_session_that_was_cut_takes_its_lock_again(
    pair: tuple[DatabaseOwner, DatabaseOwner], postgres: Postgres
) -> None:
    first, second = pair
    with psycopg.connect(second._store.url, autocommit=True) as db:
        db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'vtsconf owner'"
        )
    _until(lambda: not _holds(second))
    _until(lambda: _holds(first) and _holds(second))

    assert _key(second.name) in first._locks()


def test_the_database_notices_a_machine_without_power(pair: tuple[DatabaseOwner, DatabaseOwner]) -> None:
    (idle,) = _ask(pair[0]._db, "select current_setting('tcp_keepalives_idle')::int")

    assert 4 == idle


def test_a_database_that_is_away(postgres: Postgres) -> None:
    store = store_at(postgres.url)
    postgres.kill()
    with pytest.raises(VtsconfError, match="cannot be used: ") as caught:
        DatabaseOwner(store, GRACE).take()

    assert str(caught.value).startswith("the store postgresql://vtsconf@127.0.0.1:")

"""The real PostgreSQL of the tests does what its page says."""

from __future__ import annotations

import psycopg
import pytest

from tests.real.postgres import Postgres


def _names(url: str) -> list[str]:
    with psycopg.connect(url) as db:
        return [name for (name,) in db.execute("select name from seen order by name")]


def _note(url: str, name: str) -> None:
    with psycopg.connect(url) as db:
        db.execute("create table if not exists seen (name text)")
        db.execute("insert into seen values (%s)", (name,))


def test_fresh_databases_are_apart(postgres: Postgres) -> None:
    first, second = postgres.fresh(), postgres.fresh()
    _note(first, "a")
    _note(second, "b")

    assert [["a"], ["b"]] == [_names(first), _names(second)]


def test_what_was_committed_survives_a_crash(postgres: Postgres) -> None:
    url = postgres.fresh()
    _note(url, "kept")
    postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    postgres.start()

    assert ["kept"] == _names(url)


def test_a_restart_cuts_connections(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as db:
        postgres.restart()
        with pytest.raises(psycopg.OperationalError):
            db.execute("select 1")
    with psycopg.connect(postgres.url) as db:
        answer = db.execute("select 1").fetchone()

    assert (1,) == answer


def test_it_is_on_loopback_and_not_root(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as db:
        address = db.execute("show listen_addresses").fetchone()
    assert postgres._server

    assert ("127.0.0.1",) == address
    assert postgres._data.stat().st_uid != 0

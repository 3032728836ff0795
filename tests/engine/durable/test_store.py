"""Where the engine's tables are, and what is said when they cannot be reached."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from vtsconf.core.errors import Refused, Usage, VtsconfError
from vtsconf.engine.durable import Client, Engine
from vtsconf.engine.durable.store import check_sqlite, store_at

SECRET = "postgresql://ann:op:en%40sesame@127.0.0.1:1/vtsconf"  # nobody listens there


def test_beside_the_journal(tmp_path: Path) -> None:
    store = store_at(f"sqlite:///{tmp_path}/vtsconf.db")
    store.prepare()
    with sqlite3.connect(tmp_path / "vtsconf.db.engine.db") as db:
        (mode,) = db.execute("pragma journal_mode").fetchone()

    assert tmp_path / "vtsconf.db.engine" == store.lock
    assert "wal" == mode
    assert 0o600 == (tmp_path / "vtsconf.db.engine.db").stat().st_mode & 0o777


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "a site? 100%41 #1"
    with Engine(f"sqlite:///{directory}/vtsconf.db", flows={"one": lambda _: 1}) as engine:
        engine.submit("one", "one")
        result = engine.result("one", 20)
    made = {path.name for path in directory.iterdir()}

    assert 1 == result
    assert {"vtsconf.db.engine", "vtsconf.db.engine.db"} <= made


@pytest.mark.parametrize("url", ["postgresql://ann@db/vtsconf", "postgresql+psycopg://ann@db/vtsconf"])
def test_in_the_database_of_the_store(url: str) -> None:
    store = store_at(url)

    assert ("postgresql://ann@db/vtsconf", None) == (store.url, store.file)


def test_no_store_that_is_known() -> None:
    with pytest.raises(Usage):
        store_at("mysql://ann:sesame@db/vtsconf")


@pytest.mark.parametrize("url", ["postgresql://ann:sesame@db", "postgresql://ann:sesame@db:port/vtsconf"])
@pytest.mark.parametrize("kind", [Client, lambda url: Engine(url, flows={})])
def test_an_url_that_does_not_say_enough(kind, url: str) -> None:
    with pytest.raises(VtsconfError) as caught, kind(url):
        pass

    assert str(caught.value).startswith("the store postgresql://ann:***@db")
    assert "sesame" not in str(caught.value)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VtsconfError, match="cannot be used"):
        store_at(f"sqlite:///{tmp_path}/file/vtsconf.db").prepare()


def test_a_sqlite_that_is_too_old() -> None:
    check_sqlite((3, 35, 0))
    with pytest.raises(Refused, match=r"this Python.s SQLite is 3\.34\.1, and rollouts need 3\.35"):
        check_sqlite((3, 34, 1))


def test_a_password_is_never_shown(capfd: pytest.CaptureFixture[str]) -> None:
    said = [str(store_at(SECRET)), repr(store_at(SECRET))]
    for ask in (Client(SECRET), Engine(SECRET, flows={})):
        with pytest.raises(VtsconfError) as caught, ask:
            pass
        said += [str(caught.value), repr(caught.value), caught.value.remedy]
    said += capfd.readouterr()

    assert all("sesame" not in text for text in said), said
    assert "the store postgresql://ann:***@127.0.0.1:1/vtsconf cannot be used: " in said[2]

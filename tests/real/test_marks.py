"""The marks of event logs in a real PostgreSQL: of many who read the same, one moves the mark."""

from __future__ import annotations

import pytest

from tests.engine.migrate.test_book import race
from tests.real.postgres import Postgres

pytestmark = pytest.mark.real


def test_of_many_who_read_the_same_one_moves_the_mark(postgres: Postgres) -> None:
    assert [1] * 20 == race(postgres.fresh())

"""Connections begun ahead: each is given away once, and none is left open."""

from __future__ import annotations

import threading

import pytest

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.engine.ahead import Ahead

A, B = Target(name="a"), Target(name="b")


class Line:
    """A session that knows whether it was closed."""

    def __init__(self, target: Target) -> None:
        self.target, self.closed = target, threading.Event()

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def made() -> dict[str, Line]:
    return {}


@pytest.fixture
def ahead(made: dict[str, Line]) -> Ahead:
    def connect(target: Target) -> Line:
        if target.name == "b":
            raise Unreachable("refused", remedy="start it")
        return made.setdefault(target.name, Line(target))

    return Ahead(connect)


def test_a_connection_is_given_away_once(ahead: Ahead, made: dict[str, Line]) -> None:
    ahead.dial([A])

    assert ahead.take(A) is made["a"]
    assert ahead.take(A) is None


def test_its_failure_is_told_to_whoever_takes_it(ahead: Ahead) -> None:
    ahead.dial([B])

    with pytest.raises(Unreachable, match="refused"):
        ahead.take(B)


def test_what_nobody_takes_is_closed(ahead: Ahead, made: dict[str, Line]) -> None:
    ahead.dial([A, B])
    ahead.hang_up()

    assert ahead.take(A) is None
    assert made["a"].closed.wait(5)


def test_a_connection_to_another_address_is_not_the_one_that_is_wanted(
    ahead: Ahead, made: dict[str, Line]
) -> None:
    ahead.dial([A])

    assert ahead.take(Target(name="a", address="127.0.0.9")) is None
    assert made["a"].closed.wait(5)

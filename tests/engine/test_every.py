"""The same thing again and again, beside other work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from vtsconf.core.errors import Unreachable
from vtsconf.engine.every import Every

AWAIT = 30.0  # seconds: a bound, not what is expected


class Turns:
    """Raises what `does` gives it, if anything; tells when it was called."""

    def __init__(self, does: Callable[[int], Exception | None]) -> None:
        self.at: list[float] = []
        self.told: list[str] = []
        self.does = does
        self.changed = threading.Condition()

    def __call__(self) -> None:
        with self.changed:
            self.at.append(time.monotonic())
            self.changed.notify_all()
        if error := self.does(len(self.at)):
            raise error

    def every(self, pause: float = 0.01, longest: float = 0.01) -> Every:
        return Every(
            name="it", turn=self, pause=pause, longest=longest, told=lambda name, text: self.told.append(f"{name}: {text}")
        )  # fmt: skip

    def until(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.at) >= count, AWAIT)


def test_it_is_done_until_the_end() -> None:
    turns = Turns(lambda _: None)
    with turns.every():
        turns.until(5)
    time.sleep(0.05)
    count = len(turns.at)
    time.sleep(0.1)

    assert (count, []) == (len(turns.at), turns.told)


def test_a_turn_that_fails_is_told_once_and_the_next_one_comes() -> None:
    gone = Unreachable("vts1: nobody answers", remedy="switch it on")
    turns = Turns(lambda n: gone if n < 4 else KeyError("x") if n == 4 else None)
    with turns.every():
        turns.until(7)

    assert [
        "it: vts1: nobody answers; to do: switch it on; it is tried again later",
        "it: unexpected KeyError: this is a bug in vtsconf, please report it; it is tried again later",
        "it: it goes on",
    ] == turns.told


def test_the_pause_grows_while_it_fails_and_not_for_ever() -> None:
    turns = Turns(lambda n: Unreachable("away") if n < 6 else None)
    with turns.every(pause=0.05, longest=0.2):
        turns.until(15)
    pauses = [after - before for before, after in zip(turns.at, turns.at[1:], strict=False)]

    assert [True] * 5 == [
        pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.2, 0.2, 0.2), strict=False)
    ]
    assert min(pauses[5:]) < 0.1


def test_the_end_does_not_wait_for_a_turn() -> None:
    free = threading.Event()
    turns = Turns(lambda _: [None, free.wait(AWAIT)][0])
    begun = time.monotonic()
    with turns.every():
        turns.until(1)

    assert time.monotonic() - begun < AWAIT / 2
    free.set()

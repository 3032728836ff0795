"""Appends of many threads share a transaction, and its fate."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from vtsconf.core.errors import Refused, VtsconfError
from vtsconf.engine.store.database import Row
from vtsconf.engine.store.together import Together


class Disk:
    """Writes when it is let; `wrong`: what each write raises."""

    def __init__(self) -> None:
        self.written: list[list[Row]] = []
        self.busy, self.free = threading.Event(), threading.Event()
        self.wrong: list[BaseException | None] = []

    def write(self, rows: Sequence[Row]) -> None:
        self.busy.set()
        self.free.wait()
        self.written.append(list(rows))
        if self.wrong and (error := self.wrong.pop(0)):
            raise error


def side_by_side(together: Together, disk: Disk, numbers: Sequence[int]) -> dict[int, str]:
    """The first is being written while the others come; what each was told."""
    told: dict[int, str] = {}

    def work(number: int) -> None:
        try:
            together.add([(number,)])
        except BaseException as error:  # noqa: BLE001 what it was told
            told[number] = repr(error)
        else:
            told[number] = "written"

    threads = [threading.Thread(target=work, args=(number,)) for number in numbers]
    threads[0].start()
    disk.busy.wait()
    for thread in threads[1:]:
        thread.start()
    deadline = time.monotonic() + 60
    while len(together._next.rows) < len(numbers) - 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    disk.free.set()
    for thread in threads:
        thread.join()
    return told


def test_who_comes_while_one_is_written_goes_with_the_next() -> None:
    disk = Disk()
    told = side_by_side(Together(disk.write), disk, range(20))

    assert dict.fromkeys(range(20), "written") == told
    assert [[(0,)], [(number,) for number in range(1, 20)]] == [sorted(rows) for rows in disk.written]


def test_a_failure_is_told_to_all_whom_it_concerns_and_to_nobody_else() -> None:
    disk = Disk()
    disk.wrong = [None, VtsconfError("full")]
    together = Together(disk.write)
    told = side_by_side(together, disk, range(5))
    disk.wrong = [Refused("no", remedy="ask")]
    with pytest.raises(Refused, match="no") as refused:
        together.add([(9,)])

    assert {0: "written", **dict.fromkeys(range(1, 5), "VtsconfError('full')")} == told
    assert "ask" == refused.value.remedy


def test_what_an_interrupted_one_left_another_writes() -> None:
    disk = Disk()
    together = Together(disk.write)
    disk.wrong = [VtsconfError("first"), KeyboardInterrupt()]
    told = side_by_side(together, disk, range(5))

    assert ["KeyboardInterrupt()", "VtsconfError('first')", *["written"] * 3] == sorted(told.values())
    assert disk.written[1] == disk.written[2]


def test_rows_of_one_call_stay_together_in_their_order() -> None:
    disk = Disk()
    disk.free.set()
    Together(disk.write).add([(3,), (1,), (2,)])

    assert [[(3,), (1,), (2,)]] == disk.written

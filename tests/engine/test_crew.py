"""Work by several processes: every item once, in spite of children that die; and nothing is forked beside threads."""

from __future__ import annotations

import os
import threading

from vtsconf.engine.crew import crew, processes_for


def test_every_item_has_its_result_once() -> None:
    done = list(crew(range(40), lambda n: (n * n, os.getpid()), parallel=8, processes=3))

    assert {n: n * n for n in range(40)} == {n: square for n, (square, _) in done}
    assert 40 == len(done)
    assert 3 == len({pid for _, (_, pid) in done} - {os.getpid()})


def test_what_a_dead_child_has_not_answered_is_done_here() -> None:
    here = os.getpid()

    def work(n: int) -> int:
        if n == 7 and os.getpid() != here:
            os._exit(9)
        return n

    done = list(crew(range(20), work, parallel=1, processes=2))

    assert list(range(20)) == sorted(n for n, _ in done)
    assert all(item == result for item, result in done)


def test_large_answers_do_not_stop_a_child() -> None:
    done = dict(crew(range(6), lambda n: bytes([n]) * 1_000_000, parallel=2, processes=2))

    assert {n: bytes([n]) * 1_000_000 for n in range(6)} == done


def test_a_small_fleet_or_a_process_with_threads_is_not_divided() -> None:
    gone = threading.Event()
    thread = threading.Thread(target=gone.wait)

    assert 1 == processes_for(5)
    thread.start()
    assert 1 == processes_for(1000)
    gone.set()
    thread.join()

"""What a rollback takes for the last run that is still there."""

from __future__ import annotations

import pytest

from vtsconf.core.runs import RunSeen
from vtsconf.engine.undo import taken_back

CASES = {
    "nothing was taken back": ([("r1", ""), ("r2", "")], {}),
    "a rollback takes its run back": ([("r1", ""), ("r2", "r1")], {"r1": "r2"}),
    "a rollback that was taken back took nothing back": (
        [("r1", ""), ("r2", "r1"), ("r3", "r2")],
        {"r2": "r3"},
    ),
    "the last of two counts": ([("r1", ""), ("r2", "r1"), ("r3", "r1")], {"r1": "r3"}),
}


@pytest.mark.parametrize("case", CASES)
def test_taken_back(case: str) -> None:
    runs, expected = CASES[case]
    seen = [RunSeen(run=n, reverses=back, hosts={"a": {"outcome": "changed"}}) for n, back in runs]

    assert {(run, "a"): by for run, by in expected.items()} == taken_back(seen)


def test_a_rollback_that_failed_took_nothing_back() -> None:
    seen = RunSeen(run="r2", reverses="r1", hosts={"a": {"outcome": "stale"}, "b": {"outcome": "changed"}})

    assert {("r1", "b"): "r2"} == taken_back([seen])

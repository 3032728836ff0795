"""What waits is told with what it waits for, the causes in the order in which they hold it back."""

from __future__ import annotations

import pytest

from vtsconf.core.migrate.left import Held, Left, Parked, left_of

NOW = 1_800_000_000
TSM = Parked(kind="bma", name="tsm", failures=5, since=NOW - 180, reason="ANS1017E\nno session")


def held(**more: object) -> Held:
    return Held(**{"host": "vts1", "policy": "nightly", "bma": "tsm", "is_bound": True, "jobs": 2, **more})


@pytest.mark.parametrize(
    ("one", "around", "words"),
    [
        (held(), {}, "2 jobs wait on the list: `vtsconf migrate run` goes on with them"),
        (held(jobs=1, first=NOW + 90), {}, "1 job waits for the next attempt: from 2027-01-15 08:01 UTC, in 1m30s"),
        (
            held(first=NOW + 90), {"opens": {("vts1", "nightly"): NOW + 7200}},
            "2 jobs wait for the window of nightly: from 2027-01-15 10:00 UTC, in 2h",
        ),
        (
            held(first=NOW + 90), {"opens": {("vts1", "nightly"): NOW + 7200}, "parked": [TSM]},
            "2 jobs wait: bma tsm is parked after 5 failures, the first 3m ago: ANS1017E no session",
        ),
        (held(is_at_work=True), {"parked": [TSM]}, "2 jobs are at work: `vtsconf migrate run` finds them again"),
        (held(), {"away": ["vts1"], "parked": [TSM]}, "2 jobs wait for vts1, which is away"),
        (
            held(is_bound=False), {"opens": {("vts1", "nightly"): NOW + 7200}, "parked": [TSM]},
            "2 jobs wait on the list: `vtsconf migrate run` goes on with them",
        ),
    ],
)  # fmt: skip
def test_each_cause_in_words(one: Held, around: dict, words: str) -> None:
    assert [words] == [left.told(NOW) for left in left_of([one], **around)]


def test_those_that_wait_for_the_same_are_one() -> None:
    found = left_of(
        [held(first=NOW + 9), held(host="vts2", first=NOW + 5), held(policy="other", bma="nbu")],
        opens={("vts1", "nightly"): NOW + 60, ("vts2", "nightly"): NOW + 30},
    )

    assert [Left(waits_for="window", name="nightly", jobs=4, opens=NOW + 30), Left(waits_for="turn", name="", jobs=2)] == found  # fmt: skip

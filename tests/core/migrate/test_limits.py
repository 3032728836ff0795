"""From policies and settings to the limits that hold while jobs run: the smallest of those that are said."""

from __future__ import annotations

from typing import Any

import pytest

from vtsconf.core.migrate.limits import limits_of, windows_of
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.window import Window

SETTINGS = Limits(total=100, per_host=4, per_bma=20)


def policy(name: str = "nightly", **more: Any) -> Policy:
    return Policy(**{"name": name, "action": "migrate", "bma": "tsm", **more})


@pytest.mark.parametrize(
    ("policies", "drives", "jobs"),
    [
        ([{}], [], 20),  # the setting
        ([{"per_bma": 30}], [], 30),  # a policy goes before it
        ([{"per_bma": 3}, {"per_bma": 5}], [], 3),
        ([{"per_drive": 2}], [], 20),  # cannot be kept: the lint says so
        ([{"per_drive": 2}], [3], 6),
        ([{}], [3], 3),  # one job has a drive for itself
        ([{"per_drive": 2}, {}], [3], 6),
        ([{"per_drive": 2}, {"per_drive": 1}], [3], 3),
        ([{"per_drive": 2, "per_bma": 4}], [3], 4),
        ([{"per_drive": 2, "per_bma": 9}], [3], 6),
        ([{"per_drive": 9}], [3], 20),  # the setting is the smaller
        ([{"per_drive": 2}], [3, 2], 4),  # two servers say how many: the smaller
    ],
)
def test_how_many_jobs_of_a_bma_run_at_once(
    policies: list[dict[str, int]], drives: list[int], jobs: int
) -> None:
    theirs = [("vts1", policy(f"p{n}", **limits)) for n, limits in enumerate(policies)]

    assert jobs == limits_of(theirs, [("tsm", count) for count in drives], SETTINGS).of_bma("tsm")


def test_drives_count_for_jobs_that_no_policy_asks_for() -> None:
    limits = limits_of([], [("tsm", 2)], SETTINGS)

    assert (2, 20) == (limits.of_bma("tsm"), limits.of_bma("bacula"))


def test_drives_of_one_bma_do_not_limit_another() -> None:
    limits = limits_of([("vts1", policy(per_drive=5)), ("vts1", policy("b", bma="bacula"))],
                       [("tsm", 1), ("bacula", 2)], SETTINGS)  # fmt: skip

    assert (5, 2) == (limits.of_bma("tsm"), limits.of_bma("bacula"))


def test_each_host_has_its_own_limit_and_window() -> None:
    night, noon = Window(start=0, end=60), Window(start=720, end=780)
    theirs = [
        ("vts1", policy(per_host=1, window=night)),
        ("vts2", policy(per_host=3, window=noon)),
        ("vts3", policy()),
    ]

    limits = limits_of(theirs, [], SETTINGS)
    assert {("vts1", "nightly"): 1, ("vts2", "nightly"): 3} == limits.policies
    assert {("vts1", "nightly"): night, ("vts2", "nightly"): noon} == windows_of(theirs)
    assert (100, 4) == (limits.total, limits.per_host)

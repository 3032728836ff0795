"""Whether what a run left is what is there now."""

from __future__ import annotations

import pytest

from vtsconf.core.change import Action, Change
from vtsconf.core.drift.past import Past, left
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.secret import FingerprintKey, Secret


@pytest.mark.parametrize(
    ("was", "live", "same"),
    [
        ({"mode": "0644", "owner": "vts"}, {"mode": "0644"}, True),
        ({"mode": "0644"}, {"mode": "0600"}, False),
        ({"mode": "0644"}, {}, False),
        ({}, {}, True),
        ({}, {"mode": "0644"}, False),
    ],
)
def test_a_mapping_is_compared_by_what_is_looked_at_and_nothing_is_not_something(was, live, same):
    change = Change(address="x", action=Action.UPDATE, desired=was)
    past = Past(run="r1", plan=HostPlan(host="a", outcome=PlanOutcome.CHANGES, changes=(change,)))
    found = left([past], "x", live, key=FingerprintKey(Secret(b"00ff")))

    assert found is not None
    assert same is found.same

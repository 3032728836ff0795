"""What a finding makes of its host, and a host of its fleet: laws."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.drift.fleets import fleets
from vtsconf.core.drift.document import to_json
from vtsconf.core.drift.finding import OUTCOMES, Class, Finding, FleetDrift, HostDrift, Rule, Verdict
from vtsconf.core.outcome import Exit, PlanOutcome
from vtsconf.core.plan import HostPlan


def host(outcome: PlanOutcome, *classes: Class, stood: bool = False) -> HostDrift:
    found = (Finding(cls=cls, address=f"ems/{cls}", reason="so", stood=stood) for cls in classes)
    return HostDrift(plan=HostPlan(host="vts1", outcome=outcome), findings=tuple(found))


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("unreachable", 4), ("invalid", 3), ("locked", 7), ("error", 1)],
)
def test_a_host_that_was_not_compared_is_never_the_same(outcome: str, code: int) -> None:
    lost = host(PlanOutcome(outcome))
    everything_ignored = Rule(ignored=frozenset(Class))

    for rule in (Rule(), Rule(strict=True), everything_ignored):
        assert (Verdict.NOT_COMPARED, code, outcome) == (
            lost.verdict(rule),
            lost.exit(rule),
            lost.outcome(rule),
        )


@pytest.mark.parametrize(
    ("cls", "stood", "rule", "code"),
    [
        (Class.EDITED, False, Rule(), 2),
        (Class.NOT_APPLIED, False, Rule(), 2),
        (Class.NOT_LOADED, False, Rule(), 2),
        (Class.UNMANAGED, False, Rule(), 2),
        (Class.UNMANAGED, True, Rule(), 0),
        (Class.UNMANAGED, True, Rule(strict=True), 2),
        (Class.UNMANAGED, False, Rule(ignored=frozenset({Class.UNMANAGED})), 0),
        (Class.COSMETIC, False, Rule(), 0),
        (Class.COSMETIC, False, Rule(strict=True), 2),
        (Class.COSMETIC, False, Rule(strict=True, ignored=frozenset({Class.COSMETIC})), 0),
    ],
)
def test_what_counts(cls: Class, stood: bool, rule: Rule, code: int) -> None:
    assert code == host(PlanOutcome.IN_SYNC, cls, stood=stood).exit(rule)


@given(fleets())
def test_every_host_has_one_outcome(fleet: FleetDrift) -> None:
    assert list(OUTCOMES) == list(fleet.outcomes)
    assert len(fleet.hosts) == sum(fleet.outcomes.values())


@given(fleets())
def test_clean_means_that_every_host_was_compared_and_is_the_same(fleet: FleetDrift) -> None:
    clean = all(h.verdict(fleet.rule) is Verdict.SAME for h in fleet.hosts)

    assert clean == (fleet.exit is Exit.DONE)


@given(fleets(), st.sampled_from(Class))
def test_ignoring_a_class_never_makes_more_differ(fleet: FleetDrift, cls: Class) -> None:
    less = Rule(ignored=fleet.rule.ignored | {cls}, strict=fleet.rule.strict)

    for found in fleet.hosts:
        assert [f for f in found.told(fleet.rule) if f.cls is not cls] == list(found.told(less))
        assert found.verdict(fleet.rule) is not Verdict.SAME or found.verdict(less) is Verdict.SAME


@given(fleets())
def test_the_document_is_json_and_tells_every_finding(fleet: FleetDrift) -> None:
    document = json.loads(json.dumps(to_json(fleet)))
    told = [(h["host"], len(h["findings"]), h["exit"]) for h in document["hosts"]]

    assert "vtsconf/drift/1" == document["format"]
    assert told == [(h.name, len(h.told(fleet.rule)), h.exit(fleet.rule)) for h in fleet.hosts]
    assert document["summary"]["exit"] == fleet.exit

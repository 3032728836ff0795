"""The laws that hold for every kind, also for one that is added tomorrow."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.laws.kinds import HIDDEN, KINDS, PATH, apply, parameters, planned, read
from vtsconf.core import plan as plans
from vtsconf.core import vtsfile
from vtsconf.core.diff import detail
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import Plan, reversed_host

every_kind = pytest.mark.parametrize("kind", KINDS)
sane = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@every_kind
@sane
@given(data=st.data())
def test_converge(kind, data):
    scene = data.draw(KINDS[kind])
    server, resources, keys = scene.server(), scene.ready(), scene.keys()
    plan = planned(resources, read(server, resources), keys)
    assume(plan.outcome is not PlanOutcome.ERROR)

    assert apply(server, plan, keys, "run1").startswith("armed")
    again = planned(resources, read(server, resources), keys)

    assert (again.changes, again.steps) == ((), ())


@every_kind
@sane
@given(data=st.data())
def test_reverse(kind, data):
    scene = data.draw(KINDS[kind])
    server, resources, keys = scene.server(), scene.ready(), scene.keys()
    before = read(server, resources)
    plan = planned(resources, before, keys)
    assume(plan.outcome is not PlanOutcome.ERROR)

    assert apply(server, plan, keys, "run1").startswith("armed")
    assert apply(server, reversed_host(plan, "run1"), keys, "run2").startswith("armed")

    after = read(server, resources)
    assert [r.observe(before) for r in resources] == [r.observe(after) for r in resources]
    assert {p: f.data for p, f in before.files.items()} == {p: f.data for p, f in after.files.items()}
    assert before.queries == after.queries


@every_kind
@sane
@given(data=st.data())
def test_round_trip_and_no_secret_is_written_down(kind, data):
    scene = data.draw(KINDS[kind])
    resources, keys = scene.ready(), scene.keys()
    plan = Plan(made=1, by="me@here", hosts=(planned(resources, read(scene.server(), resources), keys),))

    text = json.dumps(plans.to_json(plan))
    shown = "\n".join(line for change in plan.hosts[0].changes for line in detail(change))

    assert HIDDEN not in text + shown + repr(plan)
    assert plan == plans.load(text.encode(), "plan")


@every_kind
@sane
@given(data=st.data())
def test_a_plan_is_made_of_its_changes(kind, data):
    scene = data.draw(KINDS[kind])
    resources, keys = scene.ready(), scene.keys()
    reading = read(scene.server(), resources)
    plan = planned(resources, reading, keys)
    assume(plan.outcome is not PlanOutcome.ERROR)

    assert sorted(c.address for c in plan.changes) == sorted(a for s in plan.steps for a in s.addresses)
    assert all(r.steps((), reading) == () for r in resources)


@sane
@given(scene=parameters())
def test_every_other_line_stays_byte_for_byte(scene):
    server, resources, keys = scene.server(), scene.ready(), scene.keys()
    names = {w.name for w in scene.resources[0].wanted}
    before = server.files[PATH].data
    plan = planned(resources, read(server, resources), keys)
    assume(plan.outcome is not PlanOutcome.ERROR)

    assert apply(server, plan, keys, "run1").startswith("armed")

    after = server.files[PATH].data
    end = vtsfile.line_end(before)
    assert _others(before, names, end) == _others(after, names, end)


def _others(data: bytes, names: set[str], end: bytes) -> bytes:
    """The file without the lines of these names, with its last line ended."""
    removed = [a.whole for a in vtsfile.assignments(data) if a.name in names]
    for span in reversed(removed):
        data = data[: span.start] + data[span.stop :]
    return data if not data or data.endswith(b"\n") else data + end

"""Plan files: what goes in comes out; a cut, an edit, another format are told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core import plan as plans
from vtsconf.core.change import Action, Change
from vtsconf.core.content import Content
from vtsconf.core.errors import Refused
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.problem import Level, Place, Problem
from vtsconf.core.secret import SecretRef
from vtsconf.core.step import Base, FileState, PutFile, RunCommand

texts = st.text(max_size=20)
words = st.lists(texts, max_size=3).map(tuple)
contents = st.lists(
    st.one_of(st.binary(min_size=1, max_size=30), st.builds(SecretRef, st.just("env"), texts.filter(bool))),
    max_size=4,
).map(lambda parts: Content(tuple(parts)))
states = st.none() | st.builds(
    FileState,
    content=st.none() | contents,
    digest=texts,
    keyed=st.booleans(),
    owner=texts,
    mode=texts,
    kept=texts,
)
steps = st.one_of(
    st.builds(
        PutFile, path=texts, before=states, after=states, validate=words, restart=words, addresses=words
    ),
    st.builds(RunCommand, name=texts, check=words, run=words, revert=words, undo=st.booleans()),
)
changes = st.builds(
    Change,
    address=texts,
    action=st.sampled_from(Action),
    live=st.none() | texts | st.dictionaries(texts, texts, max_size=2),
    desired=st.none() | texts,
    secret=st.booleans(),
)
problems = st.builds(
    Problem,
    what=texts,
    level=st.sampled_from(Level),
    place=st.none() | st.builds(Place, texts, st.integers(1, 9), st.integers(1, 9)),
)
hosts = st.builds(
    HostPlan,
    host=texts.filter(bool),
    outcome=st.sampled_from(PlanOutcome),
    base=st.lists(st.builds(Base, path=texts, digest=texts), max_size=2).map(tuple),
    changes=st.lists(changes, max_size=3).map(tuple),
    steps=st.lists(steps, max_size=3).map(tuple),
    restarts=words,
    problems=st.lists(problems, max_size=2).map(tuple),
)
any_plan = st.builds(
    Plan,
    made=st.integers(0, 2**40),
    by=texts,
    hosts=st.lists(hosts, max_size=3, unique_by=lambda h: h.host).map(tuple),
)


def saved(plan: Plan) -> bytes:
    return json.dumps(plans.to_json(plan)).encode()


@given(any_plan)
def test_a_plan_survives_its_file(plan: Plan) -> None:
    assert plan == plans.load(saved(plan), "plan.json")


@given(any_plan.filter(lambda p: p.hosts), st.data())
def test_a_plan_that_was_cut_or_edited_is_refused(plan: Plan, data: st.DataObject) -> None:
    whole = saved(plan)
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    broken = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]

    with pytest.raises(Refused) as caught:
        plans.load(broken, "plan.json")
    assert "make the plan again" in caught.value.remedy or "vtsconf" in caught.value.remedy


EXAMPLE = Plan(made=1, by="ops", hosts=(HostPlan(host="vts1", outcome=PlanOutcome.IN_SYNC),))


def resealed(**edits: Any) -> bytes:
    document = {**json.loads(saved(EXAMPLE)), **edits}
    document["seal"] = plans._seal(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a whole JSON document"),
        (b"\xff\xfe", "not a whole JSON document"),
        (b"[" * 100_000, "not a whole JSON document"),
        (b"[]", "is not a plan: it holds a list"),
        (b"{}", "its format is 'not given'"),
        (
            resealed(format="vtsconf/plan/2"),
            "has the format vtsconf/plan/2; this vtsconf reads vtsconf/plan/1",
        ),
        (resealed(format="vtsconf/run/1"), "is not a plan file"),
        (resealed(hosts={}), "hosts: Input should be a valid array"),
        (resealed(hosts=[{"host": "vts1"}]), r"hosts.0.outcome: Field required"),
        (resealed(hosts=[{"host": "vts1", "outcome": "perhaps"}]), "can be understood"),
        (resealed(made="yesterday"), "can be understood"),
        (saved(EXAMPLE).replace(b"vts1", b"vts2"), "was changed after it was made"),
    ],
)
def test_every_broken_file_has_its_sentence(data: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says):
        plans.load(data, "plan.json")


def test_a_secrets_value_has_no_way_into_a_plan_file() -> None:
    content = Content((b"pw=", SecretRef("env", "PW")))
    step = PutFile(path="/a", before=None, after=FileState(content=content, digest="", keyed=True))
    host = HostPlan(host="vts1", outcome=PlanOutcome.CHANGES, steps=(step,))

    assert b"secret://env/PW" in saved(Plan(made=1, by="ops", hosts=(host,)))


def test_addresses_name_their_host_in_the_document() -> None:
    change = Change(address="ems/ems_enable", action=Action.CREATE, desired="YES")
    host = HostPlan(host="vts1", outcome=PlanOutcome.CHANGES, changes=(change,))

    document = plans.to_json(Plan(made=1, by="ops", hosts=(host,)))

    assert "vts1/ems/ems_enable" == document["hosts"][0]["changes"][0]["address"]
    assert {"hosts": 1, "create": 1, "changes": 1, "in_sync": 0}.items() <= document["summary"].items()


def test_a_problem_is_flat_in_every_document() -> None:
    from vtsconf.cli.problems import gathered
    from vtsconf.cli.problems import to_json as finding_json

    problem = Problem(what="odd", place=Place("group_vars/all.yaml", 7, 5), host="vts1", code="C1")
    host = HostPlan(host="vts1", outcome=PlanOutcome.INVALID, problems=(problem,))

    (planned,) = plans.to_json(Plan(made=1, by="ops", hosts=(host,)))["hosts"][0]["problems"]
    (validated,) = map(finding_json, gathered([problem]))

    assert ("group_vars/all.yaml", 7, 5) == (planned["file"], planned["line"], planned["column"])
    assert {**planned, "hosts": ["vts1"]} == {**validated, "host": "vts1"}

"""Fleets for the laws of the reports: of every outcome, with every class, with texts that a hostile server may send."""

from __future__ import annotations

from hypothesis import strategies as st

from vtsconf.core.drift.finding import Class, Finding, FleetDrift, Hint, HostDrift, Rule
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan, Plan

# Any character at all: control characters, half characters, what XML cannot hold, quotes, line ends.
text = st.text(max_size=20) | st.sampled_from(
    ["", '"', "\\", "\n", "a\nb", "\0", "\x1b[31m", "\ud800", "￾", "]]>", "<x>", "&amp;", 'a"} 1\nb{c="']
)
value = st.none() | text | st.dictionaries(text, text, max_size=2)
findings = st.builds(
    Finding,
    cls=st.sampled_from(Class),
    address=text.map(lambda name: f"ems/{name}"),
    reason=text,
    live=value,
    desired=value,
    path=text,
    stood=st.booleans(),
)
hints = st.builds(
    Hint, kind=st.just("login"), text=text, by=text, path=st.just(""), at=st.none() | st.integers()
)


@st.composite
def hosts(draw: st.DrawFn, name: str) -> HostDrift:
    plan = HostPlan(host=name, outcome=draw(st.sampled_from(PlanOutcome)), reason=draw(text))
    some = draw(st.lists(findings, max_size=4, unique_by=lambda finding: finding.address))
    is_compared = HostDrift(plan=plan).is_compared
    return HostDrift(
        plan=plan,
        addresses=tuple(draw(st.lists(text, max_size=3))),
        findings=tuple(some) if is_compared else (),
        hints=tuple(draw(st.lists(hints, max_size=2))),
    )


rules = st.builds(Rule, ignored=st.frozensets(st.sampled_from(Class)), strict=st.booleans())


@st.composite
def fleets(draw: st.DrawFn) -> FleetDrift:
    names = draw(st.lists(text, max_size=4, unique=True))
    found = tuple(draw(hosts(name)) for name in names)
    plan = Plan(made=1, by="ops@here", hosts=tuple(host.plan for host in found))
    return FleetDrift(plan=plan, hosts=found, rule=draw(rules), started=5.0, ended=7.25)

"""The reports, read as strictly as those who read them do: whatever a server sends."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given

from tests.core.drift.fleets import fleets, text
from vtsconf.core.drift.finding import Class, Finding, FleetDrift, Hint, HostDrift, Rule
from vtsconf.core.drift.junit import fit, junit
from vtsconf.core.drift.prometheus import prometheus
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan, Plan

# element → (attributes it must have, those it may have, elements it may hold), after the schema that the Jenkins plug-in
# publishes; GitLab reads a part of it.
SCHEMA = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped"},
        {"time", "timestamp", "hostname"},
        {"testcase"},
    ),
    "testcase": ({"name", "classname"}, {"time"}, {"failure", "error", "system-out"}),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}


def parsed(document: str) -> ET.Element:
    """The document's root, after the schema was checked all the way down."""
    root = ET.fromstring(document.encode())
    check(root)
    return root


def check(element: ET.Element) -> None:
    must, may, below = SCHEMA[element.tag]
    assert must <= set(element.attrib) <= must | may
    assert {child.tag for child in element} <= below
    assert element.tag != "testcase" or len(element) <= 1
    for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        if count in element.attrib:
            assert int(element.attrib[count]) == len(list(element.iter(tag)))
    for child in element:
        check(child)


SAMPLE = re.compile(
    r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? '
    r"(?P<value>-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)"
)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
BACK = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def samples(document: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample, once; a line that is not of the text format is an error."""
    assert document.endswith("\n")
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    announced: list[str] = []
    for line in document[:-1].split("\n"):
        if line.startswith("# "):
            _, word, name, about = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            assert word == "HELP" or about == "gauge"
            announced += [name] if word == "TYPE" else []
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match["name"] == announced[-1]
        labels = tuple(
            (name, re.sub(r'\\[\\"n]', lambda m: BACK[m[0]], value))
            for name, value in LABEL.findall(match["labels"] or "")
        )
        assert (match["name"], labels) not in found
        found[match["name"], labels] = float(match["value"])
    assert len(announced) == len(set(announced))
    return found


@given(fleets())
def test_junit_is_valid_for_whatever_a_server_sends(fleet: FleetDrift) -> None:
    root = parsed(junit(fleet))
    compared = [host for host in fleet.hosts if host.is_compared]
    counting = sum(map(fleet.rule.counts, (f for h in compared for f in h.findings)))

    assert len(fleet.hosts) == len(root)
    assert all(len(suite) for suite in root)
    assert (counting, len(fleet.hosts) - len(compared)) == (
        int(root.attrib["failures"]),
        int(root.attrib["errors"]),
    )


@given(text)
def test_what_xml_cannot_hold_is_an_escape_and_the_rest_is_as_it_was(name: str) -> None:
    element = ET.Element("x")
    element.text = fit(name)
    read = ET.fromstring(ET.tostring(element, encoding="unicode").encode()).text or ""

    assert fit(name).replace("\r\n", "\n").replace("\r", "\n") == read
    assert fit(name) == name or not name.isprintable()


@given(fleets())
def test_prometheus_text_is_valid_for_whatever_a_server_is_called(fleet: FleetDrift) -> None:
    found = samples(prometheus(fleet).encode().decode())
    hosts = {dict(labels)["host"] for (name, labels) in found if name == "vtsconf_drift_compared"}
    outcomes = {dict(labels)["outcome"]: n for (name, labels), n in found.items() if name.endswith("_hosts")}

    assert {host.name.encode(errors="backslashreplace").decode() for host in fleet.hosts} == hosts
    assert outcomes == fleet.outcomes
    assert (int(fleet.exit), 7.25, 2.25) == (
        found["vtsconf_drift_exit_code", ()],
        found["vtsconf_drift_last_run_timestamp_seconds", ()],
        found["vtsconf_drift_duration_seconds", ()],
    )


def fleet(*hosts: HostDrift, **rule: object) -> FleetDrift:
    plan = Plan(made=1, by="ops@here", hosts=tuple(host.plan for host in hosts))
    return FleetDrift(plan=plan, hosts=hosts, rule=Rule(**rule), started=5.0, ended=7.0)  # type: ignore[arg-type]


def compared(name: str, *findings: Finding, **more: object) -> HostDrift:
    plan = HostPlan(host=name, outcome=PlanOutcome.IN_SYNC)
    return HostDrift(plan=plan, findings=findings, **more)  # type: ignore[arg-type]


LOST = HostDrift(plan=HostPlan(host="vts9", outcome=PlanOutcome.UNREACHABLE, reason="no route"))
EDITED = Finding(
    cls=Class.EDITED,
    address="ems/ems_enable",
    reason="run r1 left 'YES' there",
    live="NO",
    desired="YES",
    path="/c",
)
ODD = Finding(cls=Class.COSMETIC, address="ems/ems_x", reason="quotes", path="/c")


def test_a_host_that_was_not_compared_has_no_findings_not_zero_of_them() -> None:
    found = samples(prometheus(fleet(compared("vts1"), LOST)))

    assert 0 == found["vtsconf_drift_findings", (("host", "vts1"), ("class", "edited"))]
    assert ("vtsconf_drift_findings", (("host", "vts9"), ("class", "edited"))) not in found
    assert (1, 0) == tuple(found["vtsconf_drift_compared", (("host", h),)] for h in ("vts1", "vts9"))
    assert ("vtsconf_drift_differs", (("host", "vts9"),)) not in found


def test_classes_that_are_left_out_have_no_series() -> None:
    found = samples(prometheus(fleet(compared("vts1", EDITED), ignored=frozenset({Class.EDITED}))))
    classes = {dict(labels)["class"] for (name, labels) in found if name == "vtsconf_drift_findings"}

    assert {"not-applied", "not-loaded", "unmanaged", "cosmetic"} == classes


def test_an_address_that_differs_is_a_failure_and_the_others_pass() -> None:
    hint = Hint(kind="login", at=0, text="bill was logged in")
    one = compared("vts1", EDITED, ODD, addresses=("ems/ems_enable", "ems/ems_fine"), hints=(hint,))
    (suite,) = parsed(junit(fleet(one)))
    cases = {case.attrib["name"]: [(e.tag, e.attrib.get("type"), e.text) for e in case] for case in suite}

    assert {
        "ems/ems_enable": [
            (
                "failure",
                "edited",
                "run r1 left 'YES' there\nlive: NO\ndesired: YES\nhint, no fact: 1970-01-01 00:00:00Z bill was logged in",
            )
        ],
        "ems/ems_fine": [],
        "ems/ems_x": [("system-out", None, "cosmetic, does not count: quotes")],
    } == cases


def test_a_host_that_was_not_compared_is_an_error() -> None:
    (suite,) = parsed(junit(fleet(LOST)))
    (case,) = suite

    assert ("1", "1", "0") == (suite.attrib["tests"], suite.attrib["errors"], suite.attrib["failures"])
    assert [("error", "unreachable", "no route")] == [(e.tag, e.attrib["type"], e.text) for e in case]

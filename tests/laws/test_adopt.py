"""Adopt, then plan: nothing to do; whatever the configuration file holds and whatever the groups say."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from vtsconf.core import vtsfile
from vtsconf.core.document import read_document
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.printable import printable
from vtsconf.core.probe import FileKind, FileSeen, Reading
from vtsconf.core.problem import errors
from vtsconf.core.resource import Keys
from vtsconf.core.secret import FingerprintKey, Secret
from vtsconf.core.sensitive import is_sensitive
from vtsconf.engine.adopt import described_by
from vtsconf.engine.collect import Wish, compare
from vtsconf.engine.prepare import prepare
from vtsconf.engine.project import Project
from vtsconf.resources import desired
from vtsconf.resources.build import with_keys

PATH = "/usr/local/tape/vts.conf"
DOCUMENT = "host_vars/vts1.yaml"
HIDDEN = "Tr0ub4dor"
KEY = FingerprintKey(Secret(b"the controller's own key"))
GROUPS = {
    "silent": f"vts: {{config_file: {PATH}}}",
    "other hosts": f"""vts:
  config_file: {PATH}
  ems: {{enable: false, keep_alive: 300, hosts: {{PROD1: {{response_timeout: 10}}, DEV2: {{vaults: [VAULT01]}}}}}}
  hsm: {{command: [a, b], hsm_level: 3}}
  parameters: {{ems_mount_delay: 7, lab_speed: "8", gone: yes}}
  cleanup: {{enable: true, autoerase: false}}
""",
    "the same hosts": f"vts: {{config_file: {PATH}, ems: {{hosts: {{DEV2: {{vaults: [VAULT01]}}, ANYSYS: {{resetdevs: ALL}}}}}}}}",
    "listed by name": f"vts: {{config_file: {PATH}, parameters: {{ems_hostnames: PROD1, ems_vaults_DEV2: VAULT02}}}}",
}

NAMES = st.sampled_from(
    [
        "ems_enable", "ems_hostnames", "ems_keep_alive", "ems_mount_delay", "ems_InterSystemCommunication_hosts",
        "ems_response_timeout", "ems_response_timeout_DEV2", "ems_response_timeout_PROD1", "ems_vaults_DEV2",
        "ems_vaults_ANYSYS", "ems_resetdevs_DEV2", "ems_resetdevs_ANYSYS", "ems_unheard_of", "ems_hosts", "ems_rules",
        "cleanup_enable", "cleanup_autoerase", "cleanup_scan_at", "cleanup_retention", "meta_control_panel",
        "hsm_command", "hsm_level", "hsm_hosts", "hsm_password", "lab_speed", "lab_token", "a.b", "a-b", "null", "on",
        "_", "gone",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        [
            "YES",
            "NO",
            "yes",
            "20",
            "007",
            "-3",
            "",
            " ",
            "DEV2",
            "DEV2 PROD1",
            "PROD1 DEV2",
            "DEV2 DEV2",
            "DEV2  X",
            "DEV2,PROD1",
            "ANYSYS DEV2",
            "ALL",
            "VAULT01 VAULT02",
            "{{ x }}",
            "{% if",
            "{# a #} b",
            'a "b" {{ \\n }}',
            "secret://env/X",
            "secret:",
            "null",
            "true",
            "1.5",
            "0x1F",
            "~",
            "- a",
            "a: b # c",
            "é",
            "€uro",
            "\t",
            "\\",
            "&a",
            "*a",
            "!b",
            "2026-11-23",
            "$VTD01 1:0:0:0",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="'\n\r"), max_size=12),
)
LINES = st.one_of(
    st.builds("{}='{}'".format, NAMES, VALUES),
    st.builds("{}='{}'  # why".format, NAMES, st.just("NO")),
    st.builds('{}="{}"'.format, NAMES, st.sampled_from(["YES", "a b"])),
    st.builds("{}={}".format, NAMES, st.sampled_from(["YES", "20", "a b"])),
    st.builds("export {}='1'".format, NAMES),
    st.builds("{} = 5".format, NAMES),
    st.sampled_from(["# a comment", "", "if [ x ]; then"]),
)
CONFIGURATIONS = st.lists(LINES, max_size=12).map(
    lambda lines: "".join(
        re.sub(r"((?:password|token)=')[^']+'", rf"\1{HIDDEN}'", line) + "\n" for line in lines
    )
)


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    made = {}
    for name, text in GROUPS.items():
        folder = tmp_path_factory.mktemp("project")
        (folder / "inventory.yaml").write_text("all: {hosts: {vts1: {}}}\n")
        (folder / "group_vars").mkdir()
        (folder / "group_vars" / "all.yaml").write_text(text)
        made[name] = Project.load(folder)
    return made


def reading_of(data):
    seen = FileSeen(kind=FileKind.FILE, data=data, owner="root", group="root", mode="0644", size=len(data))
    return Reading(files={PATH: seen})


def with_document(project, text):
    tree, problems = read_document(text, DOCUMENT)

    assert not problems
    return replace(project, host_vars={"vts1": tree})


def planned(project, reading, monkeypatch):
    for name, value in vtsfile.values(reading.files[PATH].data).items():
        if is_sensitive(name):
            monkeypatch.setenv(f"VTS1_{name}".upper(), value)
    preparation = prepare(project, project.hosts())

    wrong = [p for host in preparation.invalid for p in errors(host.problems)]

    assert [p.what for p in wrong if p.place.file == DOCUMENT] == []
    # What a group says of a parameter that had to be left out may itself be wrong on this server.
    assume(not wrong)
    (ready,) = preparation.ready
    keys = Keys(secrets=preparation.secrets, fingerprints=KEY)
    return compare(ready, with_keys(ready.resources, keys), reading, keys, Wish())


def left_out(text):
    return set(re.findall(r"^#   (\S+): ", text, re.MULTILINE))


def _is_wrong_already(plan):
    """A live line that nobody asked for is an error to the lints: no document makes that better."""
    return any(p.level == "error" and p.place is None and p.code.startswith("C") for p in plan.problems)


@pytest.mark.parametrize("group", GROUPS)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@example(configuration="lab_speed='1'\nexport lab_speed='2'\n", encoding="utf-8")
@given(configuration=CONFIGURATIONS, encoding=st.sampled_from(["utf-8", "latin-1"]))
def test_adopt_then_plan_nothing(projects, group, configuration, encoding, monkeypatch):
    data = configuration.encode(encoding, errors="replace")
    project, reading = projects[group], reading_of(data)
    adopted = described_by(project.hosts()[0], project, PATH, reading)
    monkeypatch.setenv("X", "x")
    plan = planned(with_document(project, adopted.text), reading, monkeypatch)
    gone = left_out(adopted.text)
    blocked = any(p.code == "unreadable-line" and p.address.partition("/")[2] in gone for p in plan.problems)

    assert HIDDEN not in adopted.text
    assert {c.address.partition("/")[2] for c in plan.changes} <= gone
    assert plan.outcome is PlanOutcome.IN_SYNC or gone or _is_wrong_already(plan)
    assert not plan.changes or group != "silent"
    assert not blocked or group != "silent"


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(configuration=CONFIGURATIONS)
def test_everything_is_described_or_named(projects, configuration):
    data, project = configuration.encode(), projects["silent"]
    adopted = described_by(project.hosts()[0], project, PATH, reading_of(data))
    host = with_document(project, adopted.text).hosts()[0]
    vts, _ = desired.read(host, project.tables)
    names = set(desired.wanted(vts, project.tables))

    assert names | left_out(adopted.text) == {printable(name, 80) for name in vtsfile.values(data)}
    assert not names & left_out(adopted.text)
    assert all(f"{name}" in adopted.text for name in names if is_sensitive(name))

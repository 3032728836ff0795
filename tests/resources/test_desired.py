from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.document import read_document
from vtsconf.core.problem import Level
from vtsconf.core.secret import SecretRef
from vtsconf.core.tablefile import read_tables
from vtsconf.core.tree import place_of, plain
from vtsconf.engine.migrate.policies import policy_of
from vtsconf.resources.desired import Vts, read, wanted
from vtsconf.resources.lints import Subject, lint
from vtsconf.resources.lints.erase import could_erase
from vtsconf.resources.policies import Policy
from vtsconf.resources.written import Written

ROOT = Path(__file__).parents[2]
SHIPPED = {f.name: f.read_text() for f in (ROOT / "schemas" / "parameters").glob("*.yaml")}
TABLES, _ = read_tables(SHIPPED, {})


@dataclass
class Host:
    variables: dict[str, Any]
    name: str = "vts1"
    tree: Any = field(default=None)

    def locate(self, path, *, key=False):
        return place_of(self.tree, path, key=key) if self.tree else None


def host_of(text):
    root, problems = read_document(text, "group_vars/all.yaml")
    assert problems == []
    return Host(plain(root), tree=root)


def cases():
    root, problems = read_document((ROOT / "tests" / "cases" / "desired.yaml").read_bytes(), "desired.yaml")
    assert problems == []
    return [pytest.param(case, id=case["name"]) for case in plain(root)]


@pytest.mark.parametrize("case", cases())
def test_everything_that_is_wrong_is_said_at_once(case):
    _, problems = read(Host({"vts": case["vts"]}), TABLES)
    said = [f"{p.level} {p.code}: {p.what} | {p.remedy}" for p in problems if p.level is not Level.NOTE]

    assert sorted(said) == sorted(case["says"])


def test_a_problem_points_at_the_key_or_the_value_that_is_wrong():
    text = "vts:\n  release: 8.3\n  ems:\n    enabel: true\n    keep_alive: often\n  files:\n    /a: {}\n"
    _, problems = read(host_of(text), TABLES)
    places = [str(p.place) for p in problems]

    assert places == [f"group_vars/all.yaml:{at}" for at in ("2:12", "7:9", "4:5", "5:17")]


def test_parameters_get_names_addresses_and_services():
    text = """
vts:
  ems: {enable: true, hosts: {DEV2: {vaults: [VAULT01, VAULT02]}, ANYSYS: {resetdevs: ALL}, PROD1: }}
  cleanup: {autoerase: "NO", scan_at: 02:00}
  hsm: {hsm_a: 5, b: secret://env/B, c: null}
  parameters: {meta_control_panel: true, autocopy_x: [a, 5]}
"""
    host = host_of(text)
    vts, _ = read(host, TABLES)
    found = [(w.address, w.text, w.restart, str(w.place)) for w in wanted(vts, TABLES, host.locate).values()]
    at = "group_vars/all.yaml"

    expected = [
        ("ems/ems_enable", "YES", ("ems",), f"{at}:3:17"),
        ("ems/ems_vaults_DEV2", "VAULT01 VAULT02", ("ems",), f"{at}:3:46"),
        ("ems/ems_resetdevs_ANYSYS", "ALL", ("ems",), f"{at}:3:87"),
        ("ems/ems_hostnames", "DEV2 PROD1", ("ems",), f"{at}:3:30"),
        ("cleanup/cleanup_autoerase", "NO", (), f"{at}:4:24"),
        ("cleanup/cleanup_scan_at", "02:00", (), f"{at}:4:39"),
        ("hsm/hsm_a", "5", (), f"{at}:5:16"),
        ("hsm/hsm_b", SecretRef("env", "B"), (), f"{at}:5:22"),
        ("hsm/hsm_c", None, (), f"{at}:5:41"),
        ("parameters/meta_control_panel", "YES", (), f"{at}:6:36"),
        ("parameters/autocopy_x", "a 5", (), f"{at}:6:54"),
    ]

    assert sorted(found, key=str) == sorted(expected, key=str)


def test_the_keys_that_a_person_can_write_are_all_kept():
    kept = set(Vts.__dataclass_fields__)

    assert set(Written.model_fields) - kept == set()
    assert kept - set(Written.model_fields) == {"policies", "rules", "families", "parameters", "gathered"}


def test_a_host_without_vts_is_an_empty_desired_state():
    assert read(Host({}), TABLES) == (Vts(), [])


# Words that lead deep into the model, so that chance finds more than unknown keys.
KEYS = st.sampled_from(
    [
        *Written.model_fields,
        "policies",
        *("ems", "hsm", "cleanup", "parameters", "rules", "hosts", "DEV2", "ANYSYS", "vaults", "resetdevs"),
        *("enable", "autoerase", "hsm_x", "check", "run", "restart", "content", "mode", "/etc/motd", "tsm"),
        *(
            "servers",
            "bacula",
            "netbackup",
            "networker",
            "action",
            "select",
            "window",
            "from",
            "match",
            "bma",
        ),
    ]
) | st.text(max_size=8)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.builds(lambda: 10**5000)
    | st.floats()
    | st.sampled_from(
        ["YES", "NO", "/etc/motd", "secret://env/X", "secret://live/0-1/x", "0644", "30s", "a b", "'"]
    )
    | st.text(max_size=12)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6) | TREES)
def test_whatever_stands_under_vts_there_is_a_model_or_problems_and_never_an_exception(written):
    host = Host({"vts": written})
    vts, problems = read(host, TABLES)

    assert (vts is None) == any(p.level is Level.ERROR for p in problems)
    if vts is not None:
        parameters = wanted(vts, TABLES)
        lint(Subject(vts=vts, wanted=parameters, tables=TABLES, live={"cleanup_autoerase": "YES"}))
        could_erase(vts, parameters, {}, (), host.locate)


TSM = {"servers": {"TSM1": {"tcpserveraddress": "tsm1.bank", "nodename": "vts1"}}}
WORDS = {"type": "archive", "source": "vts1.bank.example", "o": "/opt/x.opt", "retention": "14,d"}


def test_the_words_of_a_vtspolicy_line_are_none_of_the_bma() -> None:
    """C16 asks for `source`, and nobody may then say that it is no option."""
    policy = {"action": "migrate", "bma": "tsm", "submit": "vtspolicy", "options": WORDS}
    cluster = {"intersystem_hosts": ["vts2"]}
    vts, problems = read(
        Host({"vts": {"bma": {"tsm": TSM}, "ems": cluster, "policies": {"p": policy}}}), TABLES
    )

    assert vts is not None, problems
    assert {"type": "archive", "optfile": "/opt/x.opt"} == vts.policies["p"].bma_options
    assert vts.policies["p"].bma_options == policy_of("p", vts.policies["p"]).options
    found = lint(Subject(vts=vts, wanted=wanted(vts, TABLES), tables=TABLES))
    assert [] == [problem.what for problem in found if problem.code == "C16"]


def test_run_by_ourselves_they_are_wrong() -> None:
    policy = {"action": "migrate", "bma": "tsm", "options": WORDS}
    vts, problems = read(Host({"vts": {"bma": {"tsm": TSM}, "policies": {"p": policy}}}), TABLES)

    assert vts is None
    assert 3 == len(problems)


def test_an_option_file_of_tsm_is_nothing_to_another_bma() -> None:
    policy = Policy(action="migrate", bma="netbackup", submit="vtspolicy", options=WORDS | {"optfile": "/x"})

    assert {"type": "archive"} == policy.bma_options

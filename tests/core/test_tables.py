from pathlib import Path

import pytest

from vtsconf.core.tablefile import read_tables
from vtsconf.core.tables import Row, Scope

ROOT = Path(__file__).parents[2]
SHIPPED = {f.name: f.read_text() for f in (ROOT / "schemas" / "parameters").glob("*.yaml")}
TABLES, _ = read_tables(SHIPPED, {})
SITE = "parameters/site.yaml"


def rows():
    return [row for table in TABLES.families.values() for row in table.rows]


def site(text):
    return read_tables(SHIPPED, {SITE: text})


# The whole list of names that any manual page we know shows; NSserver stands for a host's name.
DOCUMENTED = """
cleanup_autoerase cleanup_enable cleanup_interval cleanup_scan_at ems_enable ems_hostnames
ems_InterSystemCommunication_hosts ems_keep_alive ems_mount_delay ems_mount_reset
ems_notify_logout_timeout ems_notify_logout_timeout_NSserver ems_notify_wait_timeout
ems_notify_wait_timeout_NSserver ems_resetdevs_NSserver ems_response_timeout
ems_response_timeout_NSserver ems_vaults_NSserver meta_control_panel
"""


def test_every_documented_parameter_has_a_row():
    names = {r.name for r in rows() if Scope(r.scope).is_global}
    of_hosts = {f"{r.name}_NSserver" for r in rows() if Scope(r.scope).is_per_host}

    assert names | of_hosts == set(DOCUMENTED.split())


def test_every_shipped_row_is_documented_and_says_where():
    assert [r for r in rows() if r.status != "documented" or not r.source or not r.meaning] == []


def test_no_hsm_parameter_is_shipped_for_none_is_documented():
    assert TABLES.families["hsm"].rows == ()


@pytest.mark.parametrize(
    ("name", "family", "row", "host"),
    [
        ("ems_enable", "ems", "ems_enable", None),
        ("ems_vaults_DEV2", "ems", "ems_vaults", "DEV2"),
        ("ems_response_timeout", "ems", "ems_response_timeout", None),
        ("ems_response_timeout_DEV_2", "ems", "ems_response_timeout", "DEV_2"),
        ("ems_notify_wait_timeout_ANYSYS", "ems", "ems_notify_wait_timeout", "ANYSYS"),
        ("ems_enable_DEV2", "ems", None, None),
        ("ems_vaults", "ems", None, None),
        ("ems_port_DEV2", "ems", None, None),
        ("hsm_anything", "hsm", None, None),
        ("cleanup_threshold", "cleanup", None, None),
        ("meta_control_panel", "parameters", "meta_control_panel", None),
        ("whatever", "parameters", None, None),
        ("EMS_enable", "parameters", None, None),
    ],
)
def test_a_live_name_belongs_to_a_family_and_is_known_or_not(name, family, row, host):
    standing = TABLES.standing(name)

    assert (standing.family, standing.row.name if standing.row else None, standing.host) == (
        family,
        row,
        host,
    )
    assert standing.known is (row is not None)


def test_the_service_of_a_row_goes_before_that_of_its_family():
    tables, problems = site(
        "family: ems\nrestart: ems2\nrows: [{name: ems_port, scope: per_host, restart: other}]\n"
    )
    restarts = {
        n: tables.restart(tables.standing(n)) for n in ("ems_enable", "ems_port_DEV2", "ems_new", "hsm_x")
    }

    assert problems == []
    assert restarts == {"ems_enable": "ems2", "ems_port_DEV2": "other", "ems_new": "ems2", "hsm_x": ""}


def test_a_site_adds_rows_and_families():
    text = "family: autocopy\nprefix: autocopy_\nrestart: ems\nrows:\n- {name: autocopy_pools, type: list, source: our guide}\n"
    tables, problems = site(text)

    assert problems == []
    assert tables.standing("autocopy_pools").row == Row(
        name="autocopy_pools", type="list", source="our guide"
    )
    assert tables.standing("autocopy_other").family == "autocopy"


def test_a_site_types_hsm_parameters():
    tables, problems = site("family: hsm\nrows: [{name: hsm_enable, type: yes_no}]\n")

    assert problems == []
    assert tables.families["hsm"].open
    assert tables.families["hsm"].by_key("enable") == tables.families["hsm"].by_key("hsm_enable")


def test_a_documented_row_is_overridden_only_on_purpose():
    plain, problems = site("family: ems\nrows: [{name: ems_keep_alive, type: text}]\n")
    meant, none = site("family: ems\nrows: [{name: ems_keep_alive, type: text, override: true}]\n")

    assert [str(p) for p in problems] == [
        f"{SITE}:2:15: error: `ems_keep_alive` has a row already, from 6.04.01 Ops p.43"
    ]
    assert (plain.standing("ems_keep_alive").row.type, none) == ("integer", [])
    assert meant.standing("ems_keep_alive").row.type == "text"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"{SITE}:1:1: error: the table is empty"),
        ("- a\n", f"{SITE}:1:1: error: a table is a map"),
        (
            "family: x: y\n",
            f"{SITE}:1:10: error: a second `: ` in one line, or a key that is indented too far",
        ),
        ("rows: []\n", f"{SITE}:1:1: error: table.family: is required"),
        ("family: x\nrow: []\n", f"{SITE}:2:1: error: `row` is not a key of table"),
        ("family: files\nrows: []\n", f"{SITE}:1:9: error: `files` is a section of vts already"),
        (
            "family: x\nrows: [{name: x_a, typ: text}]\n",
            f"{SITE}:2:20: error: `typ` is not a key of table.rows.0",
        ),
        (
            "family: x\nrows: [{name: x_a, scope: both_}]\n",
            f"{SITE}:2:27: error: table.rows.0.scope: the text 'both_' is not one of global, per_host, both",
        ),
        (
            "family: x\nrows: [{name: 'a b'}]\n",
            f"{SITE}:2:15: error: table.rows.0.name: the text 'a b' is not of the form ^[A-Za-z_][A-Za-z0-9_]{{0,127}}$",
        ),
        (
            "family: ems\nrows: [{name: cleanup_x}]\n",
            f"{SITE}:2:15: error: `cleanup_x` does not begin with `ems_`",
        ),
        ("family: ems\nprefix: e_\nrows: []\n", f"{SITE}:2:9: error: the prefix of ems is `ems_`"),
        (
            "family: x\nrows: [{name: a}, {name: a}]\n",
            f"{SITE}:2:26: error: `a` has a row already, from site",
        ),
        (
            "family: x\nrows: [{name: a, key: k}, {name: b, key: k}]\n",
            f"{SITE}:2:42: error: `k` is taken as a key of x",
        ),
        ("family: x\nrows: [{name: a, scope: per_host}]\n", f"{SITE}:2:25: error: x has no hosts"),
        ("family: ems\nrows: [{name: ems_rules}]\n", f"{SITE}:2:8: error: `rules` is taken as a key of ems"),
        (
            "family: hsm\nrows: [{name: hsm_a, status: documented}]\n",
            f"{SITE}:2:30: error: a site's row cannot be `documented`",
        ),
    ],
)
def test_a_site_table_that_is_wrong_is_told_with_its_place(text, expected):
    tables, problems = site(text)

    assert [str(p) for p in problems] == [expected]
    assert tables.standing("ems_keep_alive").row.type == "integer"
    assert set(tables.families) - {"x"} == set(TABLES.families)


def test_two_families_cannot_share_a_parameter():
    _, problems = site("family: mine\nrows: [{name: meta_control_panel}]\n")

    assert [p.what for p in problems] == ["`meta_control_panel` is in the tables of parameters and mine"]


def test_a_shipped_table_with_an_error_is_our_bug():
    with pytest.raises(ValueError, match=r"ems\.yaml:1:1: error: the table is empty"):
        read_tables({"ems.yaml": ""}, {})

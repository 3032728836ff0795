"""`vtsconf doctor` against lab servers, over real SSH, healthy and broken."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from tests.cli.conftest import Project
from tests.e2e.conftest import Ended, Vtsconf
from vtsconf.core.tablefile import read_tables
from vtsconf.engine import share
from vtsconf.engine.lab.lab import Host, Lab


def verdicts(ended: Ended) -> dict[str, str]:
    """The worst verdict of each check."""
    order = ["ok", "unknown", "warning", "error"]
    (host,) = ended.json["hosts"]
    worst: dict[str, str] = {}
    for check in host["checks"]:
        before = worst.get(check["name"], "ok")
        worst[check["name"]] = max(before, check["verdict"], key=order.index)
    return worst


def check(ended: Ended, name: str) -> dict[str, str]:
    return next(c for c in ended.json["hosts"][0]["checks"] if c["name"] == name and c["verdict"] != "ok")


def bad(ended: Ended) -> dict[str, str]:
    return {name: verdict for name, verdict in verdicts(ended).items() if verdict != "ok"}


def test_a_healthy_server(servers: Lab, vtsconf: Vtsconf) -> None:
    ended = vtsconf("doctor", "-i", servers.folder, "vts1", "--json")

    assert (0, {"tsm": "warning"}) == (ended.code, bad(ended))  # its dsm.sys is not written yet
    assert {"connection", "algorithms", "state directory", "programs", "clock", "config file"} <= set(
        verdicts(ended)
    )


def test_nothing_is_left_behind(servers: Lab, vts1: Host, vtsconf: Vtsconf) -> None:
    def files() -> set[str]:
        return {str(path) for path in vts1.tree.root.rglob("*")}

    before = files()
    vtsconf("doctor", "-i", servers.folder, "vts1")

    assert before == files()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (("disk-full",), {"programs": "error"}),
        (("clock-skew", -120), {"clock": "warning"}),
    ],
)
def test_what_is_wrong_with_a_server(
    servers: Lab, vts1: Host, vtsconf: Vtsconf, fault: tuple[str, ...], expected: dict[str, str]
) -> None:
    vts1.break_(*fault)
    ended = vtsconf("doctor", "-i", servers.folder, "vts1", "--json")
    found = bad(ended)
    found.pop("tsm")

    assert (1 if "error" in expected.values() else 0, expected) == (ended.code, found)
    for name in expected:
        assert check(ended, name)["why"]
        assert check(ended, name)["remedy"]


@pytest.mark.parametrize(
    ("fault", "stage"),
    [("old-algorithms", "algorithms"), ("hang", "greeting"), ("drop-on-connect", "session")],
)
def test_why_a_server_is_not_reached(
    vts1: Host, project: Project, vtsconf: Vtsconf, fault: str, stage: str
) -> None:
    folder = project(ansible_timeout=1)
    vts1.break_(fault)
    ended = vtsconf("doctor", "-i", folder, "vts1", "--json")

    assert (4, {stage: "error"}) == (ended.code, bad(ended))
    assert "unreachable" == ended.json["hosts"][0]["outcome"]


def test_nobody_listens(project: Project, vtsconf: Vtsconf) -> None:
    ended = vtsconf("doctor", "-i", project(ansible_port=1), "vts1", "--json")

    assert (4, {"network": "error"}) == (ended.code, bad(ended))
    assert "ansible_port" in check(ended, "network")["remedy"]


def test_an_unknown_host_key(project: Project, vtsconf: Vtsconf) -> None:
    ended = vtsconf("doctor", "-i", project(vts_ssh_known_hosts="/dev/null"), "vts1", "--json")

    assert (4, {"host key": "error"}) == (ended.code, bad(ended))
    assert "`vts_ssh_host_key: ecdsa-sha2-nistp256 " in check(ended, "host key")["remedy"]
    assert "/dev/null" not in check(ended, "host key")["remedy"]  # nothing is kept there


def test_the_wrong_user(project: Project, vtsconf: Vtsconf) -> None:
    ended = vtsconf("doctor", "-i", project(ansible_user="nobody"), "vts1", "--json")

    assert (4, {"login": "error"}) == (ended.code, bad(ended))


def test_old_algorithms_are_suggested_and_then_said_loudly(
    vts1: Host, project: Project, vtsconf: Vtsconf
) -> None:
    vts1.break_("old-algorithms")
    refused = vtsconf("doctor", "-i", project(), "vts1", "--json")
    suggested = YAML(typ="safe", pure=True).load(refused.json["hosts"][0]["snippet"])

    assert {"vts_ssh_legacy": True} == suggested
    allowed = vtsconf("doctor", "-i", project(**suggested), "vts1", "--json")

    assert "warning" == verdicts(allowed)["algorithms"]
    assert "OUTDATED" in check(allowed, "algorithms")["what"]


def test_a_new_server_is_told_what_to_write(project: Project, vtsconf: Vtsconf) -> None:
    """Nothing but the connection is known: candidates are listed, and none is called the file."""
    folder = project("vts: {state_dir: '{root}/var/lib/vtsconf', ems: {enable: true}}")
    ended = vtsconf("doctor", "-i", folder, "vts1", "--json")
    snippet = ended.json["hosts"][0]["snippet"]
    written = YAML(typ="safe", pure=True).load(snippet)

    assert {"documents": "error", "config file": "warning", "service ems": "warning"} == bad(ended)
    assert "usr/local/tape/lab/vts.conf" in snippet
    assert written["vts"] is None  # all of it stands in comments
    assert written["vts_ssh_host_key"].startswith("ecdsa-sha2-nistp256 AAAA")
    assert '#   "ems": {restart: [' in snippet


def test_the_pinned_key_of_the_snippet_works(project: Project, vtsconf: Vtsconf) -> None:
    ended = vtsconf("doctor", "-i", project(), "vts1", "--json")
    pin = YAML(typ="safe", pure=True).load(ended.json["hosts"][0]["snippet"])["vts_ssh_host_key"]
    again = vtsconf(
        "doctor", "-i", project(vts_ssh_known_hosts="/dev/null", vts_ssh_host_key=pin), "vts1", "--json"
    )

    assert "ok" == verdicts(again)["connection"]
    assert "vts_ssh_host_key" not in again.json["hosts"][0]["snippet"]


def test_a_configuration_file_that_is_not_there(project: Project, vtsconf: Vtsconf) -> None:
    folder = project("vts: {state_dir: '{root}/var/lib/vtsconf', config_file: '{root}/usr/local/tape/wrong'}")
    ended = vtsconf("doctor", "-i", folder, "vts1", "--json")

    assert (1, "error") == (ended.code, verdicts(ended)["config file"])
    assert "usr/local/tape/lab/vts.conf (11 ems_ lines)" in check(ended, "config file")["what"]


def test_a_service_whose_commands_do_not_exist(project: Project, vtsconf: Vtsconf) -> None:
    folder = project(
        "vts: {state_dir: '{root}/var/lib/vtsconf', services: {ems: {restart: [x], status: [/no/such]}}}"
    )

    assert "error" == verdicts(vtsconf("doctor", "-i", folder, "vts1", "--json"))["service ems"]


def test_a_folder_that_is_missing(project: Project, vtsconf: Vtsconf) -> None:
    folder = project("vts: {state_dir: '{root}/var/lib/vtsconf', files: {'{root}/none/x': {content: x}}}")

    assert "error" == verdicts(vtsconf("doctor", "-i", folder, "vts1", "--json"))["folder"]


def test_for_people(servers: Lab, vtsconf: Vtsconf) -> None:
    ended = vtsconf("doctor", "-i", servers.folder, "vts1")

    assert 0 == ended.code
    assert "= clock: as ours" in ended.out
    assert "vts_ssh_host_key: " in ended.out


def test_a_relative_folder_is_a_usage_error(servers: Lab, vtsconf: Vtsconf) -> None:
    assert 64 == vtsconf("doctor", "-i", servers.folder, "vts1", "--look-in", "tape").code


def test_a_host_that_is_not_in_the_inventory(servers: Lab, vtsconf: Vtsconf) -> None:
    assert 64 == vtsconf("doctor", "-i", servers.folder, "vts99").code


def test_every_server_is_examined_although_one_is_gone(servers: Lab, vts1: Host, vtsconf: Vtsconf) -> None:
    vts1.break_("drop-on-connect")
    ended = vtsconf("doctor", "-i", servers.folder, "all", "--json")

    assert (4, ["unreachable", "ok"]) == (ended.code, [host["outcome"] for host in ended.json["hosts"]])


def test_the_ems_service_is_what_the_tables_say() -> None:
    """The placeholder of the snippet is not our own idea."""
    tables, _ = read_tables(share.parameter_tables(), {})

    assert "ems" == tables.families["ems"].restart

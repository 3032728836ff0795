"""`vtsconf facts` against lab servers, over real SSH."""

from __future__ import annotations

import time

import pytest

from tests.cli.conftest import Project
from tests.e2e.conftest import Vtsconf
from vtsconf.cli.facts import told
from vtsconf.engine.lab.lab import Host, Lab


def test_what_a_server_tells_of_itself(servers: Lab, vtsconf: Vtsconf) -> None:
    ended = vtsconf("facts", "-i", servers.folder, "vts1", "--json")
    (facts,) = ended.json["hosts"]

    assert (0, "vtsconf/facts/1") == (ended.code, ended.json["format"])
    assert ("vts1", "read", 0) == (facts["host"], facts["outcome"], facts["skew"])
    assert ("ok", "ok") == tuple(service["status"] for service in facts["services"])
    assert {"ems", "cleanup", "hsm", "parameters"} == set(facts["config_file"]["parameters"])
    assert ["lab_web_session_minutes"] == list(facts["config_file"]["duplicates"])
    assert {"present": True} == {"present": all(disk["present"] for disk in facts["disks"])}
    assert {"version", "reachable"} == {client["fact"] for client in facts["clients"]}
    assert facts["ssh"]["fingerprint"].startswith("SHA256:")
    assert facts["kernel"].startswith("Linux")


def test_an_unreachable_server_is_a_result_and_the_others_go_on(
    servers: Lab, vts1: Host, vtsconf: Vtsconf
) -> None:
    vts1.break_("drop-on-connect")
    ended = vtsconf("facts", "-i", servers.folder, "--json")

    assert 4 == ended.code
    assert ["unreachable", "read"] == [host["outcome"] for host in ended.json["hosts"]]
    assert ended.json["hosts"][0]["remedy"]


def test_for_people(servers: Lab, vts1: Host, vtsconf: Vtsconf) -> None:
    vts1.break_("clock-skew", 3600)
    ended = vtsconf("facts", "-i", servers.folder, "vts1")

    assert 0 == ended.code
    assert "s ahead of ours" in ended.out
    assert "set more than once: lab_web_session_minutes" in ended.out


def test_unfinished_documents_are_enough(project: Project, vtsconf: Vtsconf) -> None:
    folder = project("vts: {state_dir: '{root}/var/lib/vtsconf', services: 7, ems: {bogus: 1}}")
    ended = vtsconf("facts", "-i", folder, "--json")
    (facts,) = ended.json["hosts"]

    assert (0, "read", None) == (ended.code, facts["outcome"], facts["config_file"])


def test_wrong_connection_variables_are_told(project: Project, vtsconf: Vtsconf) -> None:
    ended = vtsconf("facts", "-i", project(ansible_port="none"), "--json")

    assert (3, ["invalid"]) == (ended.code, [host["outcome"] for host in ended.json["hosts"]])
    assert "ansible_port" in ended.json["hosts"][0]["reason"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "1763884800 20251123-0800-ab confirmed by ops",
            "2025-11-23 10:00:00 20251123-0800-ab confirmed by ops",
        ),
        ("999999999999999 x", "999999999999999 x"),
        ("999999999999 x", "second 999999999999 x"),
        ("²³ x", "²³ x"),
        ("", ""),
    ],
)
def test_a_servers_journal_has_times_for_people(
    monkeypatch: pytest.MonkeyPatch, line: str, expected: str
) -> None:
    monkeypatch.setenv("TZ", "XYZ-2")
    time.tzset()
    try:
        assert expected == told(line)
    finally:
        monkeypatch.undo()
        time.tzset()

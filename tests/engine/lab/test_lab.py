"""Switching a lab on and off: again, at the same time, after a crash, and never what is not a lab."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine.lab.servers import DETACH, target, wait_until
from vtsconf.core.errors import Locked, Usage, VtsconfError
from vtsconf.engine.lab.lab import Lab
from vtsconf.engine.lab.processes import start_time
from vtsconf.transport.ssh import SshConnector


@pytest.fixture
def detached(folder):
    """A lab with a process of its own; it is gone afterwards, whatever the test did to it."""
    lab = Lab.up(folder, servers=1, detached=True)
    yield lab
    if (folder / ".lab/lab.json").exists():
        Lab(folder).down()


def test_up_twice_is_up_once(detached, folder):
    again = Lab.up(folder, servers=2, detached=True)

    assert again.pid == detached.pid
    assert [host.name for host in again.hosts] == ["vts1", "vts2"]
    assert all(_greets(host) for host in again.hosts)


def test_ports_are_remembered_and_nothing_is_left_running(detached, folder):
    port, pid = detached.hosts[0].port, detached.pid
    _execute(detached, DETACH)
    detached.down()

    assert start_time(pid) is None
    assert detached.hosts[0].processes() == []
    assert not _greets(detached.hosts[0])
    assert Lab.up(folder, detached=True).hosts[0].port == port


def test_a_port_that_was_taken_meanwhile_is_replaced(detached, folder):
    port = detached.hosts[0].port
    detached.down()
    with socket.create_server(("127.0.0.1", port)):
        host = Lab.up(folder, detached=True).hosts[0]

        assert host.port != port
        assert _greets(host)
        assert f"ansible_port: {host.port}" in (folder / "inventory.yaml").read_text()


def test_after_a_crash_everything_is_found_again(detached, folder):
    _execute(detached, DETACH)
    pid = detached.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: start_time(pid) is None)

    assert detached.pid is None
    assert len(detached.hosts[0].processes()) == 1
    assert Lab.up(folder, detached=True).pid not in (None, pid)
    Lab(folder).down()
    assert detached.hosts[0].processes() == []


def test_after_a_crash_down_ends_what_was_left_running(detached):
    _execute(detached, DETACH)
    pid = detached.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: start_time(pid) is None)

    assert detached.down() is False
    assert detached.hosts[0].processes() == []


def test_a_reused_pid_is_not_ours(folder):
    """The pid file of a lab that died may name a process that has nothing to do with it."""
    with Lab.up(folder, servers=1):
        pass
    stranger = subprocess.Popen(("sleep", "60"))
    record = {"pid": stranger.pid, "started": 1, "ports": {"vts1": 1}, "detached": True}
    (folder / ".lab/daemon.json").write_text(json.dumps(record))

    assert Lab(folder).pid is None
    assert Lab(folder).down() is False
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_many_at_once_make_one_lab(folder):
    def up(_):
        try:
            return Lab.up(folder, servers=1, detached=True).pid
        except Locked:
            return None

    with ThreadPoolExecutor(4) as pool:
        pids = set(pool.map(up, range(4))) - {None}

    assert len(pids) == 1
    assert Lab(folder).down() is True
    assert Lab(folder).down() is False


def test_interrupted_while_starting_leaves_no_process(folder):
    """^C at any moment of `lab up`: nothing is left running, or a whole lab that `lab down` knows."""
    argv = (sys.executable, "-m", "vtsconf", "lab", "up", "--servers", "1")
    moments = ((_has_begun, 0.0), (_has_begun, 0.15), (_daemons, 0.0), (_daemons, 0.1), (_daemons, 0.3))
    for number, (moment, delay) in enumerate(moments):
        home = folder.with_name(f"lab{number}")
        process = subprocess.Popen(
            (*argv, home), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(lambda home=home, moment=moment: moment(home))
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)

        assert b"Traceback" not in said
        if (home / ".lab/lab.json").exists():
            Lab(home).down()
        assert _daemons(home) == []
        with Lab.up(home, servers=1) as lab:
            assert _greets(lab.hosts[0])


def test_faults_reach_a_lab_in_another_process(detached):
    detached.host("vts1").break_("service-fails", "ems", once=True)
    detached.host("vts1").break_("reboot")

    assert detached.host("vts1").service("ems") == "stopped"
    assert detached.host("vts1").faults == []


def test_purge_deletes_a_lab_and_nothing_else(detached, folder, tmp_path):
    detached.down(purge=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("x")
    with pytest.raises(Usage, match="not a lab"):
        Lab(tmp_path / "mine")

    assert not folder.exists()
    assert (tmp_path / "mine/file").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Usage, match="not empty"):
        Lab.up(tmp_path)
    with pytest.raises(Usage, match="not a folder"):
        Lab.up(tmp_path / "file")

    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("marker", ["", "{", "[]", '{"format": "vtsconf/lab/2", "servers": {}}',
                                    '{"format": "vtsconf/lab/1", "servers": {"../x": 1}}'])  # fmt: skip
def test_a_damaged_marker_is_told_and_nothing_is_deleted(tmp_path, marker):
    (tmp_path / ".lab").mkdir()
    (tmp_path / ".lab/lab.json").write_text(marker)
    with pytest.raises(VtsconfError) as refusal:
        Lab(tmp_path)

    assert str(tmp_path) in str(refusal.value)
    assert refusal.value.remedy


def test_what_the_user_has_changed_stays(folder):
    with Lab.up(folder, servers=1) as lab:
        mine = folder / "group_vars/all.yaml"
        mine.write_text("mine: 1\n")
        lab.hosts[0].tree.configuration.write_text("ems_enable='NO'\n")
    with Lab.up(folder, servers=2) as lab:
        assert mine.read_text() == "mine: 1\n"
        assert lab.hosts[0].tree.configuration.read_text() == "ems_enable='NO'\n"


def test_an_inventory_that_was_edited_is_not_overwritten(folder):
    with Lab.up(folder, servers=1):
        pass
    inventory = folder / "inventory.yaml"
    edited = inventory.read_text() + "# mine\n"
    inventory.write_text(edited)
    with pytest.raises(Usage, match="edited by hand"), Lab.up(folder, servers=2):
        pass

    assert inventory.read_text() == edited
    assert Lab(folder).pid is None


def test_services_run_what_the_tree_says(lab, host):
    host.tree.configuration.write_bytes(host.tree.configuration.read_bytes() + b"ems_mount_delay='7'\n")
    before = host.service("ems"), host.service("tapeserver")
    _execute(lab, "vts-service ems restart")

    assert before == ("behind", "current")
    assert host.service("ems") == "current"
    assert "ems_mount_delay='7'" in host.tree.loaded("ems").read_text()


@pytest.mark.parametrize(
    "line",
    ["ems_keep_alive='soon'", "ems_hostnames=''", "lab_fault='ems'", "ems_enable = YES", "ems_enable='YES"],
)
def test_a_service_refuses_a_configuration_that_makes_no_sense(lab, host, line):
    good = host.tree.configuration.read_bytes()
    host.tree.configuration.write_bytes(good + line.encode() + b"\n")
    broken = _execute(lab, "vts-service ems restart")
    host.tree.configuration.write_bytes(good)

    assert broken == 1
    assert host.service("ems") == "stopped"
    assert _execute(lab, "vts-service ems restart") == 0


def test_the_event_log_has_the_documented_fields(host):
    lines = host.tree.event_log.read_text().splitlines()

    assert len(lines) > 4
    assert {len(line.split("|")) for line in lines} == {9}
    assert {line.split("|")[1] for line in lines} <= {"INFO", "WARNING", "ERROR", "CRITICAL"}
    assert all(len(line.split("|")[0]) == 19 and len(line.split("|")[2]) == 6 for line in lines)


def test_names_of_a_project_can_be_had(folder):
    with Lab.up(folder, names=["fra-vts1", "dub-vts1"]) as lab:
        assert [host.name for host in lab.hosts] == ["fra-vts1", "dub-vts1"]
        assert not (folder / "inventory.yaml").exists()
        assert str(lab.hosts[1].port) in (folder / "rehearse.yaml").read_text()
    with pytest.raises(Usage, match="can be called"):
        Lab.up(folder, names=["../x"])


def _greets(host) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", host.port), timeout=5) as connection:
            return connection.recv(8).startswith(b"SSH-2.0")
    except OSError:
        return False


def _execute(lab, command):
    session = SshConnector(warn=lambda _: None).connect(target(lab, lab.host("vts1")))
    try:
        return session.execute(command, [], lambda _: None).code
    finally:
        session.close()


def _has_begun(folder):
    return (folder / ".lab").exists()


def _daemons(folder):
    """Processes that serve this folder, found by their command line."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"vtsconf.engine.lab.daemon" in words and str(folder).encode() in words:
                found.append(process.name)
    return found

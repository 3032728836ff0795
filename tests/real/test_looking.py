"""facts, doctor and adopt against a real OpenSSH: one round trip, a login without root, sudo, a full disk, no Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.real.openssh import OpenSsh
from tests.real.test_become import SUDO
from vtsconf.cli.main import run

CONFIG = "ems_enable='YES'\nems_hostnames='DEV2'\nhsm_level='3'\nsite='x y'\n"


def project(server: OpenSsh, folder: Path, vts: dict[str, str] | None = None, **more: object) -> Path:
    target = server.target()
    ways = {
        "ansible_host": target.address,
        "ansible_port": target.port,
        "ansible_user": target.user,
        "ansible_ssh_private_key_file": target.key_files[0],
        "vts_ssh_host_key": target.host_key,
        "vts_ssh_config": "",
        "vts_ssh_agent": False,
        "vts": vts or {},
    }
    made = folder / "project"
    made.mkdir(exist_ok=True)
    (made / "inventory.yaml").write_text(json.dumps({"all": {"hosts": {"vts1": ways | more}}}))
    return made


@pytest.fixture
def vtsconf(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*words):
        capsys.readouterr()
        code = run([str(word) for word in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def checks(out):
    return [(c["name"], c["verdict"], c["what"]) for c in json.loads(out)["hosts"][0]["checks"]]


def bad(out):
    return {name: verdict for name, verdict, _ in checks(out) if verdict != "ok"}


def with_tape(openssh, **wanted):
    server = openssh(own=("/usr/local/tape",), **wanted)
    folder = server.path("/usr/local/tape/conf")
    folder.mkdir(parents=True)
    (folder / "vts.conf").write_text(CONFIG)
    return server


VTS = {"config_file": "/usr/local/tape/conf/vts.conf"}


@pytest.mark.parametrize("command", ["facts", "doctor", "adopt"])
def test_one_connection_and_one_command(openssh, tmp_path, vtsconf, command):
    server = with_tape(openssh, python=False)
    code, _, err = vtsconf(command, "-i", project(server, tmp_path, VTS), "vts1")

    assert (0, "") == (code, err)
    assert (1, 1) == (server.connections(), server.execs())


def test_a_real_server_is_healthy_without_python(openssh, tmp_path, vtsconf):
    server = with_tape(openssh, python=False)
    code, out, _ = vtsconf("doctor", "-i", project(server, tmp_path, VTS), "vts1", "--json")

    assert (0, {}) == (code, bad(out))


def test_the_file_is_looked_for_in_the_products_own_folder(openssh, tmp_path, vtsconf):
    server = with_tape(openssh)
    code, out, _ = vtsconf("doctor", "-i", project(server, tmp_path), "vts1", "--json")

    assert (0, {"config file": "warning"}) == (code, bad(out))
    assert (
        '  # config_file: "/usr/local/tape/conf/vts.conf"  # 2 ems_ lines'
        in json.loads(out)["hosts"][0]["snippet"]
    )


def test_an_ordinary_user_may_not_write_and_sudo_helps(openssh, tmp_path, vtsconf):
    server = with_tape(openssh, setup=SUDO.format(rule="NOPASSWD: ALL"))
    alone = project(server, tmp_path, VTS, ansible_user="oper")
    code, out, _ = vtsconf("doctor", "-i", alone, "vts1", "--json")

    assert (1, {"state directory": "error", "folder": "error"}) == (code, bad(out))
    assert any("ansible_become" in c["remedy"] for c in json.loads(out)["hosts"][0]["checks"])

    code, out, _ = vtsconf(
        "doctor",
        "-i",
        project(server, tmp_path, VTS, ansible_user="oper", ansible_become=True),
        "vts1",
        "--json",
    )

    assert (0, {}) == (code, bad(out))
    assert any(name == "rights" and what.startswith("root (uid 0)") for name, _, what in checks(out))


def test_sudo_that_refuses_is_the_stage_that_failed(openssh, tmp_path, vtsconf):
    server = with_tape(openssh, setup=SUDO.format(rule="ALL"))
    folder = project(server, tmp_path, VTS, ansible_user="oper", ansible_become=True)
    code, out, _ = vtsconf("doctor", "-i", folder, "vts1", "--json")

    assert (4, {"become": "error"}) == (code, bad(out))
    assert ("login", "ok", "passed") in checks(out)
    assert "cannot become `root` with sudo" in next(what for name, _, what in checks(out) if name == "become")


@pytest.mark.parametrize("answer", ["echo hello", "cat /dev/null", "head -c 300000 /dev/urandom"])
def test_a_server_that_does_not_run_our_program(openssh, tmp_path, vtsconf, answer):
    server = with_tape(openssh, config=f"ForceCommand {answer}\n")
    folder = project(server, tmp_path, VTS)
    code, out, _ = vtsconf("doctor", "-i", folder, "vts1", "--json")

    assert (4, {"protocol": "error"}) == (code, bad(out))
    assert 4 == vtsconf("facts", "-i", folder)[0]
    assert 4 == vtsconf("adopt", "-i", folder, "vts1")[0]


def test_an_old_server(openssh, tmp_path, vtsconf):
    server = with_tape(openssh, legacy=True)
    code, out, _ = vtsconf("doctor", "-i", project(server, tmp_path, VTS), "vts1", "--json")

    assert (4, {"algorithms": "error"}) == (code, bad(out))
    assert "vts_ssh_legacy: true" in json.loads(out)["hosts"][0]["snippet"]

    code, out, _ = vtsconf(
        "doctor", "-i", project(server, tmp_path, VTS, vts_ssh_legacy=True), "vts1", "--json"
    )

    assert (0, {"algorithms": "warning"}) == (code, bad(out))


def test_a_disk_that_is_really_full(openssh, tmp_path, vtsconf):
    server = with_tape(
        openssh,
        mounts={"/var/lib/vtsconf": "tmpfs:size=64k"},
        setup="head -c 1m /dev/zero >/var/lib/vtsconf/x || :",
    )
    code, out, _ = vtsconf("doctor", "-i", project(server, tmp_path, VTS), "vts1", "--json")

    assert (1, {"programs": "error", "disk": "error"}) == (code, bad(out))


def test_adopt_then_plan_nothing(openssh, tmp_path, vtsconf):
    server = with_tape(openssh)
    folder = project(server, tmp_path, VTS)
    _, out, _ = vtsconf("adopt", "-i", folder, "vts1", "--file", "/etc/hostname")
    (folder / "host_vars").mkdir()
    (folder / "host_vars" / "vts1.yaml").write_text(out)

    assert 0 == vtsconf("plan", "-i", folder, "--detailed-exitcode")[0]

"""`vtsconf adopt` against lab servers: save what it prints, and plan has nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.cli.conftest import Project
from tests.e2e.conftest import Vtsconf
from vtsconf.engine.lab.lab import Host, Lab

BASE = "vts: {config_file: '{root}/usr/local/tape/lab/vts.conf', state_dir: '{root}/var/lib/vtsconf'}"
CONFIG = "usr/local/tape/lab/vts.conf"


@pytest.fixture
def configuration(vts1: Host):
    """The live file; as it was afterwards."""
    path = vts1.tree.root / CONFIG
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def save(folder: Path, text: str) -> None:
    (folder / "host_vars").mkdir(exist_ok=True)
    (folder / "host_vars" / "vts1.yaml").write_text(text)


def outcome(ended) -> tuple[int, str, int]:
    (host,) = ended.json["hosts"]
    return ended.code, host["outcome"], len(host["changes"])


def test_adopt_then_plan_nothing(project: Project, vtsconf: Vtsconf) -> None:
    folder = project(BASE)
    adopted = vtsconf("adopt", "-i", folder, "vts1")
    save(folder, adopted.out)
    vts = YAML(typ="safe", pure=True).load(adopted.out)["vts"]

    assert 0 == adopted.code
    assert {"response_timeout": 10, "vaults": ["VAULT01"]} == vts["ems"]["hosts"]["DEV2"]
    assert {"hsm_lab_enable": "NO", "hsm_lab_client": "none"} == vts["hsm"]
    assert "60" == vts["parameters"]["lab_web_session_minutes"]
    assert (0, "in_sync", 0) == outcome(vtsconf("plan", "-i", folder, "--json", "--detailed-exitcode"))


def test_a_change_by_hand_is_seen_afterwards(configuration: Path, project: Project, vtsconf: Vtsconf) -> None:
    folder = project(BASE)
    save(folder, vtsconf("adopt", "-i", folder, "vts1").out)
    configuration.write_bytes(configuration.read_bytes().replace(b"lab_web_port='443'", b"lab_web_port='80'"))

    assert (2, "changes", 1) == outcome(vtsconf("plan", "-i", folder, "--json", "--detailed-exitcode"))


def test_in_a_project_that_says_otherwise(servers: Lab, vtsconf: Vtsconf) -> None:
    """The lab's own groups name other hosts and values: all parameters are as the server has them."""
    path = servers.folder / "host_vars" / "vts1.yaml"
    before = path.read_text() if path.exists() else None
    try:
        save(servers.folder, vtsconf("adopt", "-i", servers.folder, "vts1").out)
        ended = vtsconf(
            "plan", "-i", servers.folder, "-l", "vts1", "--json",
            *("--target", "ems", "--target", "hsm", "--target", "cleanup", "--target", "parameters"),
        )  # fmt: skip
    finally:
        path.unlink()
        if before is not None:
            path.write_text(before)

    assert (0, "in_sync", 0) == outcome(ended)


def test_secrets_are_not_shown(
    configuration: Path, project: Project, vtsconf: Vtsconf, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.write_bytes(configuration.read_bytes() + b"hsm_password='Tr0ub4dor'\n")
    folder = project(BASE)
    adopted = vtsconf("adopt", "-i", folder, "vts1")
    save(folder, adopted.out)

    assert "Tr0ub4dor" not in adopted.out + adopted.err
    assert 'hsm_password: "secret://env/VTS1_HSM_PASSWORD"' in adopted.out
    monkeypatch.setenv("VTS1_HSM_PASSWORD", "Tr0ub4dor")

    assert (0, "in_sync", 0) == outcome(vtsconf("plan", "-i", folder, "--json"))


def test_what_could_erase_is_left_out_and_named(
    configuration: Path, project: Project, vtsconf: Vtsconf
) -> None:
    configuration.write_bytes(configuration.read_bytes() + b"cleanup_autoerase='YES'\n")
    folder = project(BASE)
    adopted = vtsconf("adopt", "-i", folder, "vts1")

    assert "#   cleanup_autoerase: " in adopted.out
    assert "autoerase" not in YAML(typ="safe", pure=True).load(adopted.out)["vts"]["cleanup"]


@pytest.mark.parametrize(
    "text", ["one\ntwo\n", "no end", "{{ braces }} {% x\n", " indented\n\n\ttab\n", "", "é: 'x' # \"y\"\n"]
)
def test_whole_files(vts1: Host, project: Project, vtsconf: Vtsconf, text: str) -> None:
    motd = vts1.tree.root / "etc" / "motd"
    motd.write_text(text)
    motd.chmod(0o640)
    folder = project(BASE)
    adopted = vtsconf("adopt", "-i", folder, "vts1", "--only-family", "hsm", "--file", motd)
    save(folder, adopted.out)

    assert {"hsm", "files"} == set(YAML(typ="safe", pure=True).load(adopted.out)["vts"])
    assert (0, "in_sync", 0) == outcome(vtsconf("plan", "-i", folder, "--json"))
    motd.unlink()


def test_a_path_that_looks_like_a_template(vts1: Host, project: Project, vtsconf: Vtsconf) -> None:
    file = vts1.tree.root / "etc" / "{{ x }}"
    file.write_text("x\n")
    folder = project(BASE)
    save(folder, vtsconf("adopt", "-i", folder, "vts1", "--only-family", "hsm", "--file", file).out)
    ended = vtsconf("plan", "-i", folder, "--json")
    file.unlink()

    assert (0, "in_sync", 0) == outcome(ended)


def test_a_file_with_a_secret_is_not_shown(vts1: Host, project: Project, vtsconf: Vtsconf) -> None:
    file = vts1.tree.root / "etc" / "bacula" / "x.conf"
    file.write_text('Password = "Tr0ub4dor"\n')
    adopted = vtsconf("adopt", "-i", project(BASE), "vts1", "--file", file, "--file", "/none")

    assert "Tr0ub4dor" not in adopted.out + adopted.err
    assert "x.conf: it seems to hold a secret" in adopted.out
    assert "files//none: it is absent" in adopted.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--only-family", "emms"], 64),
        (["--file", "motd"], 64),
        (["--file", "/a/../b"], 64),
    ],
)
def test_what_makes_no_sense(project: Project, vtsconf: Vtsconf, words: list[str], code: int) -> None:
    assert code == vtsconf("adopt", "-i", project(BASE), "vts1", *words).code


def test_without_a_configuration_file_there_is_nothing_to_adopt(project: Project, vtsconf: Vtsconf) -> None:
    ended = vtsconf("adopt", "-i", project("vts: {}"), "vts1")

    assert (64, "") == (ended.code, ended.out)
    assert "doctor" in ended.err


def test_unreachable(vts1: Host, project: Project, vtsconf: Vtsconf) -> None:
    vts1.break_("drop-on-connect")

    assert 4 == vtsconf("adopt", "-i", project(BASE), "vts1").code

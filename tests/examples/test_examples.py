"""Every example is valid as it stands, and does in the lab what it says: plan, apply, nothing left to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vtsconf.cli.main import run
from vtsconf.engine.lab.lab import Lab
from vtsconf.engine.project import Project

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/inventory.yaml"))

# What `facts` must be able to say of the backup clients once their settings are applied.
CLIENTS = {
    "first-server": set(),
    "bank-fleet": {("tsm", "8.1.27.0", "TSM1")},
    "netbackup-bacula": {("bacula", "9.6.7", "vts-ba1-fd"), ("networker", "19.8", "yes")},
}


@pytest.fixture(params=NAMES)
def project(request, tmp_path, monkeypatch):
    """A copy: the journal goes beside the inventory."""
    monkeypatch.setenv("BACULA_DIRECTOR_PASSWORD", "not-to-be-seen")
    copy = tmp_path / request.param
    shutil.copytree(EXAMPLES / request.param, copy, ignore=shutil.ignore_patterns(".vtsconf"))
    return copy


def test_there_are_examples():
    assert {"bank-fleet", "first-server", "netbackup-bacula"} <= set(NAMES)


def test_is_valid_without_a_lab(project, capfd):
    code = run(["validate", "-i", str(project), "--json"])
    found = json.loads(capfd.readouterr().out)

    assert code == 0
    assert [p for p in found["problems"] if p["level"] != "note"] == []


def test_is_planned_and_applied_in_the_lab(project, tmp_path, capfd):
    hosts = [host.name for host in Project.load(project).hosts()]
    with Lab.up(tmp_path / "lab", names=hosts) as lab:
        way = ("-i", str(project), "-e", f"@{lab.folder}/rehearse.yaml")
        changes = run(["plan", *way, "--detailed-exitcode"])
        applied = run(["apply", *way, "--yes"])
        said = "".join(capfd.readouterr())
        again = run(["plan", *way, "--detailed-exitcode"])

        assert (changes, applied, again) == (2, 0, 0), said
        assert "not-to-be-seen" not in said
        assert {host.service("ems") for host in lab.hosts} == {"current"}
        assert _clients(way, capfd) >= CLIENTS[project.name]
        assert all("DEV2" in host.tree.loaded("ems").read_text() for host in lab.hosts)


def test_the_labs_own_project_does_the_same(tmp_path, monkeypatch, capfd):
    with Lab.up(tmp_path / "lab", servers=2) as lab:
        monkeypatch.chdir(lab.folder)
        codes = [run(["validate"]), run(["apply", "--yes"]), run(["plan", "--detailed-exitcode"])]

        assert codes == [0, 0, 0], capfd.readouterr()
        assert "ems_keep_alive='120'" in lab.host("vts2").tree.configuration.read_text()
        assert lab.host("vts1").service("ems") == "current"


def test_init_writes_a_project_that_is_valid_and_never_overwrites(tmp_path, capfd):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("mine: 1\n")
    (tmp_path / "vtsconf.toml").symlink_to(tmp_path / "nowhere")
    codes = [
        run(["init", str(tmp_path)]),
        run(["init", str(tmp_path)]),
        run(["validate", "-i", str(tmp_path)]),
    ]
    said = capfd.readouterr().out

    assert codes == [0, 0, 0], said
    assert "+ inventory.yaml" in said
    assert "= group_vars/all.yaml  (kept)" in said
    assert not (tmp_path / "group_vars/all.yaml").exists()
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / ".gitignore").read_text().endswith(".vtsconf/\n")


def test_init_refuses_a_file(tmp_path, capfd):
    (tmp_path / "file").write_text("mine")

    assert run(["init", str(tmp_path / "file")]) == 64
    assert (tmp_path / "file").read_text() == "mine"
    assert "Traceback" not in capfd.readouterr().err


def _clients(way, capfd):
    """Backup application, version and server of every client that answers well."""
    capfd.readouterr()
    run(["facts", *way, "--json"])
    hosts = json.loads(capfd.readouterr().out)["hosts"]
    answers = [
        (c["bma"], tuple(f["text"] for f in host["clients"])) for host in hosts for c in host["clients"][:1]
        if all(f["ok"] for f in host["clients"])
    ]  # fmt: skip
    return {(bma, *texts) for bma, texts in answers}

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from vtsconf.cli.main import run
from vtsconf.core.outcome import Exit

INVENTORY = """\
all:
  children:
    berlin: {hosts: {"vts[1:3]": }, vars: {site: berlin}}
"""
GOOD = """\
vts:
  release: "8.3"
  config_file: /usr/local/tape/config
  services: {ems: {restart: [/etc/init.d/ems, restart], status: [/etc/init.d/ems, status]}}
  ems: {enable: true, keep_alive: 300, hosts: {DEV2: {vaults: [VAULT01]}}}
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "group_vars" / "all.yaml").write_text(GOOD)
    return tmp_path


def test_a_good_project(root, capsys):
    code = run(["validate"])
    told = capsys.readouterr()

    assert (told.out, told.err) == ("3 hosts: no problems\n", "")
    assert code == Exit.DONE


def test_all_problems_are_told_at_once_by_file(root, capsys):
    (root / "group_vars" / "all.yaml").write_text(
        GOOD.replace("keep_alive: 300", "keep_alive: soon, keepalive: 3")
    )
    (root / "group_vars" / "berlin.yaml").write_text("a: 1\na: 2\nvts: {release: '{{ sitte }}'}\n")
    (root / "host_vars").mkdir()
    (root / "host_vars" / "vts7.yaml").write_text("a: 1\n")
    code = run(["validate"])
    told = capsys.readouterr()

    assert [line for line in told.err.splitlines() if not line.startswith("     ")] == [
        "group_vars/all.yaml",
        "group_vars/berlin.yaml",
        "host_vars/vts7.yaml",
    ]
    assert "5:35 error: vts.ems.keep_alive" in told.err
    assert "did you mean `keep_alive`?" in told.err
    assert "2:1 error: the key `a` is there twice" in told.err
    assert "3:16 error: in the template: 'sitte' is undefined" in told.err
    assert "to do: did you mean `site`?" in told.err
    assert "1:1 warning: there is no host `vts7`" in told.err
    assert code == Exit.INVALID


def test_a_mistake_of_a_group_is_told_once_with_its_hosts(root, capsys):
    (root / "group_vars" / "berlin.yaml").write_text("vts: {relase: '8.3'}\n")
    run(["validate"])
    told = capsys.readouterr()

    assert told.err.count("relase") == 1
    assert "hosts: vts1, vts2, vts3" in told.err
    assert told.out == "3 hosts: 1 error\n"


def test_a_limit_narrows_what_is_checked(root, capsys):
    (root / "host_vars").mkdir()
    (root / "host_vars" / "vts2.yaml").write_text("vts: {relase: '8.3'}\n")

    assert run(["validate", "-l", "vts1"]) == Exit.DONE
    assert run(["validate", "-l", "vts2"]) == Exit.INVALID


def test_the_document_for_machines(root, capsys):
    (root / "group_vars" / "berlin.yaml").write_text("vts: {relase: '8.3'}\n")
    code = run(["validate", "--json"])
    told = capsys.readouterr()
    document = json.loads(told.out)

    assert document["format"] == "vtsconf/validation/1"
    assert document["summary"] == {"hosts": 3, "error": 1, "warning": 0, "note": 0}
    [problem] = document["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("group_vars/berlin.yaml", 1, 7)
    assert problem["hosts"] == ["vts1", "vts2", "vts3"]
    assert problem["remedy"] == "did you mean `release`?"
    assert set(problem) >= {"level", "code", "what", "why", "address", "source"}
    assert (told.err, code) == ("", Exit.INVALID)


def test_warnings_do_not_fail(root, capsys):
    (root / "group_vars" / "nobody.yaml").write_text("a: 1\n")

    assert run(["validate"]) == Exit.DONE
    assert capsys.readouterr().out == "3 hosts: 1 warning\n"


def test_notes_are_told_when_asked_for(root, capsys):
    (root / "group_vars" / "berlin.yaml").write_text("x: \"{{ lookup('env', 'HOME') }}\"\n")
    run(["validate"])
    quiet = capsys.readouterr().err
    run(["validate", "-v"])

    assert "lookup" not in quiet
    assert "note: in the template: 'lookup' is undefined" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["-i", "nowhere.yaml"], Exit.USAGE, "there is no inventory `nowhere.yaml`"),
        (["-l", "vts8"], Exit.USAGE, "did you mean `vts"),
        (["-e", "novalue"], Exit.USAGE, "is not KEY=VALUE"),
        (["--nonsense"], Exit.USAGE, "--nonsense"),
    ],
)
def test_a_command_line_that_makes_no_sense(root, capsys, arguments, code, what):
    assert run(["validate", *arguments]) == code
    assert what in capsys.readouterr().err


def test_what_a_document_holds_cannot_command_a_terminal(root, capsys):
    (root / "inventory.yaml").write_text('all: {hosts: {"\\e[2Jvts1": }}\n')
    run(["validate"])

    assert "\x1b" not in capsys.readouterr().err


def test_without_a_template_jinja2_is_not_loaded(root):
    code = (
        "import sys; from vtsconf.cli.main import run; run(['validate']); sys.exit('jinja2' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_strategies_are_checked_too(root, capsys):
    (root / "rollouts").mkdir()
    (root / "rollouts" / "nights.yaml").write_text("serial: [1, 10%]\ncanary: vts9\n")
    (root / "rollouts" / "days.yaml").write_text("canary: vts9\napart: [berlin]\n")
    code = run(["validate", "--json"])
    found = json.loads(capsys.readouterr().out)["problems"]

    assert [("rollouts/days.yaml", 1, 9), ("rollouts/nights.yaml", 1, 1)] == [
        (problem["file"], problem["line"], problem["column"]) for problem in found
    ]
    assert code == Exit.INVALID


def test_without_strategies_their_model_is_not_loaded(root):
    code = (
        "import sys; from vtsconf.cli.main import run; run(['validate']); "
        "sys.exit('vtsconf.core.rollout.written' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0

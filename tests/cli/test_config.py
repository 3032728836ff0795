from __future__ import annotations

import json

import pytest

from vtsconf.cli.main import run
from vtsconf.core.outcome import Exit


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1: }}\n")
    return tmp_path


def test_every_setting_with_the_source_that_won(root, capsys, monkeypatch):
    (root / "vtsconf.toml").write_text("parallel = 7\ncommand_timeout = '1m'\n")
    monkeypatch.setenv("VTSCONF_COMMAND_TIMEOUT", "90s")
    code = run(["config", "show", "--color", "never"])
    lines = capsys.readouterr().out.splitlines()

    assert "parallel = 7  (vtsconf.toml)" in lines
    assert "command_timeout = 1m30s  (VTSCONF_COMMAND_TIMEOUT)" in lines
    assert "color = never  (--color)" in lines
    assert "connect_timeout = 10s  (default)" in lines
    assert code == Exit.DONE


def test_the_document_for_machines(root, capsys):
    run(["config", "show", "--json", "-p", "3"])
    document = json.loads(capsys.readouterr().out)

    assert document["format"] == "vtsconf/settings/1"
    assert document["settings"]["parallel"] == {"value": 3, "origin": "--parallel"}


@pytest.mark.parametrize("words", [(), ("--json",), ("-v",)])
def test_the_password_of_the_store_is_shown_to_nobody(root, capsys, words):
    (root / "vtsconf.toml").write_text("store = 'postgresql://u:Pw123@h/db'\n")
    code = run(["config", "show", *words])
    told = capsys.readouterr()

    assert "postgresql://u:***@h/db" in told.out
    assert "Pw123" not in told.out + told.err
    assert code == Exit.DONE


def test_a_setting_that_is_none(root, capsys):
    (root / "vtsconf.toml").write_text("\nparalel = 7\n")
    code = run(["config", "show"])

    assert "2:1 error: `paralel` is no setting" in capsys.readouterr().err
    assert code == Exit.INVALID


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(capsys, flag):
    assert run(["config", flag]) == Exit.DONE
    assert "show" in capsys.readouterr().out

"""The front door: exit codes, sentences instead of tracebacks, and what is not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vtsconf.cli.main import COMMANDS, run

NAMES = [name for section in COMMANDS.values() for name in section]


def test_usage_errors_exit_with_64(capfd: pytest.CaptureFixture[str]) -> None:
    assert (64, 64, 64) == (run(["plna"]), run(["plan", "--no-such"]), run([]))

    assert "did you mean `plan`?" in capfd.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_help(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == run([name, "--help"])

    assert f"Usage: vtsconf {name}" in capfd.readouterr().out


def test_without_an_inventory_it_says_how_to_begin(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)

    assert 64 == run(["plan"])
    assert "vtsconf init" in capfd.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["completion", shell])

    assert "_VTSCONF_COMPLETE" in capfd.readouterr().out


def loaded_by(*words: str) -> set[str]:
    code = (
        "import sys\nfrom vtsconf.cli.main import run\n"
        f"run({list(words)!r})\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_the_version_loads_nothing_heavy() -> None:
    heavy = {"paramiko", "deepdiff", "pydantic", "jinja2", "ruamel", "rich", "sqlite3", "cryptography"}

    assert set() == loaded_by("--version") & heavy


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m vtsconf --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)

    assert "" == done.stderr

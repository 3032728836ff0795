"""What a script may rely on: one document with --json, an error where nothing was looked at, and honest refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Project
from tests.e2e.conftest import Ended, Vtsconf
from vtsconf.cli.main import COMMANDS
from vtsconf.cli.main import vtsconf as front

PARAMETERS = "vts: {config_file: '{root}/usr/local/tape/lab/vts.conf', parameters: {lab_note: x}}\n"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one host that no test here reaches."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1: {ansible_host: 127.0.0.1}}}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("plan", "-l", "nonesuch"), 64, "the limit's `nonesuch` is neither a host nor a group"),
        (("plan", "-i", "nope.yaml"), 64, "there is no inventory `nope.yaml`"),
        (("plan", "--bogus"), 64, "--bogus"),
        (("plna",), 64, "there is no command `plna`; did you mean `plan`?"),
        (("apply", "nope.json"), 64, "'nope.json' does not exist"),
        (("apply", "edited.json"), 3, "edited.json"),
        (("apply",), 3, "with --json nobody is asked"),
        (("rollback", "zzz", "-y"), None, ""),
        (("plan", "-p", "3", "--out", "/nonexistent/p.json"), 1, "/nonexistent/p.json"),
    ],
)
def test_an_error_is_a_document_too(
    offline: Path, vtsconf: Vtsconf, words: tuple[str, ...], code: int | None, what: str
) -> None:
    (offline / "edited.json").write_text('{"format": "vtsconf/plan/1", "hosts": 3}')
    ended = vtsconf(*words, "--json")
    document = ended.json

    assert ["format", "exit", "what", "remedy", "problems"] == list(document)
    assert ("vtsconf/error/1", ended.code) == (document["format"], document["exit"])
    assert code in (ended.code, None)
    assert what in document["what"]
    assert document["remedy"]
    assert ended.err


def test_problems_are_in_the_document_with_their_places(offline: Path, vtsconf: Vtsconf) -> None:
    (offline / "group_vars").mkdir()
    (offline / "group_vars" / "all.yaml").write_text("a: 1\na: 2\n")
    ended = vtsconf("plan", "--json")
    (problem,) = ended.json["problems"]

    assert (3, 3) == (ended.code, ended.json["exit"])
    assert ("error", 2, 1) == (problem["level"], problem["line"], problem["column"])
    assert problem["file"].endswith("group_vars/all.yaml")


def test_bytes_that_are_no_text_are_in_a_document_of_ascii(offline: Path) -> None:
    words = [sys.executable, "-m", "vtsconf", "plan", "--json", "-l", b"\xff\x1b"]
    done = subprocess.run(words, cwd=offline, capture_output=True, check=False, timeout=60)

    assert b"\\udcff\\u001b" in done.stdout
    assert 64 == json.loads(done.stdout)["exit"]


def test_without_json_an_error_leaves_stdout_empty(offline: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("plan", "-l", "nonesuch")

    assert (64, "") == (ended.code, ended.out)


@pytest.mark.parametrize("command", [("plan",), ("drift",), ("apply", "-y"), ("apply", "-y", "--json")])
@pytest.mark.parametrize("inventory", ["{}", "all: {hosts: {}}", "#!/bin/sh\necho '{}'\n"])
def test_no_host_is_no_success(
    offline: Path, vtsconf: Vtsconf, command: tuple[str, ...], inventory: str
) -> None:
    source = offline / "inventory.yaml"
    source.write_text(inventory)
    source.chmod(0o755 if inventory.startswith("#!") else 0o644)
    ended = vtsconf(*command)

    assert 64 == ended.code
    assert "no host is selected: inventory.yaml has none" in ended.err


def test_the_part_of_a_plan_that_is_selected_is_not_empty(
    project: Project, vtsconf: Vtsconf, tmp_path: Path
) -> None:
    folder = project(PARAMETERS)
    assert 0 == vtsconf("plan", "-i", folder, "--out", tmp_path / "one.json").code
    hosts = json.loads((folder / "inventory.yaml").read_text())
    hosts["all"]["hosts"]["vts2"] = {"ansible_host": "127.0.0.1"}
    (folder / "inventory.yaml").write_text(json.dumps(hosts))
    ended = vtsconf("apply", tmp_path / "one.json", "-i", folder, "-l", "vts2")

    assert 64 == ended.code
    assert "no host is selected" in ended.err
    assert "is a plan for vts1" in ended.err


def runs(folder: Path, vtsconf: Vtsconf) -> list[object]:
    listed: list[object] = vtsconf("history", "-i", folder, "--json").json["runs"]
    return listed


@pytest.mark.parametrize(
    ("connection", "code", "outcome"),
    [({}, 0, "unchanged"), ({"ansible_port": 1}, 4, "unreachable"), ({"ansible_port": "x"}, 3, "refused")],
)
def test_where_nothing_can_be_done_there_is_no_run_whatever_is_printed(
    project: Project, vtsconf: Vtsconf, connection: dict[str, object], code: int, outcome: str
) -> None:
    folder = project("", **connection)
    told = vtsconf("apply", "-i", folder, "-y")
    document = vtsconf("apply", "-i", folder, "-y", "--json")

    assert (code, code) == (told.code, document.code)
    assert ("", [outcome]) == (document.json["run"], [h["outcome"] for h in document.json["hosts"]])
    assert "Nothing was done: 1 host" in told.out
    assert [] == runs(folder, vtsconf)


def test_extra_variables_come_too_late_for_a_saved_plan(
    project: Project, vtsconf: Vtsconf, tmp_path: Path
) -> None:
    folder = project("")
    vtsconf("plan", "-i", folder, "--out", tmp_path / "plan.json")
    ended = vtsconf("apply", tmp_path / "plan.json", "-i", folder, "-e", "site=x", "-e", "ansible_timeout=7")

    assert 0 == ended.code
    assert "warning: a saved plan is carried out as it is: -e site has no effect" in ended.err


def test_a_plan_that_cannot_be_written_names_its_file(
    project: Project, vtsconf: Vtsconf, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    nowhere = vtsconf("plan", "-i", project(""), "--out", tmp_path / "no" / "p.json")
    long = vtsconf("plan", "-i", project(""), "--out", tmp_path / ("p" * 255))

    for ended, path in ((nowhere, tmp_path / "no" / "p.json"), (long, tmp_path / ("p" * 255))):
        assert 1 == ended.code
        assert f"the plan cannot be written to {path}: " in ended.err
        assert "to do: name a file" in ended.err


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Our end and the command's end of a terminal."""
    ours, theirs = os.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def on(terminal: tuple[int, int], typed: str, folder: Path, *words: str) -> Ended:
    ours, theirs = terminal
    os.write(ours, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "vtsconf", *words, "-i", str(folder)],
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("typed", ["n\n", "\n", "\x04"], ids=["no", "nothing", "end of input"])
def test_no_is_an_answer_and_no_interruption(project: Project, terminal: tuple[int, int], typed: str) -> None:
    ended = on(terminal, typed, project(PARAMETERS), "apply")

    assert (1, True) == (ended.code, ended.err.endswith("not applied: you said no\n"))
    assert "interrupted" not in ended.err


def test_a_flag_and_a_missing_terminal_are_two_reasons(
    project: Project, terminal: tuple[int, int], vtsconf: Vtsconf
) -> None:
    folder = project(PARAMETERS)
    flagged = on(terminal, "", folder, "apply", "--no-input")
    alone = vtsconf("apply", "-i", folder)

    assert (3, 3) == (flagged.code, alone.code)
    assert "nobody to ask: --no-input was given" in flagged.err
    assert "nobody to ask: stdin is no terminal" in alone.err
    assert "to do: give --yes, or apply a saved plan" in alone.err


def test_with_json_nobody_is_asked_even_on_a_terminal(project: Project, terminal: tuple[int, int]) -> None:
    ended = on(terminal, "y\n", project(PARAMETERS), "apply", "--json")

    assert (3, 3) == (ended.code, ended.json["exit"])
    assert ended.json["remedy"].startswith("give --yes")


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and every command of a group, as words."""
    for name in (name for section in COMMANDS.values() for name in section):
        yield (name,)
        command = front.get_command(click.Context(front), name)
        if isinstance(command, click.Group):
            yield from ((name, below) for below in command.list_commands(click.Context(command)))


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_shows_an_example(words: tuple[str, ...], vtsconf: Vtsconf) -> None:
    ended = vtsconf(*words, "--help")
    _, found, example = ended.out.partition("Example")

    assert 0 == ended.code
    assert found
    assert words[-1] in example


def test_the_version_is_said_in_one_way(vtsconf: Vtsconf) -> None:
    assert vtsconf("version").out == vtsconf("--version").out


@pytest.mark.parametrize(
    "words", [("--confirm-within", "0s"), ("--confirm-within", "5"), ("-e", 'vts={"ems": {}}')]
)
def test_what_makes_no_sense_is_told_before_a_server_is_asked(
    offline: Path, vtsconf: Vtsconf, words: tuple[str, ...]
) -> None:
    ended = vtsconf("apply", "-y", *words, "--json")

    assert (64, 64, "vtsconf/error/1") == (ended.code, ended.json["exit"], ended.json["format"])
    assert ended.json["remedy"]


def test_variables_as_a_map_say_how_they_are_written(offline: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("plan", "-e", 'vts={"ems": {"keep_alive": 5}}')

    assert """write -e '{"vts": {"ems": {"keep_alive": 5}}}' or -e @FILE""" in ended.err

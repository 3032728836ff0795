from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from vtsconf.core.errors import Invalid
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.engine.secrets import PROVIDERS, resolve


def find(text, root):
    ref = SecretRef.parse(text)
    return resolve({ref: ["vts1: bma/tsm/password"]}, root)[ref].reveal()


def complaint(text, root):
    with pytest.raises(Invalid) as raised:
        find(text, root)
    [problem] = raised.value.problems
    assert problem.why == "used by vts1: bma/tsm/password"
    assert text[:40] in problem.what
    return f"{problem.what} – {problem.remedy}"


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secrets" / "tsm"
    path.parent.mkdir()
    path.write_bytes(b"hunter2\n")
    path.chmod(0o600)
    return path


def test_an_environment_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("TSM_PASSWORD", "hünter2")

    assert find("secret://env/TSM_PASSWORD", tmp_path) == "hünter2".encode()


def test_a_file_of_the_project_or_an_absolute_one(tmp_path, secret_file):
    assert find("secret://file/secrets/tsm", tmp_path) == b"hunter2"
    assert find(f"secret://file/{secret_file}", Path("/")) == b"hunter2"


def test_a_command_is_split_into_words_and_sees_no_shell(tmp_path, secret_file):
    assert find("secret://cmd/cat secrets/tsm", tmp_path) == b"hunter2"
    assert find("secret://cmd/printf '%s|' 'a b' '$(id)'", tmp_path) == b"a b|$(id)|"


def test_one_line_end_is_taken_off_and_no_more(tmp_path):
    assert find(r"secret://cmd/printf ' a \n\n'", tmp_path) == b" a \n"
    assert find(r"secret://cmd/printf 'a\r\n'", tmp_path) == b"a"


def test_sops_is_asked_for_one_value(tmp_path, monkeypatch):
    """A stand-in that prints how it was called: what sops itself does is not shown here."""
    script = tmp_path / "sops"
    script.write_text('#!/bin/sh\nprintf "%s " "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert (
        find("secret://sops/all.enc.yaml#tsm/0/it's", tmp_path)
        == b"""-d --extract ["tsm"][0]["it's"] all.enc.yaml """
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("secret://env/VTSCONF_NOT_SET", "is not set – export VTSCONF_NOT_SET=…"),
        ("secret://env/A=B", "is not set"),
        ("secret://file/nowhere", "no such file or directory"),
        ("secret://file/.", "it is a directory"),
        ("secret://file/open", "everybody may read"),
        ("secret://file/large", "larger than"),
        ("secret://file/empty", "it is empty"),
        ("secret://file/pipe", "it is a pipe"),
        ("secret://cmd/nowhere-at-all", "there is no program `nowhere-at-all`"),
        ("secret://cmd/sh -c 'echo hunter2; echo no key >&2; exit 7'", "exit code 7: no key"),
        ("secret://cmd/true", "it is empty"),
        ("secret://cmd/'", "cannot be split into words"),
        ("secret://cmd/ ", "there is no command"),
        ("secret://cmd/head -c 100000 /dev/zero", "printed more than"),
        ("secret://keyring/onlyservice", "a key ring's reference is SERVICE/USER"),
        ("secret://sops/file.yaml", "a reference of sops is FILE#KEY"),
        ("secret://sops/-x#a", "begins with `-`"),
        ("secret://flie/x", "there is no provider `flie` – did you mean `file`?"),
    ],
)
def test_a_secret_that_cannot_be_had(tmp_path, text, what):
    for name, content, mode in [
        ("open", b"x", 0o644),
        ("large", b"x" * 70_000, 0o600),
        ("empty", b"\n", 0o600),
    ]:
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    os.mkfifo(tmp_path / "pipe")

    said = complaint(text, tmp_path)

    assert what in said
    assert "hunter2" not in said.replace(text, "")


@pytest.mark.skipif("keyring" in sys.modules, reason="the optional package is here")
def test_without_the_package_the_key_ring_says_how_to_get_it(tmp_path):
    assert "pip install" in complaint("secret://keyring/tsm/vts1", tmp_path)


def test_a_command_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("vtsconf.engine.secrets.provider.TIMEOUT", 0.2)

    assert "did not end within" in complaint("secret://cmd/sleep 60", tmp_path)


def test_every_failure_is_told_at_once(tmp_path):
    refs = {SecretRef("env", "VTSCONF_A"): ["vts1"], SecretRef("env", "VTSCONF_B"): ["a", "b", "c", "d"]}
    with pytest.raises(Invalid) as raised:
        resolve(refs, tmp_path)

    assert [p.why for p in raised.value.problems] == ["used by vts1", "used by a, b, c and 1 more"]


def test_a_provider_is_a_file_of_its_own():
    files = {path.stem for path in Path(sys.modules[resolve.__module__].__file__).parent.glob("*.py")}

    assert files - {"__init__", "provider"} == set(PROVIDERS)


def test_what_is_found_shows_nothing(tmp_path, secret_file):
    found = resolve({SecretRef("file", "secrets/tsm"): []}, tmp_path)

    assert found == {SecretRef("file", "secrets/tsm"): Secret(b"hunter2")}
    assert "hunter2" not in repr(found)

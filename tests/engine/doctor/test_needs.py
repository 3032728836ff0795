"""The trial of a server's programs, run by shells and tools as they are on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from vtsconf.engine.doctor import needs
from vtsconf.engine.doctor.needs import NEEDS, Abilities, abilities

TOOLS = [
    "head",
    "dd",
    "wc",
    "tail",
    "stat",
    "sha256sum",
    "mkdir",
    "mv",
    "ln",
    "setsid",
    "sh",
    "sleep",
    "cp",
    "chmod",
    "chown",
    "id",
    "sed",
    "readlink",
    "timeout",
    "cat",
    "rm",
    "printf",
    "grep",
    "true",
]
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


def run(folder, path=None, shell="sh"):
    words = [shell, "sh"] if shell == "busybox" else [shell]
    script = needs.query(str(folder)).argv[1:]
    environment = os.environ | {"TMPDIR": str(folder)} | ({"PATH": str(path)} if path else {})
    program = shutil.which(words[0]) or words[0]
    done = subprocess.run(
        [program, *words[1:], *script], capture_output=True, text=True, env=environment, check=False
    )

    assert done.stderr == ""
    return abilities(done.stdout)


@pytest.fixture
def tools(tmp_path):
    """A folder of programs to take some away from."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


@pytest.mark.parametrize("shell", SHELLS)
def test_this_machine_can_do_it_all(tmp_path, shell):
    able = run(tmp_path, shell=shell)

    assert ((), False) == (able.missing, able.untried)
    assert [] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("tool", "lost"),
    [
        ("sha256sum", {"sha256sum"}),
        ("setsid", {"setsid"}),
        ("stat", {"stat -c"}),
        ("mv", {"mv -T", "mv --backup"}),
        ("ln", {"hard links", "sed, cp -p, chmod, chown, readlink"}),
        ("tail", {"read a number of bytes"}),
        ("timeout", {"timeout"}),
    ],
)
def test_each_missing_program_is_noticed(tmp_path, tools, tool, lost):
    (tools / tool).unlink()
    unmet = {need.name for need in run(tmp_path, tools).unmet} - {"systemd-run"}

    assert lost == unmet


def test_a_tool_of_the_wrong_kind_is_noticed(tmp_path, tools):
    (tools / "mv").unlink()
    (tools / "mv").write_text("#!/bin/sh\nexit 0\n")
    (tools / "mv").chmod(0o755)

    assert {"mv -T", "mv --backup"} <= {need.name for need in run(tmp_path, tools).missing}


def test_without_a_place_to_write_nothing_is_claimed(tmp_path):
    able = run(tmp_path / "absent")

    assert (f"{tmp_path}/absent", True, ()) == (able.folder, able.untried, able.met)


@pytest.mark.parametrize("text", ["", "0 yes\n1 no", "0 maybe\nx yes\n99 yes\n", "0 yes\n" * 50])
def test_half_an_answer_is_not_taken_for_one(text):
    assert abilities(text).untried


def test_a_whole_answer():
    text = "".join(f"{n} {'no' if n == 3 else 'yes'}\n" for n in range(len(NEEDS)))

    assert Abilities(met=(*NEEDS[:3], *NEEDS[4:]), unmet=(NEEDS[3],)) == abilities(text)

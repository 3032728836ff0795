"""Bad plan files, bad live files and bad servers, met with the real command: a sentence, an exit code, and nothing done."""

from __future__ import annotations

import copy
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.conftest import Ended, Vtsconf
from vtsconf.core import plan as plans
from vtsconf.core.errors import Refused, VtsconfError
from vtsconf.core.secret import Secret
from vtsconf.engine.apply import Order, transaction_of
from vtsconf.engine.lab.lab import Lab
from vtsconf.transport.program import apply_program

CASES = Path(__file__).parent.parent / "cases" / "hostile"
CONFIG = "/usr/local/tape/lab/vts.conf"


def snapshot(lab: Lab) -> dict[str, bytes]:
    """Every regular file of every server but what remembers and logs."""
    kept = {}
    for host in lab.hosts:
        for path in host.tree.root.rglob("*"):
            if path.is_file() and not path.is_symlink() and "/var/lib/vtsconf/" not in str(path):
                kept[str(path)] = path.read_bytes()
    return kept


def is_clean(ended: Ended) -> bool:
    said = ended.out + ended.err
    return "Traceback" not in said and "this is a bug" not in said and "\x1b" not in said and "\0" not in said


@pytest.fixture
def plan(lab: Lab, vtsconf: Vtsconf) -> dict[str, Any]:
    assert vtsconf("plan", "--out", "plan.json").code == 0
    return json.loads((lab.folder / "plan.json").read_text())


def sealed(document: dict[str, Any]) -> str:
    return json.dumps({**document, "seal": plans._seal(document)})


# ---- plan files


def test_a_plan_that_was_cut_anywhere_is_refused(lab: Lab, vtsconf: Vtsconf, plan: dict[str, Any]) -> None:
    whole = (lab.folder / "plan.json").read_bytes()
    before = snapshot(lab)
    for part in (0, 1, len(whole) // 7, len(whole) // 2, len(whole) - 2):
        (lab.folder / "cut.json").write_bytes(whole[:part])
        ended = vtsconf("apply", "cut.json")

        assert ended.code == 3, ended.err
        assert "is not a whole JSON document" in ended.err
        assert "make the plan again" in ended.err
    assert snapshot(lab) == before


RAW = {
    "binary": bytes(range(256)) * 10, "a list": b"[]", "a number": b"42", "a text": b'"plan"', "nested": b"[" * 100_000,
    "utf-16": '{"format": "vtsconf/plan/1"}'.encode("utf-16"), "no format": b"{}", "a run": b'{"format": "vtsconf/run/1"}',
    "newer": b'{"format": "vtsconf/plan/9"}', "huge number": b'{"format": ' + b"9" * 5000 + b"}", "no seal": b'{"format": "vtsconf/plan/1"}',
    "null": b"null", "yaml": b"format: vtsconf/plan/1\n", "escapes": b'{"format": "\\u001b[2J\\ud800"}', "empty": b"",
}  # fmt: skip


def test_a_file_that_is_no_plan_is_refused(lab: Lab, vtsconf: Vtsconf) -> None:
    before = snapshot(lab)
    for name, data in RAW.items():
        (lab.folder / "raw.json").write_bytes(data)
        ended = vtsconf("apply", "raw.json")

        assert ended.code == 3, (name, ended.err)
        assert is_clean(ended), (name, ended.err)
        assert "raw.json" in ended.err
        assert "to do: " in ended.err
    assert snapshot(lab) == before


def edited(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    changed["hosts"][0]["steps"][0]["path"] = "/etc/passwd"
    return changed


def test_a_plan_that_was_edited_is_refused(lab: Lab, vtsconf: Vtsconf, plan: dict[str, Any]) -> None:
    (lab.folder / "edited.json").write_text(json.dumps(edited(plan)))
    ended = vtsconf("apply", "edited.json")

    assert (ended.code, "was changed after it was made" in ended.err) == (3, True)


def step(document: dict[str, Any]) -> dict[str, Any]:
    return document["hosts"][0]["steps"][0]


def _set(
    where: Callable[[dict[str, Any]], dict[str, Any]], key: str, value: Any
) -> Callable[[dict[str, Any]], None]:
    return lambda document: where(document).__setitem__(key, value)


def host(document: dict[str, Any]) -> dict[str, Any]:
    return document["hosts"][0]


HOSTILE: dict[str, Callable[[dict[str, Any]], None]] = {
    "newline in a path": _set(step, "path", "/etc/x\nrm -rf /"),
    "NUL in a path": _set(step, "path", "/etc/x\0y"),
    "relative path": _set(step, "path", "../../etc/passwd"),
    "command in a path": _set(step, "path", "/proc/$(touch pwned)`touch pwned`"),
    "option as a path": _set(step, "path", "--help"),
    "a state directory that cannot be": _set(host, "state_dir", "/proc/$(touch pwned)"),
    "no state directory": _set(host, "state_dir", ""),
    "escapes in a restart": _set(host, "restarts", ["\x1b[2J"]),
    "a service that is a path": _set(host, "restarts", ["../../../x"]),
    "another server": _set(host, "endpoint", "root@elsewhere:22"),
    "another fleet": _set(host, "host", "stranger"),
    "a host twice": lambda document: document["hosts"].append(document["hosts"][0]),
    "no digest": lambda document: host(document)["base"][0].__setitem__("digest", "0" * 64),
    "steps that are a text": _set(host, "steps", "rm -rf /"),
    "a step of another kind": _set(step, "step", "shell"),
    "a time that never ends": _set(host, "confirm_within", 10**30),
    "a negative time": _set(host, "confirm_within", -1),
    "owner that is an option": lambda document: step(document)["after"].__setitem__("owner", "--reference=/etc/shadow"),
    "mode that is a command": lambda document: step(document)["after"].__setitem__("mode", "$(touch pwned)"),
    "a secret from a command": lambda document: step(document)["after"].__setitem__("content", [{"secret": "secret://cmd/touch pwned"}]),
    "content that is no content": lambda document: step(document)["after"].__setitem__("content", [{"base64": "!"}]),
    "a surrogate": _set(step, "path", "/etc/\ud800"),
}  # fmt: skip


def test_a_resealed_plan_with_hostile_values_does_nothing(
    lab: Lab, vtsconf: Vtsconf, plan: dict[str, Any]
) -> None:
    """A seal is no signature: what is in the plan is judged all the same."""
    plan["hosts"] = plan["hosts"][:1]
    before = snapshot(lab)
    for name, spoil in HOSTILE.items():
        document = copy.deepcopy(plan)
        spoil(document)
        (lab.folder / "hostile.json").write_text(sealed(document))
        ended = vtsconf("apply", "hostile.json", "--json")

        assert ended.code in (1, 3, 5, 6), (name, ended.code, ended.err, ended.out)
        assert is_clean(ended), (name, ended.err)
        assert not list(lab.folder.rglob("*pwned*")), name
        assert snapshot(lab) == before, name
    assert vtsconf("plan").code == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["/etc/x\n", "\0", "$(touch pwned)", "../x", "-rf", 10**40, "\ud800", "put", "run", "secret://cmd/x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=4,
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of a document is."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


SAMPLE: dict[str, Any] = json.loads((CASES / "plan.json").read_text())
PLACES = [place for place in places(SAMPLE) if place]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON | st.just(...)), min_size=1, max_size=3))
def test_any_value_anywhere_in_a_plan_is_refused_or_harmless(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    document = copy.deepcopy(SAMPLE)
    for place, value in changes:
        try:
            parent: Any = document
            for key in place[:-1]:
                parent = parent[key]
            if value is ...:
                del parent[place[-1]]
            else:
                parent[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took that place away
    try:
        plan = plans.load(sealed(document).encode(), "plan.json")
    except Refused:
        return
    order = Order(run="20260101-000000-abcd", holder="me", reach=None, secrets_of=None, fingerprints=None)  # type: ignore[arg-type]
    secrets = {
        ref: Secret(b"x")
        for h in plan.hosts
        for s in h.steps
        if getattr(s, "after", None) and s.after.content
        for ref in s.after.content.secrets
    }
    for each in plan.hosts:
        try:
            program = apply_program(transaction_of(each, order), secrets, "k", "M")
        except VtsconfError:
            continue
        assert (
            subprocess.run(["sh", "-n"], input=program.body, capture_output=True, check=False).returncode == 0
        )


def test_a_huge_plan_is_read_within_bounds(lab: Lab, vtsconf: Vtsconf, plan: dict[str, Any]) -> None:
    plan["hosts"][0]["reason"] = "x" * 30_000_000
    (lab.folder / "huge.json").write_text(sealed(plan))
    with (lab.folder / "huger.json").open("wb") as file:
        file.truncate(300 * 1024 * 1024)

    assert vtsconf("apply", "huge.json", "--json").code == 0
    huger = vtsconf("apply", "huger.json")
    assert (huger.code, "larger than any plan" in huger.err) == (3, True)


# ---- live files

LIVE = (
    "binary", "50 MB", "directory", "symlink", "dangling", "loop", "fifo", "socket", "device", "empty", "no newline", "nul",
    "one long line", "escapes", "sparse", "not searchable",
)  # fmt: skip
FINE = {"empty", "no newline", "escapes", "one long line", "not searchable"}


def make(path: Path, what: str) -> None:  # noqa: C901 one case a thing
    original = path.read_bytes()
    path.unlink()
    match what:
        case "binary":
            path.write_bytes(bytes(range(256)) * 40)
        case "50 MB":
            path.write_bytes(b"key='value'\n" * (50_000_000 // 12))
        case "directory":
            path.mkdir()
        case "symlink":
            path.with_name("real.conf").write_bytes(original)
            path.symlink_to("real.conf")
        case "dangling":
            path.symlink_to("/nowhere/at/all")
        case "loop":
            path.symlink_to(path)
        case "fifo":
            os.mkfifo(path)
        case "socket":
            here = Path.cwd()
            os.chdir(path.parent)  # a socket's path is short
            with socket.socket(socket.AF_UNIX) as unix:
                unix.bind(path.name)
            os.chdir(here)
        case "device":
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
        case "empty":
            path.write_bytes(b"")
        case "no newline":
            path.write_bytes(original.rstrip(b"\n"))
        case "nul":
            path.write_bytes(original + b"\0\n")
        case "one long line":
            path.write_bytes(b"x" * 3_000_000)
        case "escapes":
            path.write_bytes(original + b"\x1b[2J\x1b]0;owned\x07='\x1b[31m'\n")
        case "sparse":
            with path.open("wb") as file:
                file.truncate(8 * 1024 * 1024 * 1024)
        case "not searchable":
            path.write_bytes(original)
            path.parent.chmod(0o000)


def test_whatever_stands_in_the_place_of_a_file(tmp_path: Path) -> None:
    """One server for each: one plan says of all of them what is there, changes nothing, and waits for nothing."""
    things = [what for what in LIVE if what != "device" or os.geteuid() == 0]
    with Lab.up(tmp_path / "lab", servers=len(things)) as lab:
        for each, what in zip(lab.hosts, things, strict=True):
            make(each.path(CONFIG), what)
        done = subprocess.run(
            [sys.executable, "-m", "vtsconf", "plan", "--json"], cwd=lab.folder, capture_output=True, text=True, check=False,
            timeout=60, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        ended = Ended(done.returncode, done.stdout, done.stderr)
        said = dict(zip(things, ended.json["hosts"], strict=True))
        for each in lab.hosts:
            each.path(CONFIG).parent.chmod(0o755)

        assert "Traceback" not in ended.err
        for what, entry in said.items():
            assert entry["outcome"] == ("changes" if what in FINE else "error"), (
                what,
                entry["outcome"],
                entry["reason"],
            )
            if entry["outcome"] == "error":
                assert CONFIG in entry["reason"], (what, entry["reason"])
        applied = subprocess.run(
            [sys.executable, "-m", "vtsconf", "apply", "-y", "--json"], cwd=lab.folder, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        outcomes = {
            what: entry["outcome"]
            for what, entry in zip(things, json.loads(applied.stdout)["hosts"], strict=True)
        }

        # The lab's own services do not start with some of these: then the change has gone back.
        assert {what for what, outcome in outcomes.items() if outcome in ("changed", "reverted")} == FINE
        assert {outcome for what, outcome in outcomes.items() if what not in FINE} == {"failed"}
        assert applied.returncode == 8


# ---- servers that lie: sh on a "server" that is this machine is a program of somebody else's

ANSWERS = {
    "nothing": "exit 0",
    "an error": "echo 'sh: not today' >&2; exit 127",
    "garbage": "head -c 300000 /dev/urandom",
    "endless": "exec cat /dev/zero",
    "endless events": 'm=$(sed -n "s/^N=//p" | head -n 1); while :; do printf "\\n%s event x\\n" "$m"; done',
    "forged without the mark": 'printf "\\nabc file 0\\nx\\nabc bye\\n"',
    "a reading of nothing": 'm=$(sed -n "s/^N=//p" | head -n 1); printf "\\n%s bye\\n" "$m"',
    "numbers that are none": 'm=$(sed -n "s/^N=//p" | head -n 1); printf "\\n%s file ²\\n\\n%s bye\\n" "$m" "$m"',
    "an answer for the terminal": "printf '\\033[2J\\033]0;owned\\007' >&2; exit 3",
    "killed": "kill -9 $$",
}  # fmt: skip


# VmHWM begins anew with a program; what wait4 tells may be its parent's.
_AND_ITS_PEAK = """
import sys
from vtsconf.cli.main import run
code = run(sys.argv[2:])
with open("/proc/self/status") as status, open(sys.argv[1], "w") as peak:
    peak.write(next(line.split()[1] for line in status if line.startswith("VmHWM")))
sys.exit(code)
"""


@pytest.mark.parametrize("says", ANSWERS)
def test_a_server_that_lies_is_a_sentence(tmp_path: Path, says: str) -> None:
    project, programs = tmp_path / "project", tmp_path / "bin"
    project.mkdir()
    programs.mkdir()
    (programs / "sh").write_text(f"#!/bin/dash\nexec 3>&-\n{ANSWERS[says]}\n")
    (programs / "sh").chmod(0o755)
    (project / "inventory.yaml").write_text(
        "all:\n  vars: {ansible_connection: local}\n  hosts: {liar: {}}\n"
    )
    (project / "group_vars").mkdir()
    (project / "group_vars/all.yaml").write_text(
        "vts:\n  config_file: /nowhere/vts.conf\n  ems: {enable: true}\n"
    )
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("w") as stdout, err.open("w") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-c", _AND_ITS_PEAK, str(tmp_path / "peak"), "plan", "--json"],
            cwd=project, stdout=stdout, stderr=stderr,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1"},
        )  # fmt: skip
        ended = Ended(child.wait(timeout=60), out.read_text(), err.read_text())

    assert ended.code == 4, (ended.out, ended.err)
    assert is_clean(ended), ended.err
    assert ended.json["hosts"][0]["outcome"] == "unreachable"
    assert "the server's answer" in ended.json["hosts"][0]["reason"]
    assert int((tmp_path / "peak").read_text()) < 400 * 1024

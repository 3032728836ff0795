"""What a person sees while tapes move: how far, how fast, until when; and what is not begun."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.lab import Lab

POLICY = """\
vts:
  policies:
    one: {select: {pools: [ONE]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}}
"""
WORDS = [sys.executable, "-m", "vtsconf", "migrate", "run"]
BEAT = re.compile(
    r"moving tapes (\d)/3  (\d+) kB of 3 kB; (?:1 running)?(?:, )?(?:\d waiting)?(?:; (\d+) B/s; about (\d+)s left, until \d{4}-.* UTC"
    r"|; when it ends is not known yet)"
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=1) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        (lab.folder / "vtsconf.toml").write_text("jobs_per_host = 1\n")
        assert 0 == run(lab, "apply", "-y").returncode
        (host,) = lab.hosts
        host.path("/VAULT01/ONE").mkdir()
        for n in range(3):
            host.path(f"/VAULT01/ONE/T{n:05}").write_bytes(b"tape" * 250)
        yield lab


def test_how_far_and_until_when(lab: Lab) -> None:
    lab.hosts[0].break_("bma", "slow", "9", "archive")
    with subprocess.Popen(
        WORDS, cwd=lab.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as executor:  # fmt: skip
        seen: list[str] = []
        while executor.poll() is None:
            seen.append(run(lab, "migrate", "status").stdout)
            time.sleep(1)
        assert executor.stderr
        beats = [found.groups() for line in executor.stderr if (found := BEAT.fullmatch(line.strip()))]

    assert len(beats) >= 2
    assert all(done == moved for done, moved, _, _ in beats)
    assert any(rate and 20 < int(rate) < 200 and 0 < int(left) < 60 for _, _, rate, left in beats)
    assert any(re.search(r"T0000\d  running for \d+s", one) for one in seen)
    assert any(re.search(r"^[12]/3 jobs have ended; [12] kB of 3 kB; 1 running.*B/s; about", one, re.MULTILINE) for one in seen)  # fmt: skip
    assert "3 done\n" == seen[-1] or "3 done\n" == run(lab, "migrate", "status").stdout


def test_the_document_has_it_and_says_what_of_the_plan_is_not_begun(lab: Lab) -> None:
    lab.hosts[0].break_("bma", "exit", "12", "archive")
    first = run(lab, "migrate", "run", "--json")
    told = json.loads(first.stdout)["progress"]
    again = run(lab, "migrate", "run")
    document = json.loads(run(lab, "migrate", "run", "--json").stdout)

    wanted = {
        "jobs_done": 3,
        "jobs_total": 3,
        "bytes_done": 0,
        "bytes_total": 3000,
        "running": 0,
        "waiting": 0,
        "bad": 3,
    }
    assert wanted | dict.fromkeys(("bytes_per_second", "ends", "opens", "closes")) == told
    assert (
        "0 new jobs\n      3 of the plan are known already: 3 failed (`vtsconf migrate failed`"
        in again.stderr
    )
    assert "migrate retry ID" in again.stderr
    assert {"failed": 3} == document["known"]
    nothing = json.loads(run(lab, "migrate", "status", "--json").stdout)["progress"]
    assert (0, 0) == (nothing["jobs_total"], nothing["bytes_total"])


def test_on_a_terminal_it_is_a_bar_and_what_has_ended_stands_above(lab: Lab) -> None:
    lab.hosts[0].break_("bma", "slow", "3", "archive")
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in {"CI", "NO_COLOR"}}
    with subprocess.Popen(
        WORDS, cwd=lab.folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
        env=environment | {"TERM": "xterm", "COLUMNS": "200"},
    ) as executor:  # fmt: skip
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # its end
            os.close(ours)
        assert 0 == executor.wait(60)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())

    assert re.search(r"moving tapes ━*[╸╺━ ]+ [01]/3 .* kB; 1 running", text)
    ended = [
        line.strip() for line in text.replace("\r", "\n").splitlines() if "found in the catalogue" in line
    ]
    assert [True] * 3 == [bool(re.match(r"= [0-9a-f]{8}  migrate  vts1 ", line)) for line in ended]
    assert said.count(b"\x1b[?25l") <= said.count(b"\x1b[?25h")  # the cursor is back

"""Promise 10 on the real command: kill the executor at random moments; every tape is archived exactly once.

What counts is what the tape library holds and its log of every run, not what the executor says.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from vtsconf.engine.lab.lab import Lab

POLICY = """\
vts:
  policies:
    everything: {select: {pools: [KILL]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=3) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        assert 0 == run(lab, "apply", "-y").returncode
        yield lab


def run(lab: Lab, *words: str, timeout: int = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vtsconf", *words], cwd=lab.folder, capture_output=True, text=True, check=False,
        timeout=timeout,
    )  # fmt: skip


def tapes(lab: Lab, each: int, seconds: int = 1) -> set[str]:
    """Some for each server, each archived in so many seconds; returns their paths."""
    made = set()
    for host in lab.hosts:
        pool = host.path("/VAULT01/KILL")
        pool.mkdir()
        for n in range(each):
            (pool / f"K{n:05}").write_bytes(os.urandom(1000 + n))
            made.add(str(pool / f"K{n:05}"))
        host.break_("bma", "slow", str(seconds), "archive")
    return made


def kill_and_go_on(lab: Lab, kills: int, seed: int) -> int:
    """Start it, kill it after a random while, again and again; then let it end. Returns how often it was at work."""
    dice = random.Random(seed)
    struck = 0
    for _ in range(kills):
        executor = subprocess.Popen(
            [sys.executable, "-m", "vtsconf", "migrate", "run"], cwd=lab.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(dice.uniform(0.3, 2.5))
        struck += executor.poll() is None
        executor.send_signal(signal.SIGKILL)
        executor.wait()
    return struck


def assert_each_once(lab: Lab, wanted: set[str]) -> None:
    shelves = Counter(path.read_text().strip() for path in (lab.folder / "library/tsm").glob("*/*/path"))
    log = [line.split() for line in (lab.folder / "library/log").read_text().splitlines()]
    begun = Counter(words[-1] for words in log if words[:3] == ["begin", "tsm", "archive"])

    assert dict.fromkeys(wanted, 1) == {path: n for path, n in shelves.items() if "/KILL/" in path}
    assert dict.fromkeys(wanted, 1) == {path: n for path, n in begun.items() if "/KILL/" in path}


def test_killed_at_random_every_tape_is_archived_once(lab: Lab) -> None:
    wanted = tapes(lab, 8)
    struck = kill_and_go_on(lab, kills=20, seed=7)

    last = run(lab, "migrate", "run", "--json")
    assert 0 == last.returncode
    status = run(lab, "migrate", "status", "--json")
    assert struck >= 10
    assert f'"done": {len(wanted)}' in status.stdout
    assert_each_once(lab, wanted)


@pytest.mark.soak
def test_killed_two_hundred_times_over_three_hundred_jobs(lab: Lab) -> None:
    """Slow enough that there is work left at the last kill; what runs on the servers goes on meanwhile."""
    wanted = tapes(lab, 100, seconds=10)
    struck = kill_and_go_on(lab, kills=200, seed=11)

    left = run(lab, "migrate", "status").stdout
    last = run(lab, "migrate", "run", timeout=1200)
    assert 0 == last.returncode, last.stdout
    sys.stdout.write(f"{struck} of 200 kills met an executor at work; then: {left.splitlines()[-1]}\n")
    assert struck >= 190
    assert "planned" in left
    assert_each_once(lab, wanted)

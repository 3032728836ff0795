"""Three executors on one PostgreSQL, killed at random and never waited for: every tape is archived exactly once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import POLICY, assert_each_once, run, tapes
from tests.real.postgres import Postgres
from vtsconf.engine.lab.lab import Lab

pytestmark = pytest.mark.real


@pytest.fixture
def shared(tmp_path: Path, postgres: Postgres) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=3) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        (lab.folder / "vtsconf.toml").write_text(f'store = "{postgres.fresh()}"\n')
        assert 0 == run(lab, "apply", "-y").returncode
        yield lab


def executor(lab: Lab) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "vtsconf", "migrate", "run"], cwd=lab.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def test_three_executors_killed_at_random(shared: Lab) -> None:
    wanted = tapes(shared, 8)
    dice = random.Random(11)
    crew = [executor(shared) for _ in range(3)]
    for _ in range(8):
        time.sleep(dice.uniform(0.3, 1.5))
        number = dice.randrange(3)
        crew[number].send_signal(signal.SIGKILL)
        crew[number].wait()
        crew[number] = executor(shared)
    codes = [one.wait(timeout=200) for one in crew]

    assert [0, 0, 0] == codes
    assert_each_once(shared, wanted)


def test_a_limit_holds_over_all_executors(shared: Lab) -> None:
    wanted = tapes(shared, 6)
    (shared.folder / "vtsconf.toml").open("a").write("jobs_per_host = 1\n")
    crew = [executor(shared) for _ in range(3)]

    assert [0, 0, 0] == [one.wait(timeout=200) for one in crew]
    assert_each_once(shared, wanted)
    running: dict[str, int] = {}
    for line in (shared.folder / "library/log").read_text().splitlines():
        what, _, action, *_, path = line.split()
        if action == "archive" and "/KILL/" in path:
            host = path.split("/VAULT01/")[0]
            running[host] = running.get(host, 0) + (1 if what == "begin" else -1)
            assert running[host] <= 1

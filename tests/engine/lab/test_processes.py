"""Whose process is whose: by mark and start time, never by name."""

from __future__ import annotations

import os
import subprocess

from tests.engine.lab.servers import wait_until
from vtsconf.engine.lab.processes import MARK, end_all, end_process, of_lab, of_tree, start_time


def test_a_process_with_another_start_time_is_left_alone():
    stranger = subprocess.Popen(("sleep", "61"))
    started = start_time(stranger.pid)

    assert end_process(stranger.pid, started + 1) is False
    assert stranger.poll() is None
    assert end_process(stranger.pid, started) is True
    assert stranger.wait() != 0
    assert start_time(stranger.pid) is None


def test_a_process_that_will_not_end_is_killed():
    stubborn = subprocess.Popen(
        ("sh", "-c", "trap '' TERM; echo; while :; do sleep 0.1; done"), stdout=subprocess.PIPE
    )
    stubborn.stdout.readline()

    assert end_process(stubborn.pid, start_time(stubborn.pid), seconds=0.3) is True
    assert stubborn.wait() == -9
    stubborn.stdout.close()


def test_only_marked_processes_and_what_they_started_belong_to_a_server(tmp_path):
    """Also those that have dropped the mark; not those of a server whose name begins alike."""
    lab, tree = tmp_path, tmp_path / "vts1"
    shell = "env -i sleep 61 & env -i sleep 61 & wait"
    ours = subprocess.Popen(("sh", "-c", shell), env={**os.environ, MARK: str(tree)})
    other = subprocess.Popen(("sleep", "61"), env={**os.environ, MARK: f"{tree}0"})
    stranger = subprocess.Popen(("sleep", "61"))
    wait_until(lambda: len(of_tree(tree)) == 3)

    assert ours.pid in of_tree(tree)
    assert set(of_lab(lab)) == {*of_tree(tree), other.pid}
    end_all(lambda: of_tree(tree))
    assert ours.wait() == -9
    assert (other.poll(), stranger.poll()) == (None, None)
    for process in (other, stranger):
        process.kill()
        process.wait()


def test_none_goes_on_when_its_child_dies_before_it(tmp_path):
    """Numbers of processes begin again at the highest: a child's may be the lower, and it is killed first."""
    tree, went_on = tmp_path / "vts1", tmp_path / "went-on"
    ours = subprocess.Popen(("sh", "-c", f"sleep 61; : >'{went_on}'"), env={**os.environ, MARK: str(tree)})
    wait_until(lambda: len(of_tree(tree)) == 2)
    (child,) = set(of_tree(tree)) - {ours.pid}
    nobody = [2**22 + 1] * 100_000  # higher than any number can be: time passes between the two

    end_all(lambda: [child, *nobody, ours.pid] if ours.poll() is None else [])

    assert ours.wait() == -9
    assert not went_on.exists()

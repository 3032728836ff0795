"""A change cut off at any instruction: every tool that the protocol calls is, in turn, where the server dies."""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest

from tests.transport.box import Box, put, wait_until
from vtsconf.core.errors import Unreachable

OLD, NEW = b"old 1\nold 2\n", b"new 1\nnew 2\n"


@pytest.fixture
def server(box: Box) -> Box:
    for name in ("a.conf", "c.conf"):
        box.file(name).write_bytes(OLD)
        box.file(name).chmod(0o604)
    box.restart()
    box.hurry()
    return box


def steps(box: Box):
    return [
        put(box.file("a.conf"), OLD, NEW),
        put(box.file("b.conf"), None, NEW),
        put(box.file("c.conf"), OLD, None),
    ]


def change(box: Box, run: str) -> None:
    """Apply and confirm, as far as it comes."""
    with suppress(Unreachable):
        if box.apply(steps(box), run=run, within=20).outcome == "armed":
            box.confirm(run)


def assert_whole(box: Box, old, new, run: str) -> None:
    """The tree is the old one or the new one, the service runs it or the debt is there, nothing of ours is left."""
    tree = box.tree()

    assert tree in (old, new)
    assert box.is_free()
    assert box.loaded == box.configured or box.debts() == ["ems"]
    if tree == new:
        assert box.backup(run, 0) == OLD
        assert box.outcome(run).startswith("confirmed")


@pytest.fixture
def trees(server: Box, tmp_path, monkeypatch):
    """The tree before, and the one that an undisturbed change makes."""
    twin = Box(tmp_path / "twin", set_environment=monkeypatch.setenv)
    for name in ("a.conf", "c.conf"):
        twin.file(name).write_bytes(OLD)
        twin.file(name).chmod(0o604)
    change(twin, twin.run_name())
    monkeypatch.setenv("PATH", f"{server.root}/bin:/usr/bin:/bin")
    monkeypatch.setenv("VTSCONF_TEST_BOX", str(server.root))
    return server.tree(), twin.tree()


CALLS = 48  # a few more than there are from the lock to the end of the confirmation
SAMPLE = sorted(random.Random(os.environ.get("VTSCONF_SEED", "1")).sample(range(1, CALLS), 20))


def reboots_at(server: Box, trees, at: int, when: str) -> None:
    run = server.run_name()
    server.strike(at, when=when)
    change(server, run)
    struck = server.calm()
    server.reboot()
    server.read()
    assert_whole(server, *trees, run)
    if not struck:
        assert server.tree() == trees[1]
    elif server.tree() == trees[0]:
        change(server, server.run_name())
        assert server.tree() == trees[1]
        assert server.loaded == server.configured


@pytest.mark.parametrize("at", SAMPLE)
def test_the_server_reboots_at(server, trees, at):
    reboots_at(server, trees, at, "before" if at % 2 else "after")


@pytest.mark.soak
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS))
def test_the_server_reboots_at_every(server, trees, at, when):
    reboots_at(server, trees, at, when)


def dies_at(server: Box, trees, at: int, when: str) -> None:
    """Only the shell that makes the change dies: whatever it has swapped goes back without anybody coming by."""
    run = server.run_name()
    server.strike(at, when=when, whom="applier")
    change(server, run)
    if server.calm():
        # What was only staged stays beside its target until the next contact.
        wait_until(lambda: {n: w for n, w in server.tree().items() if "vtsconf" not in n} in trees)
    server.read()
    wait_until(server.is_free)
    assert_whole(server, *trees, run)


@pytest.mark.parametrize("at", SAMPLE[1::2])
def test_the_applier_dies_at(server, trees, at):
    dies_at(server, trees, at, "after" if at % 2 else "before")


@pytest.mark.soak
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS))
def test_the_applier_dies_at_every(server, trees, at, when):
    dies_at(server, trees, at, when)

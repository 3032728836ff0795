"""The protocol of design §6 on a real sh: what it promises when all goes well, and at every way it can end."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.transport.box import Box, command, put, state_of, wait_until
from vtsconf.core.errors import Unreachable
from vtsconf.core.probe import FileKind, Query
from vtsconf.transport.server import Applied

OLD, NEW, HAND = b"old 1\nold 2\n", b"new 1\nnew 2\nnew 3\n", b"by hand\n"
EVENTS = (
    "locked", "compared", "staged", "validated", "saved", "indebted", "armed", "swapped", "restarted", "checked",
    "done",
)  # fmt: skip


@pytest.fixture
def server(box: Box) -> Box:
    """A box with three files: one to change, one to create, one to remove; and a service that runs with them."""
    box.file("a.conf").write_bytes(OLD)
    box.file("c.conf").write_bytes(b"c\n")
    for name in ("a.conf", "c.conf"):
        box.file(name).chmod(0o604)
    box.restart()
    box.hurry()
    return box


def three_steps(box: Box):
    return [
        put(box.file("a.conf"), OLD, NEW),
        put(box.file("b.conf"), None, b"b\n"),
        put(box.file("c.conf"), b"c\n", None),
    ]


def is_settled(box: Box) -> bool:
    """Nothing of ours is left: no lock, nothing armed, no file next to a target."""
    return box.is_free() and not [p for p in box.root.glob("etc/**/*") if "vtsconf" in p.name]


def tells_the_truth(box: Box) -> bool:
    """The service runs what the tree says, or the debt is on record."""
    return box.loaded == box.configured or box.debts() == ["ems"]


# ---- all goes well


def test_a_change_is_made_armed_and_kept(server):
    events: list[str] = []
    transaction = server.transaction(three_steps(server))
    applied = server.server().apply(transaction, {}, events.append)

    assert (applied.outcome, applied.debts) == ("armed", ())
    assert [event.split()[0] for event in events] == list(EVENTS)
    assert applied.reading.files[str(server.file())].data == NEW
    assert not server.is_free()
    assert server.confirm(transaction.run).outcome == "confirmed"
    assert {"etc/a.conf": ("-rw-r----- 0:0", NEW), "etc/b.conf": ("-rw-r----- 0:0", b"b\n")} == server.tree()
    assert (server.backup(transaction.run, 0), server.backup(transaction.run, 2)) == (OLD, b"c\n")
    assert server.loaded == NEW + b"b\n"
    assert server.debts() == []
    assert is_settled(server)
    wait_until(lambda: server.processes() == [])


def test_a_change_that_nobody_confirms_takes_itself_back(server):
    before = server.tree()
    transaction = server.transaction(three_steps(server), within=10)
    server.server().apply(transaction, {}, lambda _: None)
    assert server.tree() != before
    wait_until(lambda: is_settled(server))

    assert server.tree() == before
    assert server.outcome(transaction.run) == "reverted not confirmed within 10 s"
    assert server.loaded == OLD + b"c\n"
    assert server.confirm(transaction.run).outcome == "reverted"


def test_an_armed_change_is_taken_back_on_request(server):
    before = server.tree()
    transaction = server.transaction(three_steps(server))
    server.server().apply(transaction, {}, lambda _: None)
    answer = server.revert(transaction.run)

    assert (answer.outcome, answer.reason) == ("reverted", "as asked")
    assert server.tree() == before
    assert is_settled(server)
    assert tells_the_truth(server)


def test_health_is_asked_before_a_change_is_kept(server):
    before = server.tree()
    run = server.transaction(three_steps(server)).run
    server.apply(three_steps(server), run=run)
    answer = server.confirm(
        run, Query("good one", ("echo", "fine")), Query("bad", ("sh", "-c", "echo sick; exit 3"))
    )

    assert (answer.outcome, answer.reason) == ("reverted", "health check bad failed")
    assert [(name, seen.exit, seen.text) for name, seen in answer.health] == [
        ("good one", 0, "fine"),
        ("bad", 3, "sick"),
    ]
    assert server.tree() == before


# ---- every stage that can fail


def failing(box: Box, stage: str):
    """Steps of which one fails at `stage`."""
    steps = three_steps(box)
    match stage:
        case "validator":
            steps[1] = put(box.file("b.conf"), None, b"b\n", validate=("grep", "-q", "nothing", "{}"))
        case "directory":
            steps[1] = put(box.root / "etc/none/b.conf", None, b"b\n")
        case "owner":
            steps[1] = replace(steps[1], after=state_of(b"b\n", owner="nobody-of-this-name"))
        case "restart":
            (box.root / "run/ems.fails").touch()
        case "status":
            (box.root / "run/ems.sick").touch()
        case "command":
            steps.append(command("c", ["test", "-e", f"{box.root}/x"], ["false"], ["true"]))
        case "check":
            steps.append(command("c", ["true"], ["true"], ["true"]))
    return steps


STAGES = {
    "validator": ("failed", "the validator of "), "directory": ("failed", "the directory "), "owner": ("failed", "cannot give "),
    "restart": ("reverted", "the restart of ems failed"), "status": ("reverted", "the status check of ems"),
    "command": ("reverted", "command c failed"), "check": ("stale", "the check of command c now passes"),
}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_fails_leaves_the_old_tree(server, stage):
    before = server.tree()
    applied = server.apply(failing(server, stage))
    outcome, reason = STAGES[stage]

    assert (applied.outcome, applied.reason[: len(reason)]) == (outcome, reason)
    assert server.tree() == before
    assert is_settled(server)
    assert tells_the_truth(server)


def test_a_restart_that_fails_twice_leaves_a_debt(server):
    """Old bytes are back, but the service could not be started with them."""
    (server.root / "run/ems.fails").touch()
    applied = server.apply(three_steps(server))

    assert applied.outcome == "reverted"
    assert "not restarted: ems" in applied.reason
    assert applied.debts == ("ems",)


def test_a_service_that_ran_the_new_bytes_and_cannot_go_back_is_a_debt(server):
    """The restart that pays the debt is undone: so the debt is there again."""
    svc = server.root / "bin/svc"
    svc.write_text(
        svc.read_text().replace("status)", 'status) touch "$here/run/$2.fails" "$here/run/$2.sick";')
    )
    applied = server.apply(three_steps(server))

    assert applied.outcome == "reverted"
    assert server.loaded != server.configured
    assert server.debts() == ["ems"]


def test_a_command_that_ran_is_undone(server):
    made = server.root / "made"
    steps = [
        *three_steps(server),
        command("make", ["test", "-e", str(made)], ["touch", str(made)], ["rm", str(made)]),
        command("fail", ["test", "-e", f"{server.root}/x"], ["false"], ["true"]),
    ]
    before = server.tree()

    assert server.apply(steps).outcome == "reverted"
    assert not made.exists()
    assert server.tree() == before


# ---- stale


def edit(path, how: str) -> None:
    match how:
        case "content":
            path.write_bytes(HAND)
        case "mode":
            path.chmod(0o600)
        case "absent":
            path.unlink()
        case "directory":
            path.unlink()
            path.mkdir()
        case "symlink":
            path.rename(path.with_name("elsewhere"))
            path.symlink_to("elsewhere")
        case "dangling":
            path.unlink()
            path.symlink_to("nowhere")
        case "fifo":
            path.unlink()
            os.mkfifo(path)
        case "owner":
            os.chown(path, 12345, -1)


@pytest.mark.parametrize(
    "how", ["content", "mode", "absent", "directory", "symlink", "dangling", "fifo", "owner"]
)
def test_a_file_that_was_changed_since_the_plan_is_stale(server, how):
    if how == "owner" and os.geteuid() != 0:
        pytest.skip("needs root")
    edit(server.file(), how)
    before = server.tree()
    events: list[str] = []
    applied = server.apply([put(server.file(), OLD, NEW)], on_event=events.append)

    assert applied.outcome == "stale"
    assert [event.split()[0] for event in events] == ["locked", "stale"]  # nothing was staged
    assert str(server.file()) in applied.reason
    assert server.tree() == before
    assert is_settled(server)


@pytest.mark.parametrize("how", ["content", "directory", "dangling"])
def test_a_file_that_appeared_since_the_plan_is_stale(server, how):
    path = server.file("b.conf")
    path.write_bytes(b"")
    edit(path, how)
    before = server.tree()

    assert server.apply(three_steps(server)).outcome == "stale"
    assert server.tree() == before


# ---- locks


def test_a_server_with_an_armed_change_is_locked(server):
    run = server.run_name()
    server.apply(three_steps(server), run=run)
    armed = server.tree()
    second = server.apply([put(server.file("d.conf"), None, b"d\n")])

    assert (second.outcome, second.lock.run, second.lock.holder) == ("locked", run, "tester@here")
    assert server.tree() == armed
    assert server.unlock(force=True).outcome == "armed"
    assert server.confirm(run).outcome == "confirmed"


def test_of_many_applies_at_once_exactly_one_wins(server):
    for number in range(8):
        name = server.file(f"n{number}.conf")
        steps = [[put(name, None, f"{n}\n".encode())] for n in range(4)]
        runs = [server.run_name() for _ in steps]
        answers: dict[str, Applied] = {}

        def work(step, run, answers=answers):
            answers[run] = server.apply(step, run=run)

        threads = [threading.Thread(target=work, args=pair) for pair in zip(steps, runs, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [run for run in runs if answers[run].outcome == "armed"]

        assert len(winners) == 1
        assert {a.outcome for r, a in answers.items() if r not in winners} <= {"locked", "stale"}
        assert name.read_bytes() == f"{runs.index(winners[0])}\n".encode()
        assert server.confirm(winners[0]).outcome == "confirmed"
        assert is_settled(server)


# ---- killed


@pytest.mark.parametrize("event", EVENTS)
def test_the_applier_dies_at(server, event):
    """The reverter, if it was armed, takes the change back; the next contact settles the rest."""
    before = server.tree()
    run = server.run_name()

    def strike(seen: str) -> None:
        if seen.split(maxsplit=1)[0] == event:
            server.kill_applier()

    with suppress(Unreachable):  # on a busy machine it may be through before it is struck
        server.apply(three_steps(server), on_event=strike, run=run, within=10)
    server.read()
    wait_until(lambda: is_settled(server))

    assert server.tree() == before
    assert tells_the_truth(server)
    assert server.read().lock is None
    assert server.apply(three_steps(server)).outcome == "armed"


@pytest.mark.parametrize("event", EVENTS)
def test_the_server_reboots_at(server, event):
    before = server.tree()

    def strike(seen: str) -> None:
        if seen.split(maxsplit=1)[0] == event:
            server.reboot()

    run = server.run_name()
    with suppress(Unreachable):  # on a busy machine it may be through before it is struck
        server.apply(three_steps(server), on_event=strike, run=run)
    reading = server.read()

    assert (reading.lock, reading.pending) == (None, None)
    assert server.tree() == before
    assert is_settled(server)
    assert tells_the_truth(server)
    assert server.confirm(run).outcome in ("none", "reverted")
    assert server.apply(three_steps(server)).outcome == "armed"


def test_what_stands_at_a_path_is_told(server):
    os.mkfifo(server.file("fifo"))
    server.file("link").symlink_to("a.conf")
    names = ("a.conf", "none", "fifo", "link")
    reading = server.read(*(str(server.file(name)) for name in names), str(server.root / "etc"))

    assert [seen.kind for seen in reading.files.values()] == [
        FileKind.FILE, FileKind.ABSENT, FileKind.SPECIAL, FileKind.SYMLINK, FileKind.DIRECTORY,
    ]  # fmt: skip


def test_whether_a_file_that_is_not_there_has_a_folder_is_told(server):
    (server.root / "plain").write_text("a file is no folder")
    paths = [str(server.root / name) for name in ("etc/none", "no/such/file", "plain/file")]
    reading = server.read(*paths, "/none-of-ours")

    assert [(seen.kind, seen.folder_missing) for seen in reading.files.values()] == [
        (FileKind.ABSENT, False),
        (FileKind.ABSENT, True),
        (FileKind.ABSENT, True),
        (FileKind.ABSENT, False),
    ]

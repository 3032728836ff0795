"""States that a server can be found in, each made by hand or by a race, and what the next contact makes of it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.transport.box import KEY, Box, command, put, state_of, wait_until
from vtsconf.core.content import Content
from vtsconf.core.errors import Unreachable
from vtsconf.core.probe import FileKind, Query, ReadFile
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.core.step import FileState, PutFile

OLD, NEW = b"old\n", b"new\n"


@pytest.fixture
def server(box: Box) -> Box:
    box.file().write_bytes(OLD)
    box.file().chmod(0o604)
    box.restart()
    box.hurry()
    return box


def steps(box: Box):
    return [put(box.file(), OLD, NEW), put(box.file("b.conf"), None, NEW)]


def armed(box: Box, within: int = 300) -> str:
    run = box.run_name()
    assert box.apply(steps(box), run=run, within=within).outcome == "armed"
    return run


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


# ---- one decision


def test_the_reverter_against_the_controller(server):
    """Many rounds at the very moment: one decision each time, and a tree that agrees with it."""
    seen = set()
    for number in range(14):
        old = server.tree()
        name = f"r{number}.conf"
        run = server.run_name()
        server.apply([put(server.file(name), None, NEW)], run=run, within=3)
        time.sleep(0.02 * number)
        answer = server.confirm(run)
        seen.add(answer.outcome)

        assert answer.outcome in ("confirmed", "reverted")
        assert server.outcome(run).split()[0] == answer.outcome
        assert (server.tree() == old) == (answer.outcome == "reverted")
        assert server.is_free()
        assert server.journal().count(f" {run} confirmed") + server.journal().count(f" {run} reverted ") == 1
    assert seen <= {"confirmed", "reverted"}


def test_many_who_confirm_and_revert_at_once(server):
    for number in range(5):
        old = server.tree()
        run = server.run_name()
        server.apply([put(server.file(f"r{number}.conf"), None, NEW)], run=run)
        with ThreadPoolExecutor(4) as pool:
            asked = [
                pool.submit(ask, run)
                for ask in (server.confirm, server.revert, server.confirm, server.revert)
            ]
        outcomes = {future.result().outcome for future in asked}

        assert len(outcomes) == 1
        assert outcomes <= {"confirmed", "reverted"}
        assert (server.tree() == old) == (outcomes == {"reverted"})
        assert server.is_free()


def test_many_contacts_settle_once(server):
    for _ in range(4):
        old = server.tree()
        run = armed(server)
        server.reboot()
        with ThreadPoolExecutor(4) as pool:
            readings = [f.result() for f in [pool.submit(server.read) for _ in range(4)]]
        wait_until(server.is_free)

        assert server.tree() == old
        assert server.journal().count(f" {run} reverted ") == 1
        assert sum(bool(reading.settled) for reading in readings) >= 1


# ---- who died


def test_the_reverter_is_killed_while_the_controller_lives(server):
    old = server.tree()
    run = armed(server)
    server.reboot()

    assert server.confirm(run).outcome == "reverted"
    assert server.tree() == old


def test_the_reverter_dies_before_the_end_of_the_change(server):
    """Nobody would take it back: so it is not left armed."""
    script = f'pid=$(readlink {server.state}/pending/*/reverter.0); pid=${{pid#* }}; kill -9 "${{pid%% *}}"'
    applied = server.apply([*steps(server), command("c", ["false"], ["sh", "-c", script], ["true"])])

    assert (applied.outcome, applied.reason) == ("reverted", "the reverter has died")


def test_who_decides_and_dies_leaves_it_to_the_reverter(server):
    """No contact is needed: what was decided is finished on the server itself."""
    old = server.tree()
    run = armed(server)
    (server.state / "pending" / run / "decision").symlink_to("revert by hand of a test")
    wait_until(server.is_free)

    assert server.tree() == old
    assert server.outcome(run) == "reverted by hand of a test"


def test_a_decision_to_keep_is_finished_too(server):
    run = armed(server)
    server.reboot()
    (server.state / "pending" / run / "decision").symlink_to("confirm tester")
    server.read()

    assert server.outcome(run) == "confirmed tester"
    assert server.file().read_bytes() == NEW
    assert server.is_free()
    assert sorted(p.name for p in server.root.glob("etc/*")) == ["a.conf", "b.conf"]


@pytest.mark.parametrize("at", range(1, 26, 2))
def test_the_server_reboots_while_it_takes_back(server, at):
    old = server.tree()
    run = armed(server)
    server.strike(at, when="before" if at % 4 == 1 else "after")
    with suppress(Unreachable):
        server.revert(run)
    server.calm()
    server.reboot()
    server.read()

    assert server.tree() == old
    assert server.is_free()
    assert server.loaded == server.configured or server.debts() == ["ems"]
    assert server.confirm(run).outcome == "reverted"


def test_a_process_with_the_pid_of_a_dead_one_is_not_taken_for_it(server):
    """The lock's identity has this test's pid and another start time; and once another boot."""
    run = server.run_name()
    for identity in (f"{boot_id()} {os.getpid()} 1", f"00000000-0000-0000-0000-000000000000 {os.getpid()} 1"):
        lock = server.state / "lock"
        lock.mkdir(parents=True)
        (lock / "note").write_text(f"run {run}\nholder someone\nsince 1\nuntil 9999999999\n")
        (lock / "identity").write_text(f"{identity}\n")
        reading = server.read()

        assert reading.lock is None
        assert "had died before it changed anything" in reading.settled[0]


def test_who_breaks_a_dead_lock_and_dies_does_not_close_the_server_for_ever(server):
    lock = server.state / "lock"
    lock.mkdir(parents=True)
    (lock / "note").write_text("run x\nholder someone\nsince 1\nuntil 2\n")
    (lock / "identity").write_text(f"{boot_id()} {os.getpid()} 1\n")
    for name in ("taken.0", "taken.1"):
        (lock / name).symlink_to(f"{boot_id()} {os.getpid()} 1")

    assert server.apply(steps(server)).outcome == "armed"


@pytest.mark.parametrize("renames", [0, 1, 2, 3])
def test_a_crash_between_the_renames_of_mv(server, renames):
    """`mv --backup` renames twice, we once more: each state in between is made by hand."""
    old = server.tree()
    run = armed(server)
    server.reboot()
    path = server.file()
    near = path.parent / f".vtsconf.{run}.0"
    new, kept, aside = (
        near.with_name(f"{near.name}.new"),
        near.with_name(f"{near.name}.old"),
        f"{path}.vtsconf-{run}",
    )
    kept.rename(aside)
    if renames < 3:
        path.rename(new)
    if renames == 0:
        Path(aside).rename(path)
    elif renames == 2:
        new.rename(path)
    elif renames == 3:
        Path(aside).rename(kept)
    (server.state / "pending" / run / "0.swapped").unlink(missing_ok=True)
    server.read()

    assert server.tree() == old
    assert server.is_free()


def test_a_staged_file_that_was_left_behind_is_cleaned_up(server):
    """The applier died while it staged: the lock knows which files are its own."""

    def strike(event: str) -> None:
        if event.startswith("staged"):
            server.kill_applier()

    with suppress(Unreachable):
        server.apply(steps(server), on_event=strike)
    stranger = server.file(".vtsconf.not-of-this-run.0.new")
    stranger.write_bytes(b"mine\n")
    server.read()
    wait_until(server.is_free)

    assert [p.name for p in server.root.glob("etc/.*")] == [stranger.name]


# ---- broken, and out of it again


def broken(box: Box) -> str:
    """A change that cannot be taken back: what undoes its command fails while `stuck` is there."""
    (box.root / "stuck").touch()
    run = box.run_name()
    made = command("make", ["test", "-e", f"{box.root}/made"], ["touch", f"{box.root}/made"],
                   ["test", "!", "-e", f"{box.root}/stuck"])  # fmt: skip
    assert box.apply([*steps(box), made], run=run).outcome == "armed"
    answer = box.revert(run)
    assert answer.outcome == "broken"
    assert "could not be taken back: command:2" in answer.reason
    return run


def test_what_cannot_be_taken_back_is_said_and_stays_closed(server):
    old = server.tree()
    run = broken(server)

    assert server.tree() == old
    assert server.read().pending.run == run
    assert server.confirm(run).outcome == "broken"
    assert server.apply(steps(server)).outcome == "locked"
    assert server.unlock().outcome == "armed"


def test_what_could_not_be_taken_back_tells_what_its_command_printed(server):
    run = server.run_name()
    talks = command(
        "talks", ["test", "-e", f"{server.root}/x"], ["true"], ["sh", "-c", "echo no such index; exit 1"]
    )
    server.apply([*steps(server), talks], run=run)

    assert "no such index" in server.revert(run).detail


def test_taking_back_can_be_tried_again(server):
    run = broken(server)
    (server.root / "stuck").unlink()

    assert server.revert(run).outcome == "reverted"
    assert server.is_free()


def test_a_person_can_give_it_up(server):
    run = broken(server)

    assert server.unlock(force=True).outcome == "unlocked"
    assert server.outcome(run) == "broken given up by hand"
    assert server.is_free()
    assert server.apply(steps(server)).outcome == "armed"


def test_a_command_without_a_way_back_is_said(server):
    steps_ = [*steps(server), command("c", ["test", "-e", f"{server.root}/x"], ["touch", f"{server.root}/x"])]
    (server.root / "run/ems.fails").touch()
    applied = server.apply(steps_)

    assert applied.outcome == "broken"
    assert "a command that has no revert" in applied.reason
    assert server.file().read_bytes() == OLD


# ---- locks by hand


def test_a_lock_of_a_living_run_is_removed_by_force_only(server):
    answers, old = [], server.tree()

    def ask(event: str) -> None:
        if event.startswith("validated"):
            answers.extend([server.unlock().outcome, server.unlock(force=True).outcome])

    slow = put(server.file("v.conf"), None, NEW, validate=("sleep", "1"))
    applied = server.apply(
        [*steps(server), slow, put(server.file("w.conf"), None, NEW, validate=("true",))], on_event=ask
    )

    assert answers in (["alive", "unlocked"], ["alive", "armed"], ["armed", "armed"])
    # Whoever takes the lock away from a run that is alive stops it at the next thing that it wants to write.
    assert applied.outcome in ("failed", "reverted", "armed")
    assert applied.outcome == "armed" or server.tree() == old


def test_unlocking_what_is_not_locked(server):
    assert server.unlock().outcome == "none"


def test_a_dead_lock_is_unlocked(server):
    lock = server.state / "lock"
    lock.mkdir(parents=True)
    (lock / "note").write_text("run x\nholder someone\nsince 1\nuntil 2\n")
    (lock / "identity").write_text(f"{boot_id()} {os.getpid()} 1\n")

    assert server.unlock().outcome == "unlocked"
    assert server.is_free()


# ---- full disks, and places that cannot be written


@pytest.mark.parametrize("blocks", [0, 1, 2, 4, 8, 40])
def test_a_disk_that_is_full_while_staging(server, blocks):
    """No file grows beyond so many half kilobytes: somewhere between the lock and the arming it fails."""
    old = server.tree()
    big = put(server.file("big.conf"), None, os.urandom(30_000))
    session = Limited(blocks)
    applied = server.apply([*steps(server), big], session=session)

    assert applied.outcome == "failed"
    assert server.tree() == old
    server.read()
    assert server.is_free()
    assert server.debts() == []


class Limited:
    def __init__(self, blocks: int) -> None:
        from vtsconf.transport.local import LocalSession

        self._inner, self._blocks = LocalSession(), blocks

    def execute(self, line, stdin, on_stdout):
        return self._inner.execute(f"trap '' XFSZ; ulimit -f {self._blocks}; {line}", stdin, on_stdout)

    def close(self) -> None:
        pass


def test_a_change_takes_itself_back_though_the_disk_is_full(server):
    """The disk fills up after the change was armed: deciding and taking back need no room."""
    old = server.tree()
    run = server.run_name()
    transaction = server.transaction(steps(server), run=run, within=5)
    server.server(LimitedAfterArming(server)).apply(transaction, {}, lambda _: None)
    wait_until(server.is_free)

    assert server.tree() == old
    assert server.confirm(run).outcome == "reverted"


class LimitedAfterArming(Limited):
    """The reverter, and what it starts, cannot write a byte."""

    def __init__(self, box: Box) -> None:
        super().__init__(0)
        box.stand_in("setsid", "#!/bin/sh\ntrap '' XFSZ; ulimit -f 0; exec /usr/bin/setsid \"$@\"\n")

    def execute(self, line, stdin, on_stdout):
        return self._inner.execute(line, stdin, on_stdout)


def test_confirming_on_a_full_disk(server):
    run = armed(server)
    answer = server.server(Limited(0)).confirm(run, (), str(server.state), "tester")

    assert answer.outcome == "confirmed"
    assert server.file().read_bytes() == NEW
    assert server.is_free()


COPYING = {
    "too little": 'eval "to=\\${$#}"; /usr/bin/cp "$@"; : >"$to"',
    "and says that it failed": '/usr/bin/cp "$@"; exit 1',
    "nothing": "exit 1",
}


@pytest.mark.parametrize("how", COPYING)
def test_old_bytes_that_could_not_be_copied_whole_end_it(server, how):
    old = server.tree()
    server.stand_in("cp", f"#!/bin/sh\n{COPYING[how]}\n")
    applied = server.apply(steps(server))

    assert (applied.outcome, applied.reason[:30]) == ("failed", "cannot save the old bytes of /")
    assert server.tree() == old
    assert server.is_free()


def test_a_revert_program_that_is_not_whole_is_never_armed(server):
    old = server.tree()
    server.stand_in(
        "cp",
        f'#!/bin/sh\nfor r in {server.state}/pending/.new.*/revert.sh; do echo >"$r"; done\nexec /usr/bin/cp "$@"\n',
    )
    applied = server.apply(steps(server))

    assert (applied.outcome, applied.reason[:15]) == ("failed", "cannot write in")
    assert server.tree() == old
    assert server.is_free()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@needs_root
@pytest.mark.parametrize("what", ["target", "directory"])
def test_an_immutable_target(server, what):
    path = server.file() if what == "target" else server.file().parent
    if subprocess.run(["chattr", "+i", path], check=False, capture_output=True).returncode != 0:
        pytest.skip("this file system knows no immutable files")
    old = server.tree()
    try:
        applied = server.apply(steps(server))
    finally:
        subprocess.run(["chattr", "-i", path], check=True)

    assert applied.outcome in ("failed", "reverted")
    assert str(server.file().parent) in applied.reason
    assert server.tree() == old
    server.read()
    assert server.is_free()


@needs_root
def test_an_unprivileged_user_without_the_right_to_write(server):
    """The state directory is writable, the target's directory is not."""
    from vtsconf.transport.local import LocalSession

    server.root.parent.chmod(0o755)
    for parent in server.root.parents:
        if not os.access(parent, os.X_OK) or parent.stat().st_mode & 0o001 == 0:
            pytest.skip("the temporary folder is closed to others")
    server.state.mkdir(mode=0o777)
    server.state.chmod(0o777)
    session = LocalSession()
    inner = session.execute
    session.execute = lambda line, stdin, out: inner(
        "exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '" + line.replace("'", "'\\''") + "'",
        stdin,
        out,
    )
    old = server.tree()
    applied = server.apply([put(server.file("b.conf"), None, NEW)], session=session)

    assert (applied.outcome, applied.reason[:15]) == ("failed", "cannot write in")
    assert server.tree() == old


def test_a_state_directory_that_cannot_be_made(server):
    (server.root / "state").write_bytes(b"")
    applied = server.apply(steps(server))

    assert (applied.outcome, applied.reason[:19]) == ("failed", "the state directory")


def test_a_state_directory_on_another_file_system(server, tmp_path):
    if Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system only")
    state = f"/dev/shm/vtsconf-test-{os.getpid()}-{os.urandom(3).hex()}"
    old = server.tree()
    try:
        run = server.run_name()
        applied = server.apply(steps(server), run=run, state_dir=state)
        assert applied.outcome == "armed"
        assert server.server().revert(run, "as asked", state).outcome == "reverted"
        assert server.tree() == old
    finally:
        subprocess.run(["rm", "-rf", state], check=True)


# ---- names and sizes

NAMES = (
    "with blank", "quote'd", 'double"d', "$(touch pwned)", "`touch pwned`", "$HOME", "*", "?", "[a]", "-rf", "--", "\\", "a\\b",
    ";true", "&", "|", ">x", "é ü", "~", "#c", "!", "{a,b}", ".hidden", "x" * 225, "%s%n",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(server, name):
    path = server.file("dir " + name[:100]) / name
    path.parent.mkdir()
    path.write_bytes(OLD)
    path.chmod(0o604)
    created = path.with_name(path.name[:200] + "2")
    run = server.run_name()
    applied = server.apply([put(path, OLD, NEW), put(created, None, b"")], run=run)

    assert applied.outcome == "armed"
    assert server.confirm(run).outcome == "confirmed"
    assert (path.read_bytes(), created.read_bytes()) == (NEW, b"")
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, created.name])
    assert not list(server.root.rglob("pwned"))


def test_a_name_that_leaves_no_room_is_refused(server):
    path = server.file("n" * 240)
    path.write_bytes(OLD)
    path.chmod(0o604)
    applied = server.apply([put(path, OLD, NEW)])

    assert (applied.outcome, applied.reason[:12]) == ("failed", "the name of ")
    assert path.read_bytes() == OLD


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"no end", b"\0\r\n\xff" * 9, os.urandom(70_000), b"x" * 9_000_000, b"mark event done\n"],
    ids=["empty", "newline", "no end", "binary", "random", "9 MB", "like a frame"],
)  # fmt: skip
def test_bytes_are_bytes(server, data):
    run = server.run_name()
    path = server.file()
    applied = server.apply([put(path, OLD, data)], run=run, probes=(ReadFile(str(path), 10_000_000),))

    assert applied.outcome == "armed"
    assert applied.reading.files[str(path)].data == data
    server.confirm(run)
    assert path.read_bytes() == data
    back = server.run_name()
    assert (
        server.apply([PutFile(path=str(path), before=state_of(data), after=state_of(OLD))], run=back).outcome
        == "armed"
    )


def test_twenty_runs_are_kept(server):
    runs = [server.run_name() for _ in range(23)]
    server.file("n.conf").write_bytes(b"0")
    server.file("n.conf").chmod(0o640)
    for number, run in enumerate(runs):
        before = state_of(str(number).encode())
        step = PutFile(
            path=str(server.file("n.conf")), before=before, after=state_of(str(number + 1).encode())
        )
        assert server.apply([step], run=run).outcome == "armed"
        assert server.confirm(run).outcome == "confirmed"

    assert sorted(p.name for p in (server.state / "backup").iterdir()) == runs[-20:]


# ---- secrets


def test_a_secret_is_compared_by_its_keyed_digest_and_never_shown(server):
    ref = SecretRef("env", "PASSWORD")
    secrets = {ref: Secret(b"hunter2 $(x)'")}
    content = Content((b"password ", ref, b"\n"))
    data = content.resolve(secrets)
    step = PutFile(
        path=str(server.file("s.conf")), before=None,
        after=FileState(content=content, digest=KEY.digest(data), keyed=True, mode="0600"),
    )  # fmt: skip
    run = server.run_name()
    events: list[str] = []
    assert server.apply([step], run=run, secrets=secrets, on_event=events.append).outcome == "armed"
    server.confirm(run)

    assert server.file("s.conf").read_bytes() == data
    assert "hunter2" not in " ".join(events) + server.journal()
    change = PutFile(
        path=step.path,
        before=FileState(content=None, digest=KEY.digest(data), keyed=True, mode="0600"),
        after=state_of(b"x"),
    )
    server.file("s.conf").write_bytes(data + b"#")
    assert server.apply([change]).outcome == "stale"
    server.file("s.conf").write_bytes(data)
    second = server.run_name()
    assert server.apply([change], run=second).outcome == "armed"
    server.confirm(second)
    kept = FileState(content=None, digest=KEY.digest(data), keyed=True, mode="0600", kept=second)
    third = server.run_name()
    assert (
        server.apply([PutFile(path=step.path, before=state_of(b"x"), after=kept)], run=third).outcome
        == "armed"
    )
    assert server.file("s.conf").read_bytes() == data
    server.confirm(third)
    assert server.state.stat().st_mode & 0o077 == 0


# ---- reading


def test_a_query_that_says_too_much_keeps_its_exit_code(server):
    seen = server.server().read(
        [
            Query("loud", ("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; exit 3")),
            Query("endless", ("yes",), 1),
        ],
        str(server.state),
    )

    assert (seen.queries["loud"].exit, len(seen.queries["loud"].stdout)) == (3, 65536)
    assert (seen.queries["endless"].exit, len(seen.queries["endless"].stdout)) == (None, 65536)


def looked_at(box: Box, name: str, doing: str) -> Path:
    """A file to which something happens whenever it is read."""
    path = box.file(name)
    path.write_bytes(b"x")
    box.stand_in(
        "head", f'#!/bin/sh\ncase $* in *{name}*) {doing.format(path)} ;; esac\nexec /usr/bin/head "$@"\n'
    )
    return path


def test_a_file_that_changes_while_it_is_read_is_unstable(server):
    path = looked_at(server, "grows", "echo more >>{0}")
    seen = server.read(str(server.file()), str(path), str(server.file("none"))).files

    assert [file.kind for file in seen.values()] == [FileKind.FILE, FileKind.UNSTABLE, FileKind.ABSENT]
    assert seen[str(server.file())].data == OLD


def test_a_file_that_changed_once_while_it_was_read_is_read_again(server):
    path = looked_at(server, "grows", "[ -s {0}.once ] || echo more | tee {0}.once >>{0}")

    assert server.read(str(server.file()), str(path)).files[str(path)].data == b"xmore\n"


def test_a_file_that_vanishes_while_it_is_read_is_absent(server):
    path = looked_at(server, "goes", "rm -f {0}")

    assert server.read(str(path)).files[str(path)].kind is FileKind.ABSENT


def test_files_of_different_limits_and_kinds_are_read_together(server):
    for name, data in (("empty", b""), ("big", b"y" * 50), ("nul", b"\0\n\0")):
        server.file(name).write_bytes(data)
    names = {"a.conf": 99, "big": 49, "nul": 49, "none": 49, "empty": 99}
    probes = [ReadFile(str(server.file(name)), limit) for name, limit in names.items()]
    seen = server.server().read(probes, str(server.state)).files

    assert [(file.kind, file.data) for file in seen.values()] == [
        (FileKind.FILE, OLD), (FileKind.TOO_BIG, None), (FileKind.FILE, b"\0\n\0"), (FileKind.ABSENT, None), (FileKind.FILE, b""),
    ]  # fmt: skip


def test_a_lost_connection_stops_nothing_half_way(server):
    """Nobody reads what the server says any more: it goes on to the end, and waits to be confirmed."""
    run = server.run_name()
    heard = threading.Event()

    class Deaf(Limited):
        def execute(self, line, stdin, on_stdout):
            child = subprocess.Popen(
                ["sh", "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            for chunk in stdin:
                child.stdin.write(chunk)
            child.stdin.close()
            child.stdout.readline()
            child.stdout.close()
            os.kill(child.pid, signal.SIGHUP)
            heard.set()
            child.wait()
            raise Unreachable("cut")

    with suppress(Unreachable):
        server.apply(steps(server), session=Deaf(0), run=run)
    assert heard.is_set()
    wait_until((server.state / "pending" / run / "done").exists)

    assert server.confirm(run).outcome == "confirmed"
    assert server.file().read_bytes() == NEW
    assert all(line.split()[1] == run for line in server.journal().splitlines())
    assert hashlib.sha256(server.backup(run)).digest() == hashlib.sha256(OLD).digest()

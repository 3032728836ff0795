"""Detached runs over a real sh: started once, found again, ended for good, whoever dies meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.box import Box, Watched, wait_until
from tests.transport.jobs import Jobs, members
from tests.transport.test_shells import SHELLS, Without, needs_namespace
from vtsconf.core.errors import Failed, Refused, Unreachable
from vtsconf.core.frame import BadFrame, FrameReader
from vtsconf.core.migrate.tape import Tape
from vtsconf.transport import jobanswer
from vtsconf.transport.fake import MemoryServer
from vtsconf.transport.local import LocalSession
from vtsconf.transport.runs import Guard, RunSpec, RunState

FOREVER = ("sleep", "1000")


@pytest.fixture
def jobs(box: Box) -> Jobs:
    return Jobs(box)


@pytest.fixture(params=SHELLS)
def any_shell(jobs: Jobs, request: pytest.FixtureRequest) -> Jobs:
    jobs.box.speak(*SHELLS[request.param])
    return jobs


# ---- one run


def test_it_runs_and_its_end_is_found(any_shell):
    jobs = any_shell
    began = jobs.start("sh", "-c", 'cat; cat list; echo "$WORD"; echo bad >&2; exit 3', stdin="in: {dir}\n",
                       files={"list": "one\ntwo\n"}, env={"WORD": "a 'b' $c"})  # fmt: skip
    run = jobs.ended()
    here = f"{jobs.state}/jobs/j1/1/dir"

    assert ("j1", 1) == (began.id, began.attempt)
    assert ("ended", 3, "", False) == (run.state, run.exit, run.reason, run.is_cut)
    assert f"in: {here}\none\ntwo\na 'b' $c\nbad\n" == run.output.decode()
    assert run.started <= run.beat <= run.clock


def test_what_it_finds_around_it(any_shell):
    any_shell.start(
        "sh",
        "-c",
        "pwd; umask; echo $LC_ALL; readlink /proc/self/fd/0; echo {dir}; trap; id -u; ls /proc/$$/fd; :",
    )
    said = any_shell.ended().output.decode().splitlines()
    here = f"{any_shell.state}/jobs/j1/1/dir"
    mask = os.umask(0)
    os.umask(mask)

    assert [here, f"{mask:04o}", "C", "/dev/null", here, str(os.getuid())] == said[:6]
    assert {"0", "1", "2", "9"} >= set(said[6:])


def test_it_is_alone_in_its_session_and_nobodys_child(jobs):
    jobs.start(*FOREVER)
    pid = jobs.pid_of("session")

    assert [pid] == members(pid)
    assert os.getsid(pid) == os.getpgid(pid) == pid
    assert os.getsid(jobs.pid_of("runner")) == jobs.pid_of("runner")


@pytest.mark.parametrize(
    ("argv", "code"), [(("/nowhere",), 127), (("/etc/passwd",), 126), (("sh", "-c", "kill -9 $$"), 137)]
)
def test_a_command_that_does_not_start_or_is_killed(jobs, argv, code):
    jobs.start(*argv)

    assert ("ended", code) == (jobs.ended().state, jobs.see().exit)


def test_nothing_is_known_of_a_job_that_never_was(any_shell):
    run = any_shell.see("j9")

    assert RunState(id="j9", attempt=0, state="none", clock=run.clock) == run


# ---- once


def test_a_second_start_attaches(any_shell):
    jobs = any_shell
    jobs.start(str(jobs.box.root / "bin/bma"), "1", "0.5")
    again = [jobs.start() for _ in range(3)]
    jobs.ended()
    after = jobs.start()

    assert ["running"] * 3 == [run.state for run in again]
    assert ("ended", 0) == (after.state, after.exit)
    assert ["1"] == jobs.begun


def test_the_next_attempt_waits_for_the_end_of_the_last(any_shell):
    jobs = any_shell
    jobs.start(*FOREVER)
    other = jobs.start(attempt=2)

    assert (1, "running") == (other.attempt, other.state)
    jobs.end()
    assert 2 == jobs.start(attempt=2).attempt
    assert 0 == jobs.ended().exit
    assert ["2"] == jobs.begun


def test_an_attempt_that_is_past_never_starts(jobs):
    jobs.start(attempt=3)
    jobs.ended()

    assert [3, 3] == [jobs.start(attempt=attempt).attempt for attempt in (1, 2)]
    assert ["3"] == jobs.begun


@pytest.mark.parametrize("lock", ["flock", "links"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("attempts", [1, 2])
def test_twenty_controllers_start_the_same_at_once(jobs, lock, shell, attempts):
    jobs.box.speak(*SHELLS[shell])
    session = Without("flock") if lock == "links" else None

    def start(number: int) -> RunState:
        attempt = str(1 + number % attempts)
        return jobs.start(f"{jobs.box.root}/bin/bma", attempt, "0.2", attempt=int(attempt), session=session)

    with ThreadPoolExecutor(20) as pool:
        states = list(pool.map(start, range(20)))
    jobs.ended()
    begun = jobs.begun

    assert {"running", "ended"} >= {run.state for run in states}
    assert [] == jobs.doubles
    assert (
        sorted(set(begun))
        == sorted(begun)
        == sorted(path.name for path in jobs.folder().parent.glob("[0-9]*"))
    )
    assert attempts >= len(begun) >= 1


# ---- guards


def guard_of(tape: Path, /, **changes: object) -> Guard:
    status = tape.stat()
    return Guard(
        **{
            "path": str(tape),
            "size": status.st_size,
            "mtime": status.st_mtime_ns,
            "inode": status.st_ino,
            **changes,
        }
    )


@pytest.fixture
def tape(box: Box) -> Path:
    path = box.root / "T 'é\udcff"
    path.write_bytes(b"tape")
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    return path


def test_guards_that_hold(any_shell, tape):
    absent = Guard(path=f"{tape}.lock", is_absent=True)
    old_find = guard_of(tape, mtime=1_700_000_000 * 10**9)
    any_shell.start(
        guards=(guard_of(tape), Guard(path=str(tape)), old_find, absent),
        checks=(("true",), ("test", "-e", "/")),
    )

    assert 0 == any_shell.ended().exit


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 5}, "has 4 bytes, not 5"),
        ({"mtime": 1_700_000_000_123_456_788}, "was written to since"),
        ({"mtime": 1_700_000_001_000_000_000}, "was written to since"),
        ({"inode": 1}, "is another file than it was"),
        ({"is_absent": True}, "is there"),
        ({"path": "/nowhere"}, "/nowhere is not there, or is not a file"),
        ({"path": "/etc"}, "/etc is not there, or is not a file"),
    ],
)
def test_a_guard_that_does_not_hold(any_shell, tape, change, reason):
    run = any_shell.start(guards=(guard_of(tape), guard_of(tape, **change)))

    assert "refused" == run.state
    assert run.reason.endswith(reason)
    assert ([], "none") == (any_shell.begun, any_shell.see().state)
    assert ["lock"] == [path.name for path in any_shell.folder().parent.iterdir()]


def test_a_name_that_another_pool_has_too(any_shell):
    """A line that names a tape without its pool could mean either."""
    jobs, root = any_shell, any_shell.box.root / "a [b] c"
    for folder in ("VAULT01/P", "VAULT01/Q", "VAULT02/P", "OTHER/P"):
        (root / folder).mkdir(parents=True)
    tape = root / "VAULT01/P/T *1"
    tape.touch()
    (root / "VAULT01/Q/T x1").touch()
    (root / "VAULT02/P/T *1").hardlink_to(tape)  # the same file by another way
    only = Guard(path=str(tape), only_in=("VAULT??", "OTHER"))

    assert 0 == jobs.start("true", guards=(only,), patience=60).exit
    for number, folder in enumerate(("VAULT01/Q", "OTHER/P"), 2):
        other = root / folder / "T *1"
        other.touch()
        run = jobs.start("true", attempt=number, guards=(only,), patience=60)
        assert ("refused", f"{other} has the same name") == (run.state, run.reason)
        other.unlink()


def test_what_still_lives_of_another_job(any_shell):
    jobs = any_shell
    jobs.start("sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & exit 0", patience=60)

    run = jobs.start("true", id_="j2", after=("j1",))
    assert ("refused", "something of j1 is still at work") == (run.state, run.reason)
    assert 0 == jobs.start("true", id_="j3", after=("j4",), patience=60).exit


def test_a_tape_behind_a_link_is_none(jobs, tape):
    link = jobs.box.root / "link"
    link.symlink_to(tape)

    assert "refused" == jobs.start(guards=(Guard(path=str(link)),)).state


def test_a_check_that_does_not_pass(jobs):
    run = jobs.start(checks=(("true",), ("test", "-e", "/nowhere")))

    assert ("refused", True) == (run.state, run.is_busy)
    assert "the check `test -e /nowhere` does not pass" == run.reason
    assert "running" in jobs.start().state + jobs.see().state + "running"
    assert ["1"] == [jobs.ended() and line for line in jobs.begun]


def test_a_tape_that_is_written_to_while_its_check_runs(any_shell, tape):
    """A check takes its time; what was looked at before it, is looked at again."""
    size = tape.stat().st_size
    write = ("sh", "-c", 'echo more >>"$1"', "sh", str(tape))
    run = any_shell.start("true", guards=(Guard(path=str(tape), size=size),), checks=(write,), patience=60)

    assert ("refused", False) == (run.state, run.is_busy)
    assert "bytes, not" in run.reason


# ---- the end


STUBBORN = "trap '' TERM; (trap '' TERM; sleep 500) & while :; do sleep 500; done"


def test_a_time_out_ends_all_of_it(any_shell):
    jobs = any_shell
    jobs.hurry()
    jobs.start(
        "bash",
        "-c",
        f"set -m; /usr/bin/sleep 400 & {STUBBORN}".replace("sleep 500", "/usr/bin/sleep 500"),
        timeout=15,
    )
    pid = jobs.pid_of("session")
    run = jobs.ended()

    assert ("ended", 124, "ended after 15 s") == (run.state, run.exit, run.reason)
    assert [] == members(pid)


def test_a_command_that_ends_in_time_is_left_alone(jobs):
    jobs.start("sh", "-c", "/usr/bin/sleep 0.3; exit 5", timeout=1)

    assert (5, "") == (jobs.ended().exit, jobs.see().reason)
    wait_until(lambda: jobs.box.processes() == [])


def test_it_is_ended_as_asked(any_shell):
    any_shell.start(*FOREVER)
    run = any_shell.end()

    assert ("ended", 143, "ended as asked") == (run.state, run.exit, run.reason)


def test_one_that_ignores_term_is_killed(jobs):
    jobs.hurry()
    jobs.start("sh", "-c", STUBBORN.replace("sleep 500", "/usr/bin/sleep 500"))
    pid = jobs.pid_of("session")
    run = jobs.end()

    assert ("ended", 137, "killed as asked: it did not end by itself") == (run.state, run.exit, run.reason)
    assert [] == members(pid)


def test_only_the_attempt_that_was_meant_is_ended(jobs):
    jobs.start(*FOREVER, attempt=2)

    assert ["running", "running"] == [jobs.end(attempt=attempt).state for attempt in (1, 3)]
    assert "none" == jobs.end("j9").state
    assert "ended" == jobs.end(attempt=2).state
    assert "" != jobs.end(attempt=2).reason


# ---- output


def test_of_much_output_the_first_and_the_last_are_kept(any_shell):
    jobs = any_shell
    jobs.start("sh", "-c", "echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last")
    run = jobs.ended()
    kept = sum(path.stat().st_size for path in jobs.folder().rglob("*") if path.is_file())

    assert run.is_cut
    assert run.output.startswith(b"first\nxxx")
    assert run.output.endswith(b"xxx\nlast\n")
    assert 60_000 < len(run.output) < 140_000
    assert kept < 150_000


def test_little_output_is_whole(jobs):
    text = "".join(f"line {number}\n" for number in range(5000))
    jobs.start("cat", stdin=text)
    run = jobs.ended()

    assert (text.encode(), False) == (run.output, run.is_cut)


def test_output_without_end_fills_no_disk(jobs):
    jobs.start("yes", timeout=2)
    run = jobs.ended()
    kept = sum(path.stat().st_size for path in jobs.folder().rglob("*") if path.is_file())

    assert (124, True) == (run.exit, run.is_cut)
    assert kept < 200_000


def test_what_it_said_last_is_seen_while_it_runs(jobs):
    """A prompt has no line feed at its end."""
    jobs.start("sh", "-c", "head -c 200000 /dev/zero; printf 'Enter your password:'; exec sleep 1000")
    wait_until(lambda: jobs.see().output.endswith(b"Enter your password:"))
    run = jobs.see()

    assert ("running", True) == (run.state, run.is_cut)
    assert len(run.output) <= 8192


def test_a_command_that_closes_its_stdin_and_one_that_reads_it_all(jobs):
    long = "x" * 3_000_000
    jobs.start("sh", "-c", "exec <&-; echo closed", stdin=long)
    jobs.start("wc", "-c", id_="j2", stdin=long)

    assert [b"closed\n", b"3000000\n"] == [jobs.ended(id_).output for id_ in ("j1", "j2")]


def test_binary_output_that_looks_like_an_answer(jobs):
    jobs.start("sh", "-c", "printf '\\nmarkabcdef run j1 1 ended 0 0 0 whole\\n\\000\\377'")

    assert b"\nmarkabcdef run j1 1 ended 0 0 0 whole\n\x00\xff" == jobs.ended().output


# ---- who dies


def test_the_runner_is_killed_and_the_command_lives(any_shell):
    jobs = any_shell
    jobs.start(*FOREVER)
    jobs.pid_of("session")
    jobs.kill("runner")
    wait_until(lambda: not Path(f"/proc/{jobs.pid_of('runner')}").exists())
    other = jobs.start(attempt=2)

    assert "running" == jobs.see().state
    assert (1, "running") == (other.attempt, other.state)
    jobs.kill("session")
    wait_until(lambda: jobs.see().state == "lost")
    assert jobs.see().exit is None
    assert (2, []) == (jobs.start(attempt=2).attempt, jobs.doubles)


def test_the_runner_is_killed_and_the_command_can_be_ended(jobs):
    jobs.start(*FOREVER)
    jobs.pid_of("session")
    jobs.kill("runner")
    run = jobs.end()

    assert ("lost", "ended as asked") == (run.state, run.reason)
    assert [] == members(jobs.pid_of("session"))


def test_the_command_closes_what_it_inherits_and_the_runner_dies(jobs):
    """The lock is free then; its session is still known."""
    jobs.start("sh", "-c", "exec 9>&- >/dev/null 2>&1; exec sleep 1000")
    jobs.kill("runner")

    assert ("running", 1) == (jobs.see().state, jobs.start(attempt=2).attempt)
    assert "lost" == jobs.end().state


def test_all_of_it_is_killed(any_shell):
    jobs = any_shell
    jobs.start(*FOREVER)
    jobs.box.reboot()

    assert ("lost", None) == (jobs.see().state, jobs.see().exit)
    assert "lost" == jobs.start().state
    assert 2 == jobs.start(attempt=2).attempt
    assert ("ended", ["2"]) == (jobs.ended().state, jobs.begun)


def test_what_it_leaves_in_its_session_has_ten_seconds(jobs):
    jobs.hurry()
    jobs.start("sh", "-c", "/usr/bin/sleep 1000 & echo started; exit 4")
    run = jobs.ended()

    assert ("ended", 4, "what it left running was ended") == (run.state, run.exit, run.reason)
    assert [] == members(jobs.pid_of("session"))


def test_what_it_leaves_may_end_by_itself(jobs):
    jobs.start("sh", "-c", "(/usr/bin/sleep 0.5; echo late) & exit 4")
    run = jobs.ended()

    assert ("ended", 4, "", b"late\n") == (run.state, run.exit, run.reason, run.output)


def test_a_daemon_that_keeps_the_lock_keeps_the_next_attempt_away(jobs):
    jobs.hurry()
    jobs.start("sh", "-c", "setsid /usr/bin/sleep 1000 & echo $! >../daemon; exit 0")
    run = jobs.ended()
    with pytest.raises(Failed, match="attempt 1 has left something behind") as caught:
        jobs.start(attempt=2)
    daemon = int((jobs.folder() / "daemon").read_text())

    assert ("ended", 0) == (run.state, run.exit)
    assert str(daemon) in str(caught.value)
    os.kill(daemon, signal.SIGKILL)
    assert 2 == jobs.start(attempt=2).attempt


def test_a_daemon_that_holds_the_output_open_does_not_hold_up_the_end(jobs):
    jobs.start("sh", "-c", "setsid /usr/bin/sleep 1000 9>&- & echo done")

    assert ("ended", b"done\n") == (jobs.ended().state, jobs.see().output)
    assert 2 == jobs.start(attempt=2).attempt


@pytest.mark.parametrize("word", [0, 2], ids=["another boot", "another process with its number"])
def test_who_ran_before_a_reboot_is_not_who_has_the_number_now(jobs, word):
    jobs.start(*FOREVER)
    jobs.box.reboot()
    other = subprocess.Popen(("sleep", "1000"), start_new_session=True)
    started = Path(f"/proc/{other.pid}/stat").read_text().rpartition(") ")[2].split()[19]
    identity = [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(other.pid), started]
    identity[word] = "11111"
    for who in ("runner", "session"):
        (jobs.folder() / who).write_text(" ".join(identity) + "\n")

    assert "lost" == jobs.see().state
    assert "lost" == jobs.end().state
    assert 2 == jobs.start(attempt=2).attempt
    assert other.poll() is None


def test_the_clock_jumps(jobs):
    jobs.start(*FOREVER, timeout=5000)
    jobs.box.stand_in("date", "#!/bin/sh\necho $(($(/usr/bin/date +%s) + 1000000))\n")
    run = jobs.see()

    assert "running" == run.state
    assert 0 <= run.clock - run.beat <= 60
    assert 0 <= run.clock - run.started <= 60  # else the controller would take its time for over


# ---- a death at every call of a tool

CALLS = 22
SAMPLE = sorted(random.Random(os.environ.get("VTSCONF_SEED", "1")).sample(range(1, CALLS), 10))


def carried_through(jobs: Jobs) -> RunState:
    """What a controller does that comes back: attach, and go on with the next attempt when one was lost."""
    for attempt in range(1, 9):
        run = jobs.start(str(jobs.box.root / "bin/bma"), str(attempt), "0.1", attempt=attempt)
        if run.attempt == attempt and jobs.ended().state == "ended" and jobs.see().exit == 0:
            return jobs.see()
        jobs.ended()
    raise AssertionError(run)


def dies_at(jobs: Jobs, at: int, when: str, whom: str) -> None:
    jobs.strike(at, when=when, whom=whom)
    with suppress(Unreachable, Failed):
        jobs.start(str(jobs.box.root / "bin/bma"), "1", "0.1", session=Watched(jobs.box.root))
    struck = jobs.calm()
    before = jobs.see()
    run = carried_through(jobs)

    assert [] == jobs.doubles
    assert sorted(set(jobs.begun)) == sorted(jobs.begun)
    assert ("ended", 0) == (run.state, run.exit)
    assert struck or before.attempt == 1


@pytest.mark.parametrize("whom", ["server", "starter", "runner"])
@pytest.mark.parametrize("at", SAMPLE)
def test_death_at(jobs, at, whom):
    dies_at(jobs, at, "before" if at % 2 else "after", whom)


@pytest.mark.soak
@pytest.mark.parametrize("whom", ["server", "starter", "runner"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS))
def test_death_at_every(jobs, at, when, whom):
    dies_at(jobs, at, when, whom)


# ---- what is not there


@needs_namespace
@pytest.mark.parametrize("tool", ["flock", "timeout", "systemd-run"])
def test_tools_that_may_be_missing(jobs, tool):
    session = Without(tool) if tool != "systemd-run" else None
    first = jobs.start(*FOREVER, session=session, checks=(("true",),))
    second = jobs.start(attempt=2, session=session)

    assert [(1, "running"), (1, "running")] == [(run.attempt, run.state) for run in (first, second)]


@needs_namespace
def test_without_flock_a_session_whose_runner_died_keeps_others_away(jobs):
    session = Without("flock")
    jobs.start(*FOREVER, session=session)
    jobs.kill("runner")

    assert (1, "running") == ((run := jobs.start(attempt=2, session=session)).attempt, run.state)
    jobs.kill("session")
    wait_until(lambda: jobs.see().state == "lost")
    assert 2 == jobs.start(attempt=2, session=session).attempt


@needs_namespace
def test_without_setsid_nothing_is_started(jobs):
    with pytest.raises(Failed, match="no setsid"):
        jobs.start(session=Without("setsid"))

    assert "none" == jobs.see().state


class CutOff(LocalSession):
    """The last byte of what is sent never arrives."""

    def execute(self, command, stdin, on_stdout):
        return super().execute(command, [b"".join(stdin)[:-1]], on_stdout)


def test_a_request_that_is_cut_starts_nothing(any_shell):
    with pytest.raises(Failed, match="not all could be written"):
        any_shell.start("cat", files={"list": "/VAULT01/POOL1/T00001\n"}, session=CutOff())

    assert "none" == any_shell.see().state


def test_where_nothing_can_be_written_nothing_is_started(jobs):
    jobs.box.state.parent.joinpath("state").write_text("a file")
    with pytest.raises(Failed, match="nothing can be written"):
        jobs.start()

    assert [] == jobs.begun


# ---- many, and forgetting


def test_many_are_seen_at_once(jobs):
    for number in range(12):
        jobs.start("sh", "-c", f"echo {number}", id_=f"j{number}")
    ids = [f"j{number}" for number in range(14)]
    wait_until(lambda: all(run.state != "running" for run in jobs.look(*ids).runs))
    seen = jobs.look(*ids)

    assert ids == [run.id for run in seen.runs]
    assert [*(f"{n}\n".encode() for n in range(12)), b"", b""] == [run.output for run in seen.runs]


def test_files_are_seen_in_the_same_look(jobs, tape):
    folder = str(jobs.box.root)
    seen = jobs.look(paths=[str(tape), "/nowhere", folder])
    status = tape.stat()

    assert {
        str(tape): Tape(path=str(tape), size=4, mtime=status.st_mtime_ns, inode=status.st_ino, owner=tape.owner(),
                        allocated=status.st_blocks * 512),
        "/nowhere": None,
        folder: None,
    } == seen.files  # fmt: skip


def test_what_has_ended_can_be_forgotten(any_shell):
    jobs = any_shell
    jobs.start()
    jobs.start(*FOREVER, id_="j2")
    jobs.ended()

    jobs.start("true", id_="j1-locate", patience=60)
    jobs.start(*FOREVER, id_="j3-look")

    assert ("j1", "j3") == jobs.forget("j1", "j2", "j3")
    assert ["none", "running"] == [run.state for run in jobs.look("j1", "j2").runs]
    assert ["j2", "j3-look"] == sorted(path.name for path in (jobs.box.state / "jobs").glob("[!.]*"))


def test_what_lives_without_its_lock_is_not_forgotten(jobs):
    jobs.start("sh", "-c", "exec 9>&- >/dev/null 2>&1; exec sleep 1000")
    jobs.pid_of("session")
    jobs.kill("runner")
    wait_until(lambda: not Path(f"/proc/{jobs.pid_of('runner')}").exists())

    assert () == jobs.forget("j1")
    assert "lost" == jobs.end().state
    assert ("j1",) == jobs.forget("j1")


# ---- waiting for an end, on the server


def test_an_answer_waits_for_the_end_and_tells_the_files_then(any_shell, tape):
    """One exec: begun, ended, and what the file is after it."""
    write = ("sh", "-c", 'sleep 0.3; echo more >>"$1"; exit 3', "sh", str(tape))
    run = any_shell.start(*write, patience=60, paths=(str(tape), "/nowhere/at all"))

    assert ("ended", 3) == (run.state, run.exit)
    assert tape.stat().st_size == run.files[str(tape)].size
    assert run.files["/nowhere/at all"] is None


def test_an_answer_waits_no_longer_than_it_was_told(any_shell):
    run = any_shell.start(*FOREVER, patience=0.5)

    assert "running" == run.state
    assert "running" == any_shell.look("j1", patience=0.5).runs[0].state


def test_a_look_is_answered_when_any_run_ends_whether_it_asks_for_it_or_not(any_shell):
    jobs = any_shell
    jobs.start(*FOREVER, id_="j1")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(jobs.look, "j1", patience=300)
        jobs.start("true", id_="j2", patience=60)

        assert ["running"] == [run.state for run in asked.result(60).runs]


def test_what_has_ended_before_the_look_is_not_waited_for(jobs):
    jobs.start(*FOREVER, id_="j1")
    jobs.start("true", id_="j2", patience=60)

    assert ["running", "ended"] == [run.state for run in jobs.look("j1", "j2", patience=300).runs]


def test_a_sleep_that_knows_whole_seconds_only(jobs):
    """As it was before coreutils had fractions: nobody looks without a pause."""
    slept = jobs.box.root / "slept"
    said = f'echo "$1" >>"{slept}"; case $1 in *.*) echo "invalid time interval" >&2; exit 1 ;; esac'
    jobs.box.stand_in("sleep", f'#!/bin/sh\n{said}\nexec /usr/bin/sleep "$@"\n')

    assert "running" == jobs.start("/usr/bin/sleep", "1000", patience=2).state
    assert ["0.06", "1", "0.08", "1"] == [word for word in slept.read_text().split() if word != "10"]


# ---- the same in memory


def told(run: RunState) -> tuple[int, str, int | None]:
    return run.attempt, run.state, run.exit


def story(server, state: str, finish) -> list[tuple[int, str, int | None]]:
    """What a controller may do, and what it is told."""
    go = ("sh", "-c", "until [ -e ../../go ]; do sleep 0.02; done; exit 3")
    tape = Guard(path="/nowhere", size=1)

    def start(attempt: int, **more: object) -> RunState:
        return server.start(RunSpec(id="j1", attempt=attempt, argv=go, **more), state)

    def look() -> RunState:
        return server.look(["j1"], state).runs[0]

    runs = [
        look(),
        start(1, guards=(tape,)),
        look(),
        start(2),
        start(2),
        start(1),
        start(3),
        server.end("j1", 1, state),
        look(),
    ]
    forgotten = [server.forget(["j1", "j2"], state)]
    finish()
    runs += [look(), start(2), start(3), server.end("j1", 3, state), start(3), look()]
    forgotten += [server.forget(["j1"], state)]
    return [*map(told, [*runs, look(), start(1)]), *forgotten]


def test_the_server_in_memory_tells_the_same_story(jobs):
    memory = MemoryServer()

    def finish() -> None:
        (jobs.box.state / "jobs/j1/go").touch()
        wait_until(lambda: jobs.see().state == "ended")
        (jobs.box.state / "jobs/j1/go").unlink()

    real = story(jobs.box.server(), jobs.state, finish)

    assert real == story(memory, "/state", lambda: memory.jobs.finish("j1", 3))
    assert [2, 3, 1] == [spec.attempt for spec in memory.jobs.begun]


# ---- words


@pytest.mark.parametrize(
    "change",
    [{"id": "a/b"}, {"id": ""}, {"id": "-a"}, {"attempt": 0}, {"argv": ()}, {"argv": ("-c", "x")}, {"argv": ("a\nb",)},
     {"argv": ("a\0",)}, {"files": {"../x": ""}}, {"files": {".x": ""}}, {"env": {"A-B": ""}}, {"env": {"A": "\n"}}, {"timeout": 0},
     {"guards": (Guard(path="x"),)}, {"guards": (Guard(path="/x\n"),)}, {"checks": ((),)}],
)  # fmt: skip
def test_what_no_job_asks_is_refused(jobs, change):
    with pytest.raises(Refused):
        jobs.box.server().start(
            RunSpec(**{"id": "j1", "attempt": 1, "argv": ("true",), **change}), jobs.state
        )

    assert not jobs.box.state.exists()


@pytest.mark.parametrize("word", ["a b", "'", '"$(id)"', "-n", "", "*", "é\udcff", "{}", "\\", "`x`"])
def test_words_arrive_as_they_are(jobs, word):
    jobs.start("printf", "<%s>", word, env={"X": word}, stdin=word, files={"f": word})
    run = jobs.ended()
    data = word.encode("utf-8", "surrogateescape")

    assert b"<" + data + b">" == run.output
    assert data == (jobs.folder() / "dir/f").read_bytes() == (jobs.folder() / "input").read_bytes()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.lists(st.text("abc 019-", max_size=12), max_size=10))
def test_whatever_a_server_sends_is_a_value_or_an_error(noise, words):
    reader = FrameReader("m0")
    data = (
        b"\nm0 run j1 " + " ".join(words).encode() + b"\n" + noise + b"\nm0 clock\n" + noise + b"\nm0 bye\n"
    )
    try:
        run = jobanswer.one(reader.feed(data), "j1")
    except BadFrame:
        return

    assert "j1" == run.id

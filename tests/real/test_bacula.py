"""The adapter's commands on a real Bacula: what it really does with tapes, and how that is judged."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.bacula.daemons import JOBS, Bacula
from tests.real.bacula.running import Tapes, finish, kill, run
from vtsconf.bma import bacula as adapter
from vtsconf.bma.contract import Verdict

SUCCESS, PARTIAL, TRANSIENT, PERMANENT = (
    Verdict.SUCCESS,
    Verdict.PARTIAL,
    Verdict.TRANSIENT,
    Verdict.PERMANENT,
)
SIZE = 1_000_000


@pytest.fixture
def tapes(bacula: Bacula) -> Tapes:
    """On the Bacula that the tests of this process share."""
    return Tapes(bacula.place())


@pytest.fixture
def small() -> Iterator[Bacula]:
    """One with a library that 3 MB fill; it may be broken."""
    server = Bacula.start_new(slots=2, tape_bytes=1_500_000)
    yield server
    server.stop()


@pytest.fixture
def own() -> Iterator[Bacula]:
    """One that may be broken."""
    server = Bacula.start_new(slots=2)
    yield server
    server.stop()


def fresh(name: str) -> tuple[str, bytes, bytes]:
    """A token, a marker that no other tape has, and a tape's content that begins with it."""
    marker = name.encode() + os.urandom(12)
    return f"vtsconf-{name}", marker, marker + os.urandom(SIZE)


def digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def wait_for(holds: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)


def test_a_tape_goes_to_tape_and_comes_back(bacula, tapes):
    token, marker, content = fresh("cycle")
    path = tapes.write("TAPE001", content)
    os.utime(path, (1_577_934_245, 1_577_934_245))
    was, before = digest(path), Path(path).stat()

    archived = tapes.archive(path, token, verify=True)
    (found,) = tapes.locate(path, token)
    os.truncate(path, 0)
    restored = tapes.restore(path, token)

    after = Path(path).stat()
    assert (SUCCESS, SUCCESS) == (archived.verdict, restored.verdict)
    assert "JobStatus=T JobFiles=1 JobErrors=0 ClientName=vts-fd" in archived.proof
    assert (path, before.st_size, token) == (found.path, found.size, found.token)
    assert found.media.startswith("VT")
    assert found.when
    assert was == digest(path)
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert (1, 1) == (bacula.archived(Path(path)), bacula.on_tape(marker))


def test_a_second_start_finds_the_copy_and_makes_none(bacula, tapes):
    token, marker, content = fresh("twice")
    path = tapes.write("TWICE", content)

    first, second = tapes.archive(path, token), tapes.archive(path, token)

    assert (SUCCESS, SUCCESS) == (first.verdict, second.verdict)
    assert first.proof == second.proof
    assert (1, 1) == (bacula.archived(Path(path)), bacula.on_tape(marker))


def killed_when(tapes: Tapes, path: str, token: str, word: bytes) -> None:
    """Start an archive, and kill it with its console as soon as it says a word."""
    process = tapes.archiving(path, token)
    assert process.stdout
    for line in process.stdout:
        if word in line:
            break
    kill(process)


@pytest.mark.parametrize("word", [b"= slot", b"= run"])
def test_a_run_that_was_killed_is_found_again(bacula, tapes, word):
    token, marker, content = fresh("killed-" + word.decode()[2:])
    path = tapes.write(token, content)
    killed_when(tapes, path, token, word)

    judged = tapes.archive(path, token)

    assert SUCCESS is judged.verdict
    assert (1, 1) == (bacula.archived(Path(path)), bacula.on_tape(marker))


def test_two_archives_at_once_use_two_jobs_and_a_third_waits(bacula, tapes):
    made = [fresh(f"at-once-{number}") for number in range(3)]
    paths = [tapes.write(token, content) for token, _, content in made]
    running = [tapes.archiving(path, token) for path, (token, _, _) in zip(paths, made, strict=True)]

    outputs = [finish(process) for process in running]

    verdicts = [tapes.judge("archive", out, path).verdict for out, path in zip(outputs, paths, strict=True)]
    slots = [line for out in outputs for line in out.text.splitlines() if line.startswith("= slot")]
    assert [SUCCESS] * 3 == verdicts
    assert {f"= slot {job}" for job in JOBS} == set(slots)
    assert [1] * 3 == [bacula.on_tape(marker) for _, marker, _ in made]


def test_a_lock_whose_holder_is_gone_holds_nobody_up_and_nothing_is_left_behind(own):
    tapes = Tapes(own.place())
    for list_path in tapes.settings.migration.jobs.values():
        Path(f"{list_path}.lock").symlink_to("another-boot:1:1")

    judged = tapes.archive(tapes.write("STALE", b"x"), "vtsconf-stale")

    left = {path.name for path in (own.base / "lists").iterdir()}
    assert SUCCESS is judged.verdict
    assert {"1", "2.lock"} == left  # the second one was not needed


WORST = """ back\\slash \\" 'quo"te's $(touch x);`touch y` *?[a] nu\udcff"""
NAMES = ["-rf", "ü€", "L" * 255, WORST]


def test_names_that_nobody_wants_travel_as_they_are(tapes):
    token, _, content = fresh("names")
    folder = tapes.place.pool / 'we"ird \\ pool'
    folder.mkdir()
    paths = [tapes.write(f"{folder.name}/{name}", content + bytes([n])) for n, name in enumerate(NAMES)]
    sizes = {path: Path(path).stat().st_size for path in paths}
    was = digest(paths[-1])

    judged = tapes.archive(paths, token)
    found = {one.path: one.size for one in tapes.locate(paths, token)}
    os.truncate(paths[-1], 0)
    restored = tapes.restore(paths[-1], token)

    assert (SUCCESS, SUCCESS) == (judged.verdict, restored.verdict)
    assert sizes == found
    assert was == digest(paths[-1])


def test_a_missing_path_is_no_success_although_bacula_says_t(bacula, tapes):
    token, _, content = fresh("missing")
    there, gone = tapes.write("THERE", content), str(tapes.place.pool / "GONE")

    judged = tapes.archive([there, gone], token)

    found = tapes.locate([there, gone], token)
    assert [("T",)] == bacula.rows("select JobStatus from Job where Comment = ?", token)
    assert PERMANENT is judged.verdict
    assert "Could not stat" in judged.proof
    assert [there] == [one.path for one in found]


def test_an_empty_list_is_no_success_although_bacula_says_t_without_errors(bacula, tapes):
    token, _, content = fresh("empty")
    path = tapes.write("EMPTY-LIST", content)
    command = adapter.archive(tapes.settings, [path], token, {})
    nothing = dataclasses.replace(command, files={**command.files, "paths": ""})

    judged = tapes.judge("archive", run(nothing, tapes.place), path)

    row = bacula.rows("select JobStatus, JobErrors, JobFiles from Job where Comment = ?", token)
    assert [("T", 0, 0)] == row
    assert (PARTIAL, "0 files were done, 1 asked") == (judged.verdict, judged.reason)
    assert () == tapes.locate(path, token)


def test_a_file_that_grows_is_full_success_for_bacula(tapes):
    """Only the tape's own size and mtime, before and after, show it: that is what the third witness is for."""
    token, _, content = fresh("grows")
    path = tapes.write("GROWS", content)
    before, over = Path(path).stat(), threading.Event()

    def grow() -> None:
        while not over.wait(0.01):
            with Path(path).open("ab") as tape:
                tape.write(b"more" * 1000)

    writer = threading.Thread(target=grow)
    writer.start()
    judged = tapes.archive(path, token)
    over.set()
    writer.join()

    (found,) = tapes.locate(path, token)
    assert SUCCESS is judged.verdict
    assert found.size != Path(path).stat().st_size
    assert before.st_size != Path(path).stat().st_size


def damaged(server: Bacula) -> tuple[Tapes, str, str, bytes]:
    """A tape that was archived, and the byte of it that has changed on tape since."""
    tapes = Tapes(server.place())
    token, marker, content = fresh("damaged")
    content = os.urandom(SIZE) + content
    path = tapes.write("DAMAGED", content)
    assert SUCCESS is tapes.archive(path, token).verdict
    server.flip(marker)
    return tapes, path, token, content


def test_a_damaged_tape_gives_back_a_part_and_the_judge_says_so(own):
    tapes, path, token, content = damaged(own)
    os.truncate(path, 0)

    judged = tapes.restore(path, token)

    assert PERMANENT is judged.verdict
    assert 0 < Path(path).stat().st_size < len(content)  # VTS would mount it: the stub must be put back


def test_a_copy_that_cannot_be_read_back_is_no_copy(own):
    tapes, path, token, content = damaged(own)

    judged = tapes.archive(path, token, verify=True)

    assert PERMANENT is judged.verdict
    assert "the verification" in judged.reason
    assert () == tapes.locate(path, token)

    again = tapes.archive(path, token)

    assert SUCCESS is again.verdict
    assert [len(content)] == [one.size for one in tapes.locate(path, token)]


def test_a_tape_that_was_taken_out_leaves_the_stub(own):
    tapes = Tapes(own.place())
    token, _, content = fresh("taken-out")
    path = tapes.write("TAKEN", content)
    tapes.archive(path, token)
    (found,) = tapes.locate(path, token)
    own.take_out(found.media)
    os.truncate(path, 0)

    judged = tapes.restore(path, token)

    assert PERMANENT is judged.verdict
    assert 0 == Path(path).stat().st_size


def test_what_is_in_no_catalogue_is_not_restored(tapes):
    token, _, content = fresh("nowhere")
    path = tapes.write("NOWHERE", content)

    judged = tapes.restore(path, token)

    assert PERMANENT is judged.verdict
    assert "no good copy" in judged.reason
    assert content == Path(path).read_bytes()


def test_a_full_library_is_waited_for_and_then_given_up(small):
    """Its status stays R for ever; only the log says why."""
    tapes = Tapes(small.place(wait_for_tape="2s"))
    path = tapes.write("LARGE", os.urandom(5 * SIZE))

    judged = tapes.archive(path, "vtsconf-full")

    assert PERMANENT is judged.verdict
    assert judged.reason.startswith("we cancelled it: it waited")
    assert [(1, "A")] == small.jobs()
    assert () == tapes.locate(path, "vtsconf-full")


def test_a_job_that_somebody_runs_is_left_alone(small):
    """Its list may not change while it runs; with one job there is no turn, with two the other one is taken."""
    path = Tapes(small.place()).write("LARGE", os.urandom(5 * SIZE))
    (small.base / "lists/1").write_text(f"{path}\n")
    small.say(f"run job={JOBS[0]} level=Full yes")
    one_job = {JOBS[0]: str(small.base / "lists/1")}
    tapes = Tapes(small.place(jobs=one_job, answer_within="2s"))
    both = Tapes(small.place(wait_for_tape="1s"))

    alone = tapes.archive(path, "vtsconf-alone")
    beside = finish(both.archiving(path, "vtsconf-beside"))

    assert TRANSIENT is alone.verdict
    assert "every job of the settings is in use" in alone.reason
    assert f"= slot {JOBS[1]}" in beside.text
    assert "running" in small.say("status director").lower()


def test_cancel_ends_the_job_of_a_token(small):
    tapes = Tapes(small.place())
    path = tapes.write("LARGE", os.urandom(5 * SIZE))
    running = tapes.archiving(path, "vtsconf-cancel")
    wait_for(small.waits_for_a_tape)
    kill(running)

    said = tapes.cancel("vtsconf-cancel")

    wait_for(lambda: small.jobs() == [(1, "A")])
    assert (0, True) == (said.exit, "= cancelled 1" in said.text)


def test_what_a_person_has_cancelled_is_not_tried_again(small):
    tapes = Tapes(small.place())
    path = tapes.write("LARGE", os.urandom(5 * SIZE))
    running = tapes.archiving(path, "vtsconf-person")
    wait_for(small.waits_for_a_tape)

    small.say("cancel jobid=1")
    judged = tapes.judge("archive", finish(running), path)

    assert PERMANENT is judged.verdict
    assert "somebody has ended it" in judged.reason


@pytest.mark.parametrize("daemon", ["sd", "dir"])
def test_a_daemon_that_dies_in_the_middle_is_tried_again(small, daemon):
    tapes = Tapes(small.place())
    path = tapes.write("LARGE", os.urandom(5 * SIZE))
    running = tapes.archiving(path, "vtsconf-dies")
    wait_for(small.waits_for_a_tape)

    small.kill(daemon)
    small.start(daemon)

    assert TRANSIENT is tapes.judge("archive", finish(running), path).verdict
    assert () == tapes.locate(path, "vtsconf-dies")


@pytest.fixture
def hasty() -> Iterator[Bacula]:
    """Its Director soon takes a silent daemon for dead."""
    server = Bacula.start_new(slots=2, connect_timeout=2)
    yield server
    server.stop()


def test_a_file_daemon_that_dies_before_it_answers_is_tried_again(hasty):
    tapes = Tapes(hasty.place())
    path = tapes.write("TAPE", b"x" * SIZE)
    hasty.freeze("fd")
    running = tapes.archiving(path, "vtsconf-dies")
    wait_for(lambda: hasty.jobs() == [(1, "R")])

    hasty.kill("fd")

    assert TRANSIENT is tapes.judge("archive", finish(running), path).verdict


@pytest.mark.soak  # the Director waits a minute for the storage daemon then, and cannot be told otherwise
def test_a_file_daemon_that_dies_while_it_sends_is_tried_again():
    server = Bacula.start_new(slots=1, tape_bytes=10_000_000_000)
    try:
        tapes = Tapes(server.place())
        path = tapes.write("LARGE", b"x")
        os.truncate(path, 3_000_000_000)
        running = tapes.archiving(path, "vtsconf-dies")
        wait_for(lambda: any(tape.stat().st_size > 20 * SIZE for tape in server.tapes()))

        server.kill("fd")

        assert TRANSIENT is tapes.judge("archive", finish(running, 240), path).verdict
    finally:
        server.stop()


def test_a_director_that_is_gone_is_tried_again_and_nothing_was_started(own):
    tapes = Tapes(own.place(answer_within="1s"))
    path = tapes.write("TAPE", b"x" * SIZE)
    own.kill("dir")

    judged = tapes.archive(path, "vtsconf-gone")

    assert TRANSIENT is judged.verdict
    assert "the Director does not answer" in judged.reason

    own.start("dir")

    assert SUCCESS is Tapes(own.place()).archive(path, "vtsconf-gone").verdict
    assert 1 == own.archived(Path(path))


def test_a_wrong_password_is_for_a_person(own):
    config = own.base / "etc/vtsconf.conf"
    config.write_text(config.read_text().replace('Password = "', 'Password = "not-', 2))
    tapes = Tapes(own.place())

    judged = tapes.archive(tapes.write("TAPE", b"x"), "vtsconf-wrong")

    assert PERMANENT is judged.verdict
    assert [] == own.jobs()


def test_a_console_that_never_ends_is_ended(bacula):
    place = bacula.place(answer_within="1s")
    stuck = bacula.base / "bin/stuck"
    stuck.write_text("#!/bin/sh\nexec sleep 600\n")
    stuck.chmod(0o755)
    console = place.settings.console.model_copy(update={"program": str(stuck)})
    tapes = Tapes(dataclasses.replace(place, settings=place.settings.model_copy(update={"console": console})))

    judged = tapes.archive(tapes.write("STUCK", b"x"), "vtsconf-stuck")

    assert TRANSIENT is judged.verdict

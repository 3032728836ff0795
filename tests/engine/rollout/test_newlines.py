"""Which lines of an event log are new errors: the real program, in every sh that there is, on real files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.engine.rollout.gating import FAIL, INCONCLUSIVE, PASS, event_log, line
from vtsconf.core.probe import Query, QuerySeen
from vtsconf.core.rollout.gate import Verdict
from vtsconf.core.rollout.judge import Ruling
from vtsconf.engine.rollout import newlines
from vtsconf.engine.rollout.newlines import judge_lines, looking, mark_of, marking

SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
INFO = line("INFO", "an ERROR that is none |ERROR| CRITICAL")
OLD = line("ERROR", "of yesterday") + INFO
HALF = line("ERROR")[:-5]


@dataclass
class Log:
    """A log, its mark, and the program run by `shell`."""

    path: Path
    shell: tuple[str, ...] = ("sh",)
    ignore: tuple[str, ...] = ()
    mark: str = ""
    said: QuerySeen = field(default_factory=lambda: QuerySeen(exit=0))

    def run(self, query: Query) -> QuerySeen:
        argv = (*self.shell, *query.argv[1:])
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return QuerySeen(exit=done.returncode, stdout=done.stdout)

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def rotate(self) -> None:
        self.path.rename(self.path.with_suffix(".log.1"))

    def note(self) -> None:
        self.mark = mark_of(self.run(marking(event_log(path=str(self.path)))))

    def ask(self) -> Ruling:
        question = event_log(*self.ignore, path=str(self.path))
        query = looking(question, self.mark)
        if not isinstance(query, Query):
            return query
        self.said = self.run(query)
        return judge_lines(question, self.said)

    @property
    def verdict(self) -> Verdict:
        return self.ask()[0]


@pytest.fixture(params=SHELLS)
def log(tmp_path: Path, request: pytest.FixtureRequest) -> Log:
    shell = SHELLS[request.param]
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    made = Log(tmp_path / "event.log", shell)
    made.write(OLD)
    made.note()
    return made


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (b"", PASS),
        (INFO, PASS),
        (line("WARNING"), PASS),
        (line("ERROR"), FAIL),
        (line("CRITICAL", fields=8), FAIL),
        (line("ERROR", fields=8), FAIL),
        (line("INFO", number="620001"), PASS),  # its word says what it is
        (line("Fehler", number="620001"), FAIL),
        (line("ERROR", "\0\x01 bytes").replace(b"bytes", b"\xff\xfe"), FAIL),
        (b"\xff\xfe\0" + INFO, PASS),
        (b"ERROR CRITICAL\n|ERROR\n", PASS),  # no event
        (HALF, INCONCLUSIVE),  # still being written
        (INFO[:-5], PASS),
        (INFO + line("ERROR") + INFO[:9], FAIL),
        (b"x" * 100_000, PASS),
        (b"x" * 100_000 + b"\n" + line("ERROR"), FAIL),
        (line("ERROR", "y" * 100_000), FAIL),
    ],
)
def test_new_lines(log, new, verdict):
    log.write(new)

    assert verdict is log.verdict


def test_the_reason_counts_and_shows_the_first_line(log):
    log.write(INFO + line("ERROR", "first \x1b[2J") + line("CRITICAL", "second"))
    _, reason = log.ask()

    assert reason == (
        f"2 new lines of ERROR or CRITICAL in {log.path}, the first: "
        "01.01.2026 10:00:00|ERROR|220001|5900-E|127.0.0.1|vts1|vtsa||first \\x1b[2J"
    )


def test_a_line_that_was_half_written_counts_once_it_is_whole(log):
    log.write(HALF)
    log.note()

    assert PASS is log.verdict  # nothing new at all

    log.write(line("ERROR")[-5:])

    assert FAIL is log.verdict

    log.note()

    assert PASS is log.verdict


@pytest.mark.parametrize(("new", "verdict"), [(b"", INCONCLUSIVE), (INFO * 9, INCONCLUSIVE), (line(), FAIL)])
@pytest.mark.parametrize("how", ["renamed", "cut", "same inode, longer"])
def test_rotation(log, how, new, verdict):
    """An error in the new file is a no; without one, the end of the old file was not seen."""
    if how == "renamed":
        log.rotate()
    else:
        os.truncate(log.path, 0)
    log.write(new + (INFO * 20 if how.endswith("longer") else b""))

    assert verdict is log.verdict
    if verdict is INCONCLUSIVE:
        assert "was rotated or cut" in log.ask()[1]


def test_a_log_that_goes_away_or_comes(log):
    log.path.unlink()

    assert INCONCLUSIVE is log.verdict

    log.note()

    assert "absent" == log.mark
    assert INCONCLUSIVE is log.verdict

    log.write(INFO)

    assert (PASS, True) == (log.verdict, "made since" in log.ask()[1])

    log.write(line())

    assert FAIL is log.verdict


def test_an_empty_log(log):
    os.truncate(log.path, 0)
    log.note()

    assert PASS is log.verdict

    log.write(line())

    assert FAIL is log.verdict


@pytest.mark.parametrize("mark", ["", "12", "1 2 3; rm -rf /", "1 2 x", "-1 2 3", "1 2 3 4"])
def test_without_a_mark_nothing_is_asked(log, mark):
    log.mark = mark

    assert INCONCLUSIVE is log.verdict
    assert QuerySeen(exit=0) == log.said


@pytest.mark.parametrize(
    ("ignore", "verdict"),
    [
        (("known trouble",), PASS),
        (("nothing like it", "^[0-9. :]+[|]ERROR[|]220001[|]"), PASS),
        (("-v",), FAIL),
        (("$(touch /tmp/x); 'quotes' \"too\"",), FAIL),
        (("KNOWN",), FAIL),  # case counts, as a person would expect of an expression
        (("(",), INCONCLUSIVE),
    ],
)
def test_lines_that_do_not_count(log, ignore, verdict):
    log.write(line("ERROR", "known trouble"))
    log.ignore = ignore

    assert verdict is log.verdict


def test_ten_megabytes_of_errors_come_back_as_five(log):
    log.write(line("ERROR", "z" * 400) * 25_000)
    verdict, reason = log.ask()

    assert (FAIL, "25000 new lines of ERROR or CRITICAL") == (verdict, reason[:36])
    assert len(log.said.stdout) < 5000
    assert len(reason) < 500


def test_more_than_is_looked_through(log, monkeypatch):
    monkeypatch.setattr(newlines, "MOST", 1000)
    log.write(INFO * 100)

    assert INCONCLUSIVE is log.verdict

    log.path.write_bytes(OLD + line("ERROR") + INFO * 100)

    assert FAIL is log.verdict


@pytest.mark.parametrize(
    "make",
    [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")],
    ids=["directory", "fifo", "broken link"],
)
def test_what_is_no_file(log, make: Callable[[Path], None]):
    log.path.unlink()
    make(log.path)

    assert INCONCLUSIVE is log.verdict


def test_a_link_is_followed(log):
    log.rotate()
    log.path.symlink_to(log.path.with_suffix(".log.1"))
    log.write(line())

    assert FAIL is log.verdict


@pytest.mark.parametrize("missing", ["grep", "tail", "head", "wc", "cksum", "tr", "cut", "sed", "stat"])
def test_a_tool_that_is_missing_is_no_yes(tmp_path, missing, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "grep", "tail", "head", "wc", "cksum", "tr", "cut", "sed", "stat"):
        if tool != missing:
            (tools / tool).symlink_to(shutil.which(tool) or tool)
    log = Log(tmp_path / "event.log")
    log.write(OLD)
    log.note()
    log.write(line())
    monkeypatch.setenv("PATH", str(tools))

    assert INCONCLUSIVE is log.verdict


@pytest.mark.parametrize(
    "said", [b"", b"end", b"log same whole\n>\nend", b"log same whole\n0\nend", b"\xff\n\n\n"]
)
def test_an_answer_that_makes_no_sense(said):
    assert INCONCLUSIVE is judge_lines(event_log(), QuerySeen(exit=0, stdout=said))[0]


@pytest.mark.parametrize("exit_code", [None, 1, 127, 137])
def test_a_program_that_did_not_end_well(exit_code):
    good = QuerySeen(exit=0, stdout=b"log same whole\n>\n1\nend")

    assert PASS is judge_lines(event_log(), good)[0]
    assert INCONCLUSIVE is judge_lines(event_log(), replace(good, exit=exit_code))[0]
    assert INCONCLUSIVE is judge_lines(event_log(), None)[0]


def test_a_severity_that_does_not_exist_is_not_asked():
    question = replace(event_log(), argv=("/x", "FATAL", "--"))

    assert INCONCLUSIVE is looking(question, "absent")[0]

"""Reading a server's event log: nothing is missed unsaid, nothing is read twice, whatever becomes of the log."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from vtsconf.core.probe import QuerySeen
from vtsconf.engine.migrate.news import MOST, NEAR, Mark, News, news_of, question

APPLETS = ("stat", "tail", "head", "sort", "gzip", "wc", "cat", "sha256sum")
LINE = "0" * 64


# ---- what an answer means


def seen(head: str, data: bytes = b"", *, code: int | None = 0, last: bytes = b"\nend\n") -> QuerySeen:
    return QuerySeen(exit=code, stdout=f"{head} {LINE}\n".encode() + data + last)


def mark(inode: int, offset: int, before: bytes) -> str:
    digest = hashlib.sha256(before).hexdigest() if before else "-"
    return f"{inode} {offset} {len(before)} {digest} 9"


@pytest.mark.parametrize(
    ("answer", "lines", "after"),
    [
        (None, (), ""),
        (seen("same whole 7 5 2", b"y\na\n", code=1), (), ""),
        (seen("same whole 7 5 2", b"y\na\n", last=b"\nmoved\n"), (), ""),
        (seen("same whole 7 5 2", b"y\na\n", last=b""), (), ""),
        (QuerySeen(exit=0, stdout=b"none\n"), (), ""),
        (QuerySeen(exit=0, stdout=b"sh: stat: not found\n"), (), ""),
        (seen("same whole 7 5 2", b"y"), (), ""),
        (seen("same whole 7 x 2", b"y\na\n"), (), ""),
        (seen("same whole 7 \u0665 2", b"y\na\n"), (), ""),
        (seen("same whole 7 5 2", b"y\n"), (), ""),
        (seen("same whole 7 5 2", b"y\nhal"), (), ""),
        (seen("same whole 7 5 2", b"y\na\nb\nhal"), ((5, b"a"), (7, b"b")), mark(7, 9, b"y\na\nb\n")),
        (seen("old whole 7 5 2", b"y\na\nb"), ((5, b"a"),), mark(7, 7, b"y\na\n")),
        (seen("old whole 7 7 2", b"a\nb"), ((7, b"b"),), mark(7, 8, b"a\nb")),
        (seen("same whole 8 0 0", b"a\n"), ((0, b"a"),), mark(8, 2, b"a\n")),
        (seen("same whole 7 5 2", b"xyz\n"), (), mark(7, 7, b"xyz\n")),
        (seen("same whole 7 5 1", b"\na\rb\x0b\xff\x00c\n\nend\n"),
         ((5, b"a\rb\x0b\xff\x00c"), (13, b""), (14, b"end")), mark(7, 18, b"\na\rb\x0b\xff\x00c\n\nend\n")),
    ],
)  # fmt: skip
def test_news(answer: QuerySeen | None, lines: Sequence[tuple[int, bytes]], after: str) -> None:
    news = news_of(answer, "7 5", 9)

    assert (tuple(lines), after or "7 5", False) == (news.lines, news.mark, news.gap)


def test_the_first_look_leaves_a_half_written_line_to_the_next() -> None:
    assert mark(7, 97, b"one\n") == news_of(seen("start whole 7 99 6", b"one\ntw"), "", 9).mark
    assert mark(7, 99, b"one\ntw") == news_of(seen("old whole 7 99 6", b"one\ntw"), "", 9).mark


def test_a_gap_moves_the_mark_even_where_nothing_is_there_yet() -> None:
    news = news_of(seen("same gap 8 0 0"), "7 5", 9)

    assert News(mark="8 0 0 - 9", log=LINE, gap=True) == news


def test_a_line_without_an_end_is_passed_over_and_its_rest_is_no_line() -> None:
    news = news_of(seen("same whole 7 5 1", b"\n" + b"x" * MOST), "7 5", 9)
    then = news_of(seen("same whole 7 99 1", b"x|rest\nnext\n"), news.mark, 9)

    assert ((), mark(7, 5 + MOST, b"x" * NEAR)) == (news.lines, news.mark)
    assert ((105, b"next"),) == then.lines


@pytest.mark.parametrize("text", ["7 5", "7 5 2 " + "a" * 64 + " 9", "7 0 0 - 9"])
def test_a_mark_is_read_as_it_was_written(text: str) -> None:
    read = Mark.of(text)

    assert text == str(read)[: len(text)]
    assert read == Mark.of(str(read))


def test_what_is_no_mark_fits_nowhere() -> None:
    assert Mark(inode=0, offset=0) == Mark.of("nonsense")


# ---- what the server answers


@pytest.fixture(params=["dash", "bash", "busybox"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Words before `-c`; busybox brings its own tools along."""
    if request.param != "busybox":
        return [f"/bin/{request.param}"]
    tools = tmp_path / "applets"
    tools.mkdir()
    for name in APPLETS:
        (tools / name).symlink_to("/usr/bin/busybox")
    return ["/usr/bin/env", f"PATH={tools}", "/usr/bin/busybox", "sh"]


class Log:
    """A log in a folder of its own, followed by that shell."""

    def __init__(self, folder: Path, shell: Sequence[str]) -> None:
        folder.mkdir()
        self.path, self.shell, self.mark, self.gap = folder / "event.log", shell, "", False

    def write(self, text: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(text)

    def ask(self) -> QuerySeen:
        argv = [*self.shell, *question(str(self.path), self.mark).argv[1:]]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=60)
        return QuerySeen(exit=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def look(self) -> list[bytes]:
        news = news_of(self.ask(), self.mark)
        self.mark, self.gap = news.mark, news.gap
        return [line for _, line in news.lines]

    def looks(self, most: int = 12) -> list[bytes]:
        """Looks until there is nothing new."""
        found = []
        for _ in range(most):
            if not (lines := self.look()):
                break
            found += lines
        return found

    def rotate(self, *, pack: bool = True) -> None:
        """As logrotate does: the old ones are counted up, the last moves away, a new one begins, and it is packed."""
        for number in range(8, 0, -1):
            for end in ("", ".gz"):
                old = self.path.with_name(f"event.log.{number}{end}")
                if old.exists():
                    old.rename(self.path.with_name(f"event.log.{number + 1}{end}"))
        self.path.rename(self.path.with_name("event.log.1"))
        self.path.touch()
        if pack:
            self.pack()

    def pack(self, *, leave: bool = False) -> None:
        """As gzip does; `leave`: it is still at it, and the old one still there."""
        away = self.path.with_name("event.log.1")
        packed = self.path.with_name("event.log.1.gz")
        whole = gzip.compress(away.read_bytes())
        packed.write_bytes(whole[:-4] if leave else whole)
        os.utime(packed, ns=(away.stat().st_atime_ns, away.stat().st_mtime_ns))
        if not leave:
            away.unlink()


@pytest.fixture
def log(shell: list[str], tmp_path: Path) -> Log:
    return Log(tmp_path / "log's folder $(x)", shell)


def test_the_first_look_starts_at_the_end(log: Log) -> None:
    log.write(b"before\n")

    assert [] == log.look()
    log.write(b"after\n")
    assert [b"after"] == log.look()
    assert [] == log.look()


def test_a_half_written_line_waits(log: Log) -> None:
    log.write(b"")
    log.look()
    log.write(b"one\ntw")

    assert [b"one"] == log.look()
    log.write(b"o\n")
    assert [b"two"] == log.look()


def test_the_rest_of_a_rotated_log_is_read_and_then_the_new_one(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    log.write(b"two\nthree\nhalf")
    log.rotate()
    log.write(b"four\n")

    looks = [log.look() for _ in range(4)]
    assert [[b"two", b"three"], [b"half"], [b"four"], []] == looks


def test_a_rotated_log_that_is_not_packed_yet_is_not_mistaken_for_an_older_one(log: Log) -> None:
    log.write(b"long ago: erase this and that\n" * 5)
    log.rotate()
    log.write(b"one\n")
    log.look()
    log.write(b"two\n")
    log.rotate(pack=False)
    log.write(b"three\n")

    assert [b"two"] == log.look()
    log.pack()
    assert [b"three"] == log.look()
    assert [] == log.look()


def test_a_log_that_was_read_to_its_end_and_rotated(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    log.rotate()

    assert [] == log.look()
    log.write(b"two\n")
    assert [b"two"] == log.look()


def test_a_log_that_was_cut_in_place_begins_anew(log: Log) -> None:
    log.write(b"one\ntwo\n")
    log.look()
    log.path.write_bytes(b"a\n")

    assert [b"a"] == log.look()


def test_much_news_comes_piece_by_piece(log: Log) -> None:
    log.write(b"")
    log.look()
    lines = [b"%06d " % n + b"x" * 200 for n in range(1000)]
    log.write(b"\n".join(lines) + b"\n")
    answer = log.ask()
    found = [log.look() for _ in range(6)]

    assert MOST + NEAR + 150 > len(answer.stdout)
    assert (lines, []) == (list(chain(*found)), found[-1])


def test_much_news_of_a_rotated_log_too(log: Log) -> None:
    log.write(b"x\n")
    log.look()
    lines = [b"%06d " % n + b"x" * 200 for n in range(400)]
    log.write(b"\n".join(lines) + b"\n")
    log.rotate()
    found = [log.look() for _ in range(3)]

    assert (lines, []) == (list(chain(*found)), found[-1])


def test_hostile_bytes_come_as_they_are(log: Log) -> None:
    log.write(b"")
    log.look()
    line = bytes(set(range(256)) - {10}) + b"$(touch x) `touch x` %s \\n"
    log.write(line + b"\n")

    assert [line] == log.look()


def test_no_log_is_no_news(log: Log) -> None:
    assert ([], "") == (log.look(), log.mark)
    log.mark = "7 5"
    assert ([], "7 5") == (log.look(), log.mark)
    log.path.mkdir()
    assert ([], "7 5") == (log.look(), log.mark)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_log_that_may_not_be_read_is_no_news(log: Log) -> None:
    log.write(b"one\n")
    log.path.chmod(0)

    assert ([], "") == (log.look(), log.mark)


# ---- over rotations


@pytest.mark.parametrize("pack", [True, False], ids=["packed", "not packed"])
@pytest.mark.parametrize("first", [b"x\n", b"0123456789abcde\n", b"0123456789abcdef0\n"])
def test_all_of_several_rotations_is_read_in_order(log: Log, first: bytes, pack: bool) -> None:
    log.write(first)
    log.look()
    said = [[b"day%d request%d" % (day, number) for number in range(3)] for day in range(3)]
    for day in said:
        log.write(b"\n".join(day) + b"\n")
        log.rotate(pack=pack)
    log.write(b"today\n")

    assert [*chain(*said), b"today"] == log.looks()
    assert not log.gap


def test_a_log_with_nothing_in_it_goes_on_from_the_one_before(log: Log) -> None:
    log.write(b"old\n")
    log.rotate()
    log.look()
    log.write(b"one\n")
    log.rotate()
    log.rotate()
    log.write(b"two\n")

    assert [b"one", b"two"] == log.looks()


def test_an_inode_that_is_used_again_misleads_nobody(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    log.write(b"two\n")
    log.rotate()
    log.write(b"three\nfour\n")
    log.mark = log.mark.replace(log.mark.split(" ")[0], str(log.path.stat().st_ino))

    assert [b"two", b"three", b"four"] == log.looks()


def test_a_log_that_was_copied_and_cut_in_place(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    log.write(b"two\n")
    log.path.with_name("event.log.1.gz").write_bytes(gzip.compress(log.path.read_bytes()))
    log.path.write_bytes(b"first new\nsecond new\n")

    assert [b"two", b"first new", b"second new"] == log.looks()
    assert not log.gap


def test_a_log_that_was_cut_in_place_and_grew_past_the_mark_is_told_and_read_from_its_start(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    log.path.write_bytes(b"first new\nsecond new\n")

    assert [b"first new", b"second new"] == log.look()
    assert log.gap
    assert ([], False) == (log.look(), log.gap)


def test_a_rotated_log_that_is_gone_is_told_once(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    log.write(b"two\n")
    log.rotate()
    log.path.with_name("event.log.1.gz").unlink()

    assert ([], True) == (log.look(), log.gap)
    log.write(b"three\n")
    assert ([b"three"], False) == (log.look(), log.gap)


def test_a_rotated_log_that_cannot_be_read_to_its_end_is_told(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    for text in (b"two\n", b"three\n" * 2000):
        log.write(text)
        log.rotate()
    packed = log.path.with_name("event.log.1.gz")
    packed.write_bytes(packed.read_bytes()[:30])
    log.write(b"four\n")
    found = [(log.look(), log.gap) for _ in range(3)]

    assert ([b"two"], False) == found[0]
    assert b"four" in [line for lines, _ in found for line in lines]
    assert any(gap for _, gap in found)


def test_a_log_that_is_just_being_packed_is_read_once(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    log.write(b"two\n")
    log.rotate(pack=False)
    log.pack(leave=True)
    log.write(b"three\n")

    assert [b"two", b"three"] == log.looks()


def test_other_files_beside_the_log_are_none_of_its_own(log: Log) -> None:
    log.write(b"one\n")
    log.look()
    for name in ("event.log.1.gz.bak", "event.log.1x", "event.log.old", "event.log.9.tmp"):
        log.path.with_name(name).write_bytes(b"one\nstrange\n")
    log.path.with_name("event.log.5").mkdir()
    log.write(b"two\n")
    log.rotate()
    log.write(b"three\n")

    assert [b"two", b"three"] == log.looks()


def test_a_mark_of_an_earlier_version_is_read(log: Log) -> None:
    log.write(b"one\ntwo\n")
    log.mark = f"{log.path.stat().st_ino} 4"

    assert [b"two"] == log.look()
    log.write(b"three\n")
    log.rotate(pack=False)
    log.mark = f"{log.path.with_name('event.log.1').stat().st_ino} 8"
    assert [b"three"] == log.look()
    log.mark = "1 8"
    assert ([], True) == (log.look(), log.gap)

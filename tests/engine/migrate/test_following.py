"""Following a server's event log: nothing is missed, nothing is read twice, whatever becomes of the log."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.probe import QuerySeen
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.following import LOG, Follower, News, news_of, question
from vtsconf.engine.migrate.yard import Place, Yard
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Rules
from vtsconf.transport.fake import MemoryServer

HEAD = "2006-08-28 16:25:18|INFO|200001|5900-E|127.0.0.1|vts1|super|"
APPLETS = ("stat", "tail", "head", "ls", "gzip", "wc", "cat")


# ---- what an answer means


def seen(head: str, data: bytes = b"", code: int | None = 0) -> QuerySeen:
    return QuerySeen(exit=code, stdout=head.encode() + b"\n" + data)


@pytest.mark.parametrize(
    ("answer", "news"),
    [
        (None, News(mark="7 5")),
        (seen("same 7 5", b"a\n", code=1), News(mark="7 5")),
        (seen("none 0 0"), News(mark="7 5")),
        (seen("start 7 99"), News(mark="7 99")),
        (seen("same 7 5"), News(mark="7 5", first=5)),
        (seen("same 7 5", b"a\nb\nhal"), News(lines=(b"a", b"b"), mark="7 9", first=5)),
        (seen("same 7 5", b"hal"), News(mark="7 5", first=5)),
        (seen("old 7 5", b"a\nb"), News(lines=(b"a",), mark="7 7", first=5)),
        (seen("old 7 7", b"b"), News(lines=(b"b",), mark="7 8", first=7)),
        (seen("new 8 0", b"a\n"), News(lines=(b"a",), mark="8 2", first=0)),
        (seen("same 7 5", b"a\rb\x0b\xff\x00c\n\n"), News(lines=(b"a\rb\x0b\xff\x00c", b""), mark="7 14", first=5)),
        (seen("same 7 x", b"a\n"), News(mark="7 5")),
        (seen("same 7 5 9", b"a\n"), News(mark="7 5")),
        (seen("sh: stat: not found"), News(mark="7 5")),
        (seen("same 7 \u0665", b"a\n"), News(mark="7 5")),
    ],
)  # fmt: skip
def test_news(answer: QuerySeen | None, news: News) -> None:
    assert news == news_of(answer, "7 5")


def test_a_line_without_an_end_is_passed_over() -> None:
    news = news_of(seen("same 7 5", b"x" * 48 * 1024), "7 5")

    assert f"7 {5 + 48 * 1024}" == news.mark


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
        self.path, self.shell, self.mark = folder / "event.log", shell, ""

    def write(self, text: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(text)

    def ask(self) -> QuerySeen:
        argv = [*self.shell, *question(str(self.path), self.mark).argv[1:]]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=60)
        return QuerySeen(exit=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def look(self) -> list[bytes]:
        news = news_of(self.ask(), self.mark)
        self.mark = news.mark
        return list(news.lines)

    def rotate(self, *, pack: bool = True) -> None:
        """As logrotate does: the old one moves away, a new one begins, and then the old one is packed."""
        away = self.path.with_name("event.log.1")
        packed = self.path.with_name("event.log.1.gz")
        if packed.exists():
            packed.rename(self.path.with_name("event.log.2.gz"))
        self.path.rename(away)
        self.path.touch()
        if pack:
            self.pack()

    def pack(self) -> None:
        away = self.path.with_name("event.log.1")
        packed = self.path.with_name("event.log.1.gz")
        packed.write_bytes(gzip.compress(away.read_bytes()))
        os.utime(packed, ns=(away.stat().st_atime_ns, away.stat().st_mtime_ns))
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

    assert 48 * 1024 + 100 > len(answer.stdout)
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


# ---- what is made of it

RULES = {
    "quiet": {"match": "NOISE", "action": "ignore"},
    "tell": {"match": "HELLO", "action": "notify"},
    "mount": {"match": "MOUNT (?P<path>[^ ]+)", "action": "restore"},
    "erase": {"match": "^VTSPolicy Erase", "action": "erase"},
    "asked": {"match": "^VTSPolicy", "action": "vtspolicy", "bma": "tsm"},
}


class Site:
    """One server in memory whose event log is a file, a book, and a follower."""

    def __init__(self, folder: Path) -> None:
        self.log, self.server = folder / "event.log", MemoryServer(command=self.answer)
        self.log.touch()
        self.book = Book(f"sqlite:///{folder}/vtsconf.db")
        self.told: list[tuple[str, str]] = []
        self.allowed: tuple[str, ...] = ("rules/erase",)
        self.follower = self.another()
        self.follower.look("vts1")

    def another(self) -> Follower:
        vts = Vts(
            vaults=("/VAULT01",), allow_erase=self.allowed, rules=Rules.model_validate({"rules": RULES}).rules
        )
        place = Place(host="vts1", target=Target(name="vts1"), state_dir="/var", vts=vts)
        yard = Yard(places={"vts1": place}, reach=lambda _: self.server)
        return Follower(
            book=self.book, yard=yard, run="m1", now=lambda: 5,
            told=lambda _host, _event, decision: self.told.append((decision.action, decision.reason)),
        )  # fmt: skip

    def answer(self, argv: Sequence[str]) -> QuerySeen:
        words = [str(self.log) if word == LOG else word for word in argv]
        done = subprocess.run(words, capture_output=True, check=False, timeout=60)
        return QuerySeen(exit=done.returncode, stdout=done.stdout)

    def tape(
        self,
        name: str,
        size: int = 10,
        *,
        proven: bool = True,
        witnesses: Sequence[str] = ("bma", "catalogue"),
    ) -> str:
        path = f"/VAULT01/P/{name}"
        self.server.jobs.tapes[path] = Tape(path=path, size=size, mtime=1, inode=len(self.server.jobs.tapes))
        if proven:
            self.book.prove(Proof(
                host="vts1", cartridge=path, size=size or 10, mtime=1, inode=self.server.jobs.tapes[path].inode,
                bma="tsm", token=f"copy-{name}", at=1, witnesses=tuple(witnesses),
            ))  # fmt: skip
        return path

    def say(self, *texts: str, program: str = "|") -> list[tuple[str, str]]:
        """Events, then one look; returns (action, path) of the new jobs."""
        before = {entry.id for entry in self.book.entries()}
        with self.log.open("a") as file:
            file.writelines(f"{HEAD}{program}{text}\n" for text in texts)
        with suppress(Unreachable):
            self.follower.look("vts1")
        return [(e.job.action, e.job.cartridge) for e in self.book.entries() if e.id not in before]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("program", ["", "|"], ids=["eight fields", "nine fields"])
def test_a_mount_restores_and_a_line_migrates(site: Site, program: str) -> None:
    erased, full = site.tape("T00001", 0), site.tape("T00002", proven=False)

    made = site.say(f"MOUNT {erased}", "VTSPolicy TSM 'archive /VAULT01/P/T00002'", program=program)

    assert [("restore", erased), ("migrate", full)] == made, site.told


def test_ignored_and_told_events_make_no_jobs(site: Site) -> None:
    path = site.tape("T00001", 0)

    assert [] == site.say(f"NOISE MOUNT {path}", f"HELLO MOUNT {path}", "nothing at all")
    assert ["ignore", "notify"] == [action for action, _ in site.told]


def test_only_proven_tapes_are_erased_and_one_that_is_not_keeps_none_of_the_others(site: Site) -> None:
    proven, also = site.tape("T00001"), site.tape("T00003")
    site.tape("T00002", proven=False)
    site.tape("T00004", witnesses=("bma",))

    made = site.say("VTSPolicy Erase - T00001 T00002 T00003 T00004")

    assert [("erase", proven), ("erase", also)] == made
    assert "T00002 is not, as it is now, proven on tape" in site.told[-1][1]
    assert "T00004 is not, as it is now, proven on tape" in site.told[-1][1]


def test_a_rule_that_nobody_allowed_by_name_erases_nothing(site: Site) -> None:
    path, site.allowed = site.tape("T00001"), ("erase",)
    site.follower = site.another()

    assert [] == site.say("VTSPolicy Erase - T00001")
    assert "rules/erase may not erase" in site.told[-1][1]
    site.follower.allowed = ("rules/erase",)
    assert [("erase", path)] == site.say("VTSPolicy Erase - T00001")


def test_a_tape_written_to_since_is_not_erased(site: Site) -> None:
    path = site.tape("T00001")
    tapes = site.server.jobs.tapes
    tapes[path] = Tape(path=path, size=10, mtime=2, inode=tapes[path].inode)

    assert [] == site.say("VTSPolicy Erase - T00001")


def test_killed_before_the_mark_was_saved_it_acts_once(site: Site) -> None:
    erased, full = site.tape("T00001", 0), site.tape("T00002")
    mark = site.book.mark("vts1")
    first = site.say(f"MOUNT {erased}", "VTSPolicy Erase - T00002")
    site.book.set_mark("vts1", mark)
    site.follower = site.another()

    assert [("restore", erased), ("erase", full)] == first
    assert [] == site.say()
    assert [] == site.say("something else")


def test_killed_before_the_mark_was_saved_it_acts_once_though_more_was_written(site: Site) -> None:
    erased = site.tape("T00001", 0)
    mark = site.book.mark("vts1")
    site.say(f"MOUNT {erased}")
    site.book.set_mark("vts1", mark)

    assert [] == site.say("something else")


def test_the_same_event_again_is_another_request_once_the_first_has_ended(site: Site) -> None:
    erased = site.tape("T00001", 0)

    assert [("restore", erased)] == site.say(f"MOUNT {erased}")
    assert [] == site.say(f"MOUNT {erased}")
    (entry,) = site.book.take("me", Limits(), 1, 9)
    site.book.end(entry, Status.DONE, 9)
    assert [("restore", erased)] == site.say(f"MOUNT {erased}")


def test_a_server_that_goes_away_in_between_is_asked_the_same_again(site: Site) -> None:
    erased = site.tape("T00001", 0)
    list_tapes = site.server.tapes

    def gone(*_: object) -> None:
        raise Unreachable("vts1 is gone")

    site.server.tapes = gone  # type: ignore[method-assign, assignment]
    assert [] == site.say(f"MOUNT {erased}")
    site.server.tapes = list_tapes  # type: ignore[method-assign]
    assert [("restore", erased)] == site.say()


def test_an_event_within_an_event_is_none(site: Site) -> None:
    erased = site.tape("T00001", 0)

    assert [] == site.say(f"hello\r{HEAD}|MOUNTED\r{HEAD}|VTSPolicy Erase - T00001".replace("MOUNT", "M"))
    assert [] == site.told, erased

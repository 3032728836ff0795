"""Following a server's event log: what is made of it, and that it is acted on once."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from vtsconf.bma import netbackup, networker, tsm
from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.core.eventlog import PATH
from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.probe import QuerySeen
from vtsconf.core.wanted import WantedParameter
from vtsconf.engine.migrate.book import Book, Entry
from vtsconf.engine.migrate.following import Follower
from vtsconf.engine.migrate.yard import Place, Yard
from vtsconf.resources.desired import PEERS, Vts
from vtsconf.resources.policies import Rules
from vtsconf.transport.fake import MemoryServer

HEAD = "2006-08-28 16:25:18|INFO|200001|5900-E|127.0.0.1|vts1|super|"
RULES = {
    "quiet": {"match": "NOISE", "action": "ignore"},
    "tell": {"match": "HELLO", "action": "notify"},
    "mount": {"match": "MOUNT (?P<path>[^ ]+)", "action": "restore"},
    "wipe": {"match": "WIPE (?P<path>[^ ]+)", "action": "erase"},
    "load": {"match": "LOAD (?P<cartridge>[^ ]+)", "action": "restore"},
    "erase": {"match": "^VTSPolicy Erase", "action": "erase"},
    "mine": {
        "match": "^VTSPolicy TSM .*mine",
        "action": "vtspolicy",
        "bma": "tsm",
        "options": {"optfile": "/site.opt"},
    },
    "other": {"match": "^VTSPolicy (NBU|LEG)", "action": "vtspolicy"},
    "asked": {"match": "^VTSPolicy", "action": "vtspolicy", "bma": "tsm"},
}


BMAS = {"tsm": (tsm, None), "netbackup": (netbackup, None), "networker": (networker, None)}


class Site:
    """One server in memory whose event log is a file, a book, and a follower."""

    def __init__(self, folder: Path) -> None:
        self.log, self.server = folder / "event.log", MemoryServer(command=self.answer)
        self.log.touch()
        self.book = Book(f"sqlite:///{folder}/vtsconf.db")
        self.told: list[tuple[str, str]] = []
        self.missed: list[str] = []
        self.allowed: tuple[str, ...] = ("rules/erase",)
        self.vaults: tuple[str, ...] = ("/VAULT01",)
        self.peers = ""
        self.follower = self.another()
        self.follower.look("vts1")

    def another(self) -> Follower:
        peers = (
            {PEERS: WantedParameter(name=PEERS, address=f"ems/{PEERS}", text=self.peers)}
            if self.peers
            else {}
        )
        vts = Vts(
            vaults=self.vaults,
            allow_erase=self.allowed,
            rules=Rules.model_validate({"rules": RULES}).rules,
            gathered=peers,
        )
        place = Place(host="vts1", target=Target(name="vts1"), state_dir="/var", vts=vts, bmas=BMAS)
        yard = Yard(places={"vts1": place}, reach=lambda _: self.server)
        return Follower(
            book=self.book, yard=yard, run="m1", now=lambda: 5,
            told=lambda _host, _event, decision: self.told.append((decision.action, decision.reason)),
            missed=lambda host, why: self.missed.append(f"{host}: {why}"),
        )  # fmt: skip

    def answer(self, argv: Sequence[str]) -> QuerySeen:
        words = [str(self.log) if word == PATH else word for word in argv]
        done = subprocess.run(words, capture_output=True, check=False, timeout=60)
        return QuerySeen(exit=done.returncode, stdout=done.stdout)

    def tape(
        self,
        name: str,
        size: int = 10,
        *,
        pool: str = "/VAULT01/P",
        proven: bool = True,
        witnesses: Sequence[str] = ("bma", "catalogue"),
    ) -> str:
        path = f"{pool}/{name}"
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

    def end(self, *ends: tuple[Status, str]) -> list[Entry]:
        """What waits is taken, and ends so."""
        taken = self.book.take("me", Limits(), len(ends), 6)
        for entry, (status, reason) in zip(taken, ends, strict=True):
            self.book.end(entry, status, 6, reason=reason)
        return taken


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
    site.book.set_mark("vts1", mark, was=site.book.mark("vts1"))
    site.follower = site.another()

    assert [("restore", erased), ("erase", full)] == first
    assert [] == site.say()
    assert [] == site.say("something else")


def test_killed_before_the_mark_was_saved_it_acts_once_though_more_was_written(site: Site) -> None:
    erased = site.tape("T00001", 0)
    mark = site.book.mark("vts1")
    site.say(f"MOUNT {erased}")
    site.book.set_mark("vts1", mark, was=site.book.mark("vts1"))

    assert [] == site.say("something else")


def test_the_same_event_again_is_another_request_once_the_first_has_ended(site: Site) -> None:
    erased = site.tape("T00001", 0)

    assert [("restore", erased)] == site.say(f"MOUNT {erased}")
    assert [] == site.say(f"MOUNT {erased}")
    site.end((Status.DONE, ""))
    assert [("restore", erased)] == site.say(f"MOUNT {erased}")


def test_a_server_that_goes_away_in_between_is_asked_the_same_again(site: Site) -> None:
    erased = site.tape("T00001", 0)
    look = site.server.look

    def gone(*_: object, **__: object) -> None:
        raise Unreachable("vts1 is gone")

    site.server.look = gone  # type: ignore[method-assign, assignment]
    assert [] == site.say(f"MOUNT {erased}")
    site.server.look = look  # type: ignore[method-assign]
    assert [("restore", erased)] == site.say()


def test_an_event_within_an_event_is_none(site: Site) -> None:
    erased = site.tape("T00001", 0)

    assert [] == site.say(f"hello\r{HEAD}|MOUNTED\r{HEAD}|VTSPolicy Erase - T00001".replace("MOUNT", "M"))
    assert [] == site.told, erased


def test_what_a_slower_executor_reads_again_is_known_and_its_older_mark_is_not_taken(site: Site) -> None:
    erased, start = site.tape("T00001", 0), site.book.mark("vts1")
    site.say("nothing")
    slow = site.book.mark("vts1")
    site.book.set_mark("vts1", start, was=slow)

    assert [("restore", erased)] == site.say(f"MOUNT {erased}")
    site.end((Status.DONE, ""))
    fast = site.book.mark("vts1")
    assert not site.book.set_mark("vts1", slow, was=start)
    assert fast == site.book.mark("vts1")
    assert site.book.set_mark("vts1", slow, was=fast)
    assert [] == site.say()


def test_a_request_has_one_name_before_and_after_its_log_was_rotated_and_packed(site: Site) -> None:
    erased, start = site.tape("T00001", 0), site.book.mark("vts1")
    site.say("nothing", f"MOUNT {erased}")
    site.end((Status.DONE, ""))
    site.log.rename(site.log.with_name("event.log.1"))
    site.log.touch()
    site.book.set_mark("vts1", start, was=site.book.mark("vts1"))
    site.say()
    subprocess.run(["gzip", site.log.with_name("event.log.1")], check=True)
    site.log.write_text(f"{HEAD}|something else\n")

    assert [] == site.say()
    assert [] == site.missed


def test_requests_that_may_be_lost_are_told(site: Site) -> None:
    site.say("nothing")
    site.log.unlink()

    assert [] == site.say("much more than what was there before")
    (said,) = site.missed
    assert said.startswith(
        "vts1: requests may be lost between 1970-01-01 00:00:05 UTC and 2006-08-28 16:25:18 ("
    )
    site.say("more")
    assert 1 == len(site.missed)


# ---- which tapes are meant


@pytest.mark.parametrize("event", ["VTSPolicy Erase - T00001", "WIPE /VAULT01/P/T00001"])
@pytest.mark.parametrize("pool", ["/VAULT01/Q", "/VAULT02/P", "/VAULT100/P"])
def test_a_name_that_is_on_the_server_twice_is_not_erased_whatever_vaults_are_ours(
    site: Site, event: str, pool: str
) -> None:
    site.allowed = ("rules/erase", "rules/wipe")
    site.vaults = ("/VAULT01", "/VAULT100")
    site.follower = site.another()
    path = site.tape("T00001")
    other = site.tape("T00001", pool=pool)

    assert [] == site.say(event)
    assert "T00001 in more than one pool" in site.told[-1][1]
    site.server.jobs.tapes.pop(other)
    assert [("erase", path)] == site.say(event)


def test_a_bare_name_is_not_looked_for_in_vaults_that_are_not_ours(site: Site) -> None:
    site.tape("T00001", 0, pool="/VAULT02/P")

    assert [] == site.say("LOAD T00001")
    assert "vts1 has no such tape: T00001" == site.told[-1][1]


def test_a_whole_path_lists_no_vault_and_its_name_may_be_elsewhere_too(site: Site) -> None:
    erased, full = site.tape("T00001", 0), site.tape("T00002", proven=False)
    site.tape("T00001", 0, pool="/VAULT01/Q")
    site.server.tapes = None  # type: ignore[method-assign, assignment]

    made = site.say(f"MOUNT {erased}", "VTSPolicy TSM 'archive /VAULT01/P/T00002'", "MOUNT /VAULT01/P/NONE")
    assert [("restore", erased), ("migrate", full)] == made
    assert "vts1 has no such tape: NONE" == site.told[-1][1]


class Counted(Tape):
    """Counts how often anybody looks at a name."""

    looks = 0

    @property
    def cartridge(self) -> str:
        Counted.looks += 1
        return super().cartridge


def test_a_pool_of_many_tapes_takes_no_more_than_their_number(site: Site) -> None:
    for number in range(1000):
        path = f"/VAULT01/P/T{number:06}"
        site.server.jobs.tapes[path] = Counted(path=path, size=1, mtime=1, inode=number)

    assert 1000 == len(site.say('VTSPolicy NBU "/VAULT01/P s=vts1"'))
    assert Counted.looks < 10 * 1000


# ---- who is meant


def test_in_a_cluster_a_line_must_say_who_is_to_act(site: Site) -> None:
    site.peers = "vts2"
    site.follower = site.another()
    erased, full = site.tape("T00001", 0), site.tape("T00002", proven=False)

    assert [] == site.say("VTSPolicy TSM 'archive /VAULT01/P/T00002'")
    assert "which server of the cluster is to act" in site.told[-1][1]
    assert [("migrate", full)] == site.say("VTSPolicy TSM 'archive /VAULT01/P/T00002 s=vts1'")
    assert [("restore", erased)] == site.say(f"MOUNT {erased}")


# ---- the same request again

ARCHIVE = "VTSPolicy TSM 'archive /VAULT01/P/T00001'"


@pytest.mark.parametrize("status", [Status.FAILED, Status.PARKED, Status.CANCELLED])
def test_a_new_request_for_what_ended_badly_lets_it_wait_again_once(site: Site, status: Status) -> None:
    site.tape("T00001", proven=False)
    site.say(ARCHIVE)
    site.end((status, "the drive is dirty"))
    start = site.book.mark("vts1")
    site.told.clear()

    assert [] == site.say(ARCHIVE)
    (after,) = site.book.entries()
    assert ("waiting", Status.PLANNED, "asked for again by an event") == (
        after.state,
        after.status,
        after.reason,
    )
    said = f"known already: {status} because the drive is dirty; it waits again, as it was asked for first"
    assert [("migrate", said)] == site.told
    site.end((status, "again"))
    assert not site.book.set_mark("vts1", "8 8", was=start, again=[after.id], now=9)
    (last,) = site.book.entries()
    assert "ended" == last.state


@pytest.mark.parametrize("status", [Status.UNPROVEN, Status.IN_DOUBT])
def test_what_may_be_on_tape_is_not_done_again_by_a_request_and_that_is_told(
    site: Site, status: Status
) -> None:
    site.tape("T00001", proven=False)
    site.say(ARCHIVE)
    site.end((status, "its catalogue is silent"))

    assert [] == site.say(ARCHIVE)
    (after,) = site.book.entries()
    assert ("ended", status) == (after.state, after.status)
    assert "none" == site.told[-1][0]
    assert (
        f"known already: {status} because its catalogue is silent; only a person lets it" in site.told[-1][1]
    )


def test_what_waits_or_is_done_is_told_and_left(site: Site) -> None:
    site.tape("T00001", proven=False)
    site.say(ARCHIVE, ARCHIVE)

    assert [("migrate", "its VTSPolicy line asks for it"), ("none", "known already: planned")] == site.told
    site.end((Status.DONE, ""))
    assert [] == site.say(ARCHIVE)
    assert ("none", "known already: done") == site.told[-1]


def test_many_that_are_known_are_told_in_one_line(site: Site) -> None:
    for number in range(4):
        site.tape(f"T0000{number}", proven=False)
    site.say("VTSPolicy TSM 'archive /VAULT01/P'")
    site.end((Status.DONE, ""), (Status.DONE, ""), (Status.FAILED, "no drive"))
    site.tape("T00009", proven=False)
    site.told.clear()

    assert [("migrate", "/VAULT01/P/T00009")] == site.say("VTSPolicy TSM 'archive /VAULT01/P'")
    assert "its VTSPolicy line asks for it" == site.told[0][1]
    assert (
        "known already: 4 tapes (2 done, 1 failed, 1 planned); 1 wait again; /VAULT01/P/T00002: failed because no drive;"
        " it waits again, as it was asked for first" == site.told[1][1]
    )


def test_an_erased_tape_is_not_migrated_and_that_is_told(site: Site) -> None:
    site.tape("T00001", 0)

    assert [] == site.say(ARCHIVE)
    assert [("none", "/VAULT01/P/T00001 is erased: there is nothing to migrate")] == site.told
    assert [] == site.say("VTSPolicy TSM 'archive /VAULT01/P'", "VTSPolicy Erase - T00001")
    assert "no tape of VAULT01/P on vts1 has data" in site.told[1][1]
    assert "T00001 is erased: there is nothing to erase" in site.told[2][1]


# ---- what the backup application can take


@pytest.mark.parametrize(
    ("line", "options", "left"),
    [
        ('TSM "/VAULT01/P/T00001 s=vts1 st=y o=/opt/x.opt r=14,d"', {"optfile": "/opt/x.opt"}, ["r=14,d"]),
        ('TSM "/VAULT01/P/T00001 s=vts1 st=y o=/mine.opt"', {"optfile": "/site.opt"}, []),
        ('NBU "/VAULT01/P/T00001 s=vts1 o=/opt/x r=14,d"', {}, ["o=/opt/x", "r=14,d"]),
        ('LEG "/VAULT01/P/T00001 s=vts1 r=14,d"', {}, ["r=14,d"]),
        ("TSM 'archive /VAULT01/P/T00001'", {"type": "archive"}, []),
    ],
)
def test_what_a_bma_would_refuse_is_left_and_told(
    site: Site, line: str, options: dict[str, str], left: list[str]
) -> None:
    path = site.tape("T00001", proven=False)

    assert [("migrate", path)] == site.say(f"VTSPolicy {line}")
    (entry,) = site.book.entries()
    assert options == entry.job.options
    ((action, said),) = site.told
    assert ("migrate", len(left)) == (action, said.count("is not acted on: "))
    assert all(f"`{word}` is not acted on: `" in said for word in left)

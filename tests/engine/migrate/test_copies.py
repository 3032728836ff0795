"""Which copy counts and which one comes back, with the adapters of backup applications whose copies carry no mark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.migrate.around import Server, hands, job, tape
from tests.engine.migrate.test_actions import done, proof
from vtsconf.bma import ALL, migrator
from vtsconf.core.migrate.job import Status
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.hands import Hands
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Policy
from vtsconf.resources.written import VtsPolicyCommand
from vtsconf.transport.runs import RunSpec

SETTINGS: dict[str, Any] = {
    "networker": {"servers": ["nsr1"], "client": "vts1"},
    "tsm": {"servers": {"TSM1": {"tcpserveraddress": "a"}}},
}
ROW = " 412345 09/09/2025 10:01:52 AM    1    24948 LTO001 Default\n"
INDEXED = f"= asked\n{ROW}= index 09/09/2025 10:01:52 AM\n| /VAULT01/P/T00001\n| 1 objects found\n= end\n"
SAVED = "save: /VAULT01/P/T00001  10 B 00:00:01     1 file(s)\ncompleted savetime=1757404912\n"


def moved_by(name: str, folder: Path, at: Server, **more: str) -> Hands:
    """An executor whose jobs are done by this backup application."""
    settings = ALL[name].Settings.model_validate(SETTINGS[name] | more)
    found = hands(folder, {"vts1": at})
    place = replace(found.yard.place("vts1"), bmas={name: (migrator(name, settings), settings)})
    return replace(found, yard=replace(found.yard, places={"vts1": place}))


def test_the_copy_that_is_proven_comes_back_and_not_the_newest(tmp_path: Path) -> None:
    """NetWorker: a scheduled save of the empty stub would else be what comes back."""
    answers = {"sh": (0, INDEXED), "save": (0, SAVED)}
    restored = "Received 1 file(s) from NSR server `nsr1'\n"

    class Networker(Server):
        def _ends(self, spec: RunSpec) -> tuple[int | None, str]:
            return answers.get(spec.argv[0].rpartition("/")[2], (0, restored))

    one = job(bma="networker")
    at = Networker()
    at.jobs.tapes[one.cartridge] = tape(one)
    found = moved_by("networker", tmp_path, at)
    archived = done(one, found)
    at.jobs.tapes[one.cartridge] = tape(one, size=0, mtime=5)
    at.act = lambda _spec: at.jobs.tapes.update({one.cartridge: tape(one, size=10, mtime=6)})
    ended = done(job(bma="networker", action="restore", bytes=0, mtime=5), found)
    begun = at.jobs.begun[-1].argv

    assert (Status.DONE, Status.DONE) == (archived.status, ended.status), (archived.reason, ended.reason)
    assert "recover" == begun[0].rpartition("/")[2]
    assert ("-t", "09/09/2025 10:01:52 AM", one.cartridge) == begun[-3:]


@pytest.mark.parametrize(
    ("witness", "text", "status", "told"),
    [
        ("index", INDEXED, Status.DONE, "/VAULT01/P/T00001, stored as 24948 bytes"),
        ("index", INDEXED.replace("| /VAULT01/P/T00001\n| 1", "| 0"), Status.UNPROVEN, ""),
        ("index", ROW, Status.UNPROVEN, "its path not shown, stored as 24948 bytes"),
        ("save_set", ROW, Status.DONE, "its path not shown, stored as 24948 bytes"),
    ],
)
def test_a_catalogue_that_does_not_show_the_path_is_no_witness_by_itself(
    tmp_path: Path, witness: str, text: str, status: Status, told: str
) -> None:
    one = job(bma="networker")
    at = Server(answers={"-i": (0, SAVED), "{dir}/asking.sh": (0, text), "-s": (0, text)})
    at.jobs.tapes[one.cartridge] = tape(one)
    ended = done(one, moved_by("networker", tmp_path, at, witness=witness))

    assert status == ended.status, ended.reason
    assert told in ended.detail["witnesses"].get("catalogue", "")
    assert ended.status is Status.DONE or "which tape it holds" in ended.reason or not told


ARCHIVED = "Total number of objects archived:             1\n"


def test_a_copy_that_expires_says_so_and_the_record_keeps_it(tmp_path: Path) -> None:
    one = job(bma="tsm")
    row = f"     10  B  2026-04-01 02:17:31    {one.cartridge} 2033-04-01 {one.mark}  RetInit:STARTED  ObjHeld:NO\n"
    at = Server(answers={"archive": (0, ARCHIVED), "query": (0, row)})
    at.jobs.tapes[one.cartridge] = tape(one)
    found = moved_by("tsm", tmp_path, at)
    ended = done(one, found)
    ((kept, _),) = found.book.proofs("vts1")

    assert "the copy expires 2033-04-01" in ended.reason
    assert "expires 2033-04-01" in ended.detail["witnesses"]["catalogue"]
    assert ("2033-04-01", "2026-04-01 02:17:31") == (kept.expires, kept.when)


def erased(folder: Path, expires: str) -> tuple[Entry, Server]:
    """A tape whose copy expires then, erased by VTS where we let it."""
    one = job(action="erase", bma="")
    at = Server(answers={"submit": (0, "")})
    at.act = lambda _spec: at.jobs.tapes.update({one.cartridge: tape(one, size=0)})
    at.jobs.tapes[one.cartridge] = tape(one)
    found = hands(folder, {"vts1": at})
    vts = Vts(
        release="8.2", vtspolicy=VtsPolicyCommand(command=("tool", "submit")), tape_is_free=("free",),
        policies={"nightly": Policy(action="erase")}, allow_erase=("nightly",),
    )  # fmt: skip
    place = replace(found.yard.place("vts1"), vts=vts)
    found = replace(found, yard=replace(found.yard, places={"vts1": place}))
    found.book.prove(proof(job(), expires=expires))
    return done(one, found), at


# NOW is 2027-01-15 08:00 UTC; somewhere on earth a day begins 14 hours earlier than there.
@pytest.mark.parametrize("expires", ["2026-12-31", "2027-01-15", "2020-01-01 00:00:00"])
def test_a_tape_whose_copy_has_expired_is_not_erased(tmp_path: Path, expires: str) -> None:
    ended, at = erased(tmp_path, expires)

    assert Status.FAILED == ended.status
    assert f"the copy expires {expires}" in ended.reason
    assert [] == at.jobs.begun


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        ("", "erased"),
        ("2027-01-17", "erased; the copy expires 2027-01-17"),
        ("in May", "erased; the copy expires in May"),
    ],
)
def test_a_tape_whose_copy_is_kept_is_erased_and_it_is_said_until_when(
    tmp_path: Path, expires: str, told: str
) -> None:
    ended, _ = erased(tmp_path, expires)

    assert (Status.DONE, told) == (ended.status, ended.reason)


def test_a_copy_of_an_older_record_has_no_time_and_comes_back_as_before(tmp_path: Path) -> None:
    one = job(bma="networker", action="restore", bytes=0, mtime=5)
    at = Server(answers={"-s": (0, "Received 1 file(s) from NSR server `nsr1'\n")})
    at.jobs.tapes[one.cartridge] = tape(one)
    found = moved_by("networker", tmp_path, at)
    found.book.prove(proof(job(), bma="networker"), {"options": {}})
    at.act = lambda _spec: at.jobs.tapes.update({one.cartridge: tape(one, size=10, mtime=6)})

    assert Status.DONE == done(one, found).status
    assert "-t" not in at.jobs.begun[-1].argv

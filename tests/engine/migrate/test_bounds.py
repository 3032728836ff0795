"""The bounds of an executor: documents are read once, failures each time."""

from __future__ import annotations

from pathlib import Path

from tests.engine.migrate.around import NOW, job
from vtsconf.bma import ALL
from vtsconf.core.migrate.turns import Limits
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.bounds import Bounds, bounds_of
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Policy

TSM = ALL["tsm"].Settings.model_validate({"drives": 2, "servers": {"TSM1": {"tcpserveraddress": "tsm1"}}})


def vts(**limits: int) -> Vts:
    policy = Policy.model_validate({"action": "migrate", "bma": "tsm", "limits": limits})
    return Vts(policies={"nightly": policy}, bma={"tsm": TSM})


def bounds(book: Book, documents: dict[str, Vts]) -> Bounds:
    return bounds_of(documents, Limits(), book.troubles, 2)


def test_drives_hold_over_all_servers_and_executors(tmp_path: Path) -> None:
    book = Book(f"sqlite:///{tmp_path}/vtsconf.db")
    book.add("r1", [job(n, host=f"vts{n}", bma="tsm") for n in range(1, 9)], NOW)
    ours = bounds(book, {f"vts{n}": vts(per_drive=2) for n in range(1, 9)})

    assert 3 == len(book.take("one", ours.now(), 3, NOW))
    assert 1 == len(book.take("another", ours.now(), 9, NOW))


def test_what_fails_is_parked_at_the_next_look(tmp_path: Path) -> None:
    book = Book(f"sqlite:///{tmp_path}/vtsconf.db")
    ours = bounds(book, {"vts1": vts(per_host=3)})
    before = ours.now()
    for _ in range(2):
        book.trouble("bma", "tsm", "no server", NOW)
    book.trouble("policy", "nightly", "no server", NOW)

    assert (frozenset(), frozenset({("bma", "tsm")})) == (before.parked, ours.now().parked)
    assert before.policies == ours.now().policies == {("vts1", "nightly"): 3}


def test_closed_windows_say_when_they_open(tmp_path: Path) -> None:
    book = Book(f"sqlite:///{tmp_path}/vtsconf.db")
    window = {"from": "22:00", "to": "06:00", "timezone": "UTC"}
    policy = Policy.model_validate({"action": "migrate", "bma": "tsm", "window": window})
    ours = bounds(book, {"vts1": Vts(policies={"nightly": policy}, bma={"tsm": TSM}), "vts2": vts()})
    noon, night = 12 * 3600, 23 * 3600

    assert {("vts1", "nightly"): 22 * 3600} == ours.closed(noon)
    assert {} == ours.closed(night)

"""What every store promises: one suite, run over each. A subclass gives `url`, and `raw` to go past the journal."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from vtsconf.core.errors import Locked, VtsconfError
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal

HOSTILE = [
    "vts1",
    "' or 1=1; drop table events; --",
    "%s %(x)s ? $1 {} \\ \\x00",
    "a\nb\tc\r\x1b[2J",
    "ünïcödé 磁带 🖭",
    "x" * 70_000,
    " ",
]
CANNOT_BE_KEPT = ["half a \ud800 letter", "a\0b"]
MANY = [f"vts{number:05}" for number in range(10_000)]

# A controller: opens the store, waits for a word on stdin so that all begin at once, and says how it went.
CONTROLLER = """
import sys
from vtsconf.core.errors import Locked
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
url, name, *hosts = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
journal = Journal(url)
print(journal.fingerprints.fingerprint(b"same"))
for number in range(10):
    journal.add(Event(at=number, run=name, action="step", body={"number": number}))
try:
    journal.claim(name, hosts, "ops@" + name, 7)
except Locked as refused:
    print("locked")
else:
    print("got")
"""


class StoreContract:
    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def raw(self, url: str) -> Callable[[str], object]:
        """Runs a statement past the journal; it raises what the database raises."""
        raise NotImplementedError

    @pytest.fixture
    def journal(self, url: str) -> Iterator[Journal]:
        journal = Journal(url)
        yield journal
        journal.close()

    # ---- events

    def test_events_come_back_as_they_were_in_order(self, journal: Journal) -> None:
        events = [event(number, body={"n": number, "text": HOSTILE}) for number in range(5)]
        journal.add_all(events[:3])
        journal.add(events[3])
        journal.add_all([])
        journal.add_all(events[4:])

        assert events == list(journal.events("r"))
        assert events == list(journal.events())
        assert [] == list(journal.events("another"))

    def test_ids_go_up_and_after_one_come_those_that_are_later(self, journal: Journal) -> None:
        journal.add_all([event(number, run="even" if number % 2 == 0 else "odd") for number in range(2_500)])
        everything = list(journal.events())
        middle = everything[1_234]

        assert sorted({e.id for e in everything}) == [e.id for e in everything]
        assert everything[1_235:] == list(journal.events(after=middle.id))
        assert [e for e in everything[1_235:] if e.run == "odd"] == list(
            journal.events("odd", after=middle.id)
        )
        assert [] == list(journal.events(after=everything[-1].id))

    @pytest.mark.parametrize("text", HOSTILE)
    def test_a_hostile_word_is_only_a_word(self, journal: Journal, text: str) -> None:
        one = Event(at=1, run=text, host=text, action=text, body={text: text})
        journal.add(one)
        journal.keep_plan(text, text, text)
        journal.claim(text, [text], text, 1)

        assert [one] == list(journal.events(text))
        assert {text: text} == journal.plans(text, [text])
        assert text == journal.claims([text, "other"])[text].holder
        assert [text] == journal.run_names([text])

    @pytest.mark.parametrize("word", CANNOT_BE_KEPT)
    def test_what_cannot_be_kept_is_a_sentence_and_nothing_of_it_is_kept(
        self, journal: Journal, word: str
    ) -> None:
        journal.add(event(0))
        with pytest.raises(VtsconfError, match="not valid Unicode"):
            journal.add_all([event(1), event(2, host=word), event(3)])
        with pytest.raises(VtsconfError, match="not valid Unicode"):
            journal.keep_plans("r", {"a": "{}", word: "{}"})
        with pytest.raises(VtsconfError, match="not valid Unicode"):
            journal.claim("r", ["a", word], "ops", 1)

        assert [event(0)] == list(journal.events())
        assert ({}, {}) == (journal.plans("r"), journal.claims(["a"]))

    def test_what_fails_in_the_middle_leaves_nothing(
        self, journal: Journal, raw: Callable[[str], object]
    ) -> None:
        """The database itself says no to the second row."""
        journal.add(event(0))
        for table in ("events", "plans", "claims"):
            raw(f"create unique index one_only_{table} on {table} (run)")
        for write in (
            lambda: journal.add_all([event(1, run="x"), event(2, run="x")]),
            lambda: journal.keep_plans("x", {"a": "1", "b": "2"}),
            lambda: journal.claim("x", ["a", "b"], "ops", 1),
        ):
            with pytest.raises(VtsconfError, match="cannot be written: "):
                write()

        assert [event(0)] == list(journal.events())
        assert ({}, {}) == (journal.plans("x"), journal.claims(["a", "b"]))

    @pytest.mark.parametrize(
        "statement", ["delete from events", "delete from events where at = 1", "update events set at = 0"]
    )
    def test_an_event_can_neither_be_changed_nor_removed(
        self, journal: Journal, raw: Callable[[str], object], statement: str
    ) -> None:
        journal.add(event(1))
        with pytest.raises(Exception, match="append-only"):
            raw(statement)

        assert [event(1)] == list(journal.events())

    def test_who_follows_many_writers_misses_nothing(self, journal: Journal, url: str) -> None:
        """Long and short writes side by side: a short one must not be seen before a long one that began first."""
        writers = [threading.Thread(target=write_much, args=(url, f"w{number}")) for number in range(6)]
        followed: list[Event] = []
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            followed += journal.events(after=followed[-1].id if followed else 0)
        followed += journal.events(after=followed[-1].id)

        assert list(journal.events()) == followed
        assert 6 * (10 + 10 * 30) == len(followed)

    def test_one_journal_serves_many_threads(self, journal: Journal) -> None:
        def work(name: str) -> None:
            for number in range(20):
                journal.add(event(number, run=name))
                journal.keep_plan(name, str(number), "{}")
                assert number + 1 == len(list(journal.events(name)))

        threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert {f"t{n}": 20 for n in range(8)} == Counter(e.run for e in journal.events())
        assert [20] * 8 == [len(journal.plans(f"t{n}")) for n in range(8)]

    def test_a_long_run_is_not_held_in_memory(self, journal: Journal) -> None:
        text = "x" * 500
        for _ in range(4):
            journal.add_all([event(number, body={"reason": text}) for number in range(5_000)])
        tracemalloc.start()
        count = sum(1 for _ in journal.events("r"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert 20_000 == count
        assert peak < 3_000_000, "20,000 events of 500 bytes are ten million bytes"

    # ---- runs

    def test_runs_are_found_without_reading_all_events(self, journal: Journal) -> None:
        for number, name in enumerate(["r1", "r2", "r3"]):
            journal.add(
                event(number, run=name, action="run-started", body={"command": "apply", "hosts": ["a", name]})
            )
            journal.add(event(number, run=name, action="host-started", host=name))
        journal.add(event(5, run="strange", action="host-settled", host="a", body={"outcome": "changed"}))
        journal.add(event(6, run="r2", action="run-finished"))
        journal.add(event(7, run="r1", action="host-started", host="a"))

        assert ["r1", "r2", "r3", "strange"] == journal.run_names()
        assert ["r1", "strange"] == journal.run_names(["a", "x"])
        assert ["r1", "r3"] == journal.open_runs()
        assert ["r3", "r1"] == [run.run for run in journal.runs(["r3", "none", "r1"])]
        assert journal.runs() == list(reversed(list(journal.newest())))
        assert "r3" == next(journal.newest(["r3", "r1"])).run
        assert ([], []) == (journal.run_names([]), journal.runs([]))

    def test_nothing_is_there_at_first(self, journal: Journal) -> None:
        nothing = (journal.runs(), journal.run_names(), journal.open_runs(), journal.plans("r"))

        assert ([], [], [], {}) == nothing
        assert {} == journal.claims(["a"])

    # ---- plans

    def test_plans_are_kept_by_run_and_host(self, journal: Journal) -> None:
        journal.keep_plan("r1", "a", "old")
        journal.keep_plans("r1", {"ä": "3", "a": "new", "B": "1"})
        journal.keep_plans("r1", {})

        assert [("B", "1"), ("a", "new"), ("ä", "3")] == list(journal.plans("r1").items())
        assert {"a": "new"} == journal.plans("r1", ["a", "x"])
        assert ({}, {}) == (journal.plans("r1", []), journal.plans("r2"))

    def test_ten_thousand_hosts_are_no_matter(self, journal: Journal) -> None:
        documents = {name: f'{{"host": "{name}"}}' for name in MANY}
        journal.keep_plans("r", documents)
        journal.claim("r", MANY, "ops", 1)

        assert documents == journal.plans("r", MANY)
        assert MANY == list(journal.claims(MANY))

    # ---- claims

    def test_a_claim_is_for_all_of_the_hosts_or_none(self, journal: Journal, url: str) -> None:
        journal.claim("r1", ["c", "b", "a", "d", "e"], "ops@here", 1_700_000_000)
        with pytest.raises(Locked) as refused:
            Journal(url).claim("r2", ["f", "e", "d", "c", "b"], "you@there", 5)

        assert "b, c, d and 1 more: held by run r1 of ops@here since 2023-11-1" in str(refused.value)
        assert "vtsconf rollout status r1" in refused.value.remedy
        assert "vtsconf rollout abort r1" in refused.value.remedy
        assert {"a", "b", "c", "d", "e"} == set(journal.claims(list("abcdef")))

    def test_several_runs_in_the_way_are_counted(self, journal: Journal) -> None:
        journal.claim("new", ["a", "x"], "one", 9)
        journal.claim("old", ["b"], "two", 8)
        with pytest.raises(Locked, match=r"^b: held by run old of two since .*; 2 more by other runs$"):
            journal.claim("r", ["a", "b", "x"], "me", 10)

    def test_the_same_run_may_claim_again_and_more(self, journal: Journal) -> None:
        journal.claim("r1", ["a"], "first", 1)
        journal.claim("r1", ["a", "b", "b"], "second", 2)

        found = {host: (claim.run, claim.holder, claim.since) for host, claim in journal.claims("ab").items()}
        assert {"a": ("r1", "first", 1), "b": ("r1", "second", 2)} == found

    def test_a_claim_outlives_who_made_it_until_it_is_released(self, url: str) -> None:
        first, second = Journal(url), Journal(url)
        first.claim("r1", ["a", "b"], "ops", 1)
        first.claim("other", ["c"], "ops", 1)
        first.close()
        held = second.claims(["a", "b", "c"])
        second.release("r1")
        second.release("r1")

        assert {"a": "r1", "b": "r1", "c": "other"} == {host: claim.run for host, claim in held.items()}
        assert ["c"] == list(second.claims(["a", "b", "c"]))
        second.claim("r2", ["a", "b"], "ops", 2)
        second.close()

    def test_a_run_that_has_ended_holds_nothing(self, journal: Journal) -> None:
        """Its controller died between the two."""
        journal.claim("r1", ["a", "b"], "ops", 1)
        journal.claim("other", ["c"], "ops", 1)
        journal.add(Event(at=2, run="r1", action="run-finished"))

        assert ["c"] == list(journal.claims(["a", "b", "c"]))
        journal.claim("r2", ["a", "b"], "eve", 3)
        assert {"a": "r2", "b": "r2", "c": "other"} == {
            host: claim.run for host, claim in journal.claims(["a", "b", "c"]).items()
        }

    def test_a_hostile_holder_cannot_write_on_the_terminal(self, journal: Journal) -> None:
        journal.claim("r\x1b[2J", ["a\nb"], "ops\x1b[2J" + "x" * 1000, 1)
        with pytest.raises(Locked) as refused:
            journal.claim("r2", ["a\nb"], "me", 2)

        assert f"{refused.value}{refused.value.remedy}".isprintable()
        assert len(str(refused.value)) < 400

    # ---- many controllers

    def test_twenty_controllers_at_once(self, journal: Journal, url: str) -> None:
        """A new store: they all make it, want one key, write, and want servers that others want too."""
        wanted = {f"run{n:02}": [f"vts{(n + k) % 8}" for k in range(3)] for n in range(20)}
        said = at_once(url, wanted)
        winners = {name for name, lines in said.items() if lines[-1] == "got"}
        held = {host: claim.run for host, claim in journal.claims([f"vts{n}" for n in range(8)]).items()}

        assert 1 == len({lines[0] for lines in said.values()}), "one key"
        assert dict.fromkeys(wanted, 10) == Counter(e.run for e in journal.events())
        assert {"got", "locked"} == {lines[-1] for lines in said.values()}
        assert {host: name for name in winners for host in wanted[name]} == held
        assert 3 * len(winners) == len(held)

    def test_the_fingerprint_key_stays_the_same(self, journal: Journal, url: str) -> None:
        first, again = journal.fingerprints, Journal(url).fingerprints

        assert first == again
        assert first.fingerprint(b"x") != first.fingerprint(b"y")


def event(at: int, *, run: str = "r", action: str = "note", host: str = "", body: object = None) -> Event:
    return Event(at=at, run=run, action=action, host=host, body=body or {})  # type: ignore[arg-type]


def write_much(url: str, name: str) -> None:
    journal = Journal(url)
    for number in range(10):
        journal.add(event(number, run=name))
        journal.add_all([event(number, run=name, body={"part": part}) for part in range(30)])
    journal.close()


def at_once(url: str, wanted: dict[str, list[str]]) -> dict[str, list[str]]:
    """What each controller said, by its run."""
    running = {
        name: subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, url, name, *hosts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, hosts in wanted.items()
    }
    for process in running.values():
        assert process.stdout
        process.stdout.readline()  # it is ready
    for process in running.values():
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    told = {name: process.communicate(timeout=120) for name, process in running.items()}
    assert dict.fromkeys(wanted, "") == {name: error for name, (_, error) in told.items()}, json.dumps(told)
    return {name: out.split() for name, (out, _) in told.items()}

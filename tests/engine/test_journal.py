"""The journal as its readers see it: every cut of it still makes sense. What a store promises is in `store/`."""

from __future__ import annotations

import pytest

from vtsconf.core.errors import Usage
from vtsconf.core.runs import Event, RunSeen, find, fold
from vtsconf.engine.journal import Journal

RUN = [
    Event(
        at=1, run="r1", action="run-started", body={"command": "apply", "by": "ops", "hosts": ["a", "b", "c"]}
    ),
    Event(at=2, run="r1", action="host-started", host="a"),
    Event(at=3, run="r1", action="host-started", host="b"),
    Event(at=4, run="r1", action="host-finished", host="a", body={"outcome": "changed"}),
    Event(at=5, run="r1", action="run-finished", body={}),
]


@pytest.mark.parametrize("cut", range(1, len(RUN) + 1))
def test_cut_anywhere_a_run_says_what_is_known(cut: int) -> None:
    (run,) = fold(RUN[:cut])

    outcomes = {name: entry.get("outcome") for name, entry in run.hosts.items()}
    expected = {
        "a": {1: "", 2: "in doubt", 3: "in doubt"}.get(cut, "changed"),
        "b": "" if cut < 3 else "in doubt",
        "c": "",
    }
    assert expected == outcomes
    assert (cut < len(RUN)) == run.is_open


@pytest.mark.parametrize("url", ["mysql://u:Pw123@x", "sqlite://x", ""])
def test_other_stores_are_refused_with_what_to_do(url: str) -> None:
    with pytest.raises(Usage) as caught:
        Journal(url)

    assert "sqlite:///" in caught.value.remedy
    assert "Pw123" not in f"{caught.value}{caught.value.remedy}"


def settled(outcome: str) -> Event:
    return Event(at=9, run="r1", action="host-settled", host="a", body={"outcome": outcome, "changes": 0})


@pytest.mark.parametrize(
    ("body", "unsettled"),
    [
        ({"outcome": "waiting"}, True),
        ({"outcome": "unreachable", "reason": "in doubt: armed change: lost"}, True),
        ({"outcome": "unreachable", "reason": "connection refused"}, False),
        ({"outcome": "changed"}, False),
    ],
)
def test_what_the_server_may_still_decide_is_unsettled(body: dict[str, str], unsettled: bool) -> None:
    (run,) = fold([*RUN[:2], Event(at=4, run="r1", action="host-finished", host="a", body=body)])
    (cut,) = fold(RUN[:2])
    (over,) = fold([*RUN, settled("reverted")])

    assert unsettled == run.is_unsettled("a")
    assert (True, False) == (cut.is_unsettled("a"), cut.is_unsettled("c"))
    assert (False, "reverted") == (over.is_unsettled("a"), over.hosts["a"]["outcome"])


def test_a_late_end_keeps_what_was_noted_before() -> None:
    ended = Event(
        at=4, run="r1", action="host-finished", host="a", body={"outcome": "waiting", "seconds": 2.5}
    )
    (run,) = fold([*RUN[:2], ended, settled("changed")])

    assert {"outcome": "changed", "seconds": 2.5} == {k: run.hosts["a"][k] for k in ("outcome", "seconds")}


def test_a_run_of_another_controller_is_not_called_unfinished() -> None:
    (run,) = fold([settled("changed")])

    assert (True, False) == (run.is_strange, run.is_open)


def test_a_run_is_found_by_its_first_letters() -> None:
    runs = [RunSeen(run=name) for name in ("2026-a", "2026-ab", "2027")]

    assert ["2027", "2026-a", "2026-ab"] == [find(runs, word).run for word in ("2027", "2026-a", "2026-ab")]
    for wrong, said in (("2026", "2 runs"), ("x", "no runs")):
        with pytest.raises(Usage, match=said):
            find(runs, wrong)

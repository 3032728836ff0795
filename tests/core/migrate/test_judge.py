"""Laws of judging: one answer for each policy, one job at most for each tape, whatever the order; and linear."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.migrate.asked import DAY, NOW, judged, migrate, policy, proof, tape, whys
from vtsconf.core.migrate.candidate import Candidate, packed, unpacked
from vtsconf.core.migrate.decide import can_be, can_be_spoken, decide
from vtsconf.core.migrate.grid import Grid, elsewhere
from vtsconf.core.migrate.judge import Judge
from vtsconf.core.migrate.policy import Policy, Select, in_order
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.why import Why

SIZES = st.sampled_from([0, 1, 999, 1000, 1001, 5000, 5001, 2**40])
AGES = st.sampled_from([-DAY, -1, 0, 1, DAY - 1, DAY, DAY + 1, 30 * DAY, 30 * DAY + 1])
NAMES = st.sampled_from(["A1", "A2", "B1", "B2", "-x", "b\nc", "\udcff", "it's"])
PLACES = st.sampled_from(["/VAULT01/P1", "/VAULT01/P1", "/VAULT01/P2", "/VAULT02/P1", "/VAULT01"])
FIELDS = {
    "vaults": st.sampled_from([("VAULT01",), ("VAULT0[12]",)]),
    "pools": st.sampled_from([("P*",), ("P1", "Q")]),
    "cartridges": st.sampled_from([("A*",), ("*1", "-*")]),
    "min_age": st.sampled_from([0, 1, DAY]),
    "max_age": st.sampled_from([DAY, 30 * DAY]),
    "min_size": st.sampled_from([0, 1000]),
    "max_size": st.sampled_from([1000, 5000]),
    "state": st.sampled_from(["present", "erased"]),
    "migrated": st.sampled_from(["never", "changed", "yes", "any", "any"]),
}


@st.composite
def selects(draw: st.DrawFn) -> Select:
    """One or two conditions: with more of them hardly a tape would ever be taken."""
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True, max_size=2))
    return Select(**{name: draw(FIELDS[name]) for name in names})


POLICIES = st.tuples(
    st.sampled_from(["migrate", "migrate", "restore", "erase"]), selects(), st.integers(0, 3), st.booleans()
)


@st.composite
def servers(draw: st.DrawFn) -> tuple[list[Policy], list[Tape], dict, dict]:
    policies = [
        policy(f"p{n}", action, select, priority=priority, is_allowed=allowed)
        for n, (action, select, priority, allowed) in enumerate(draw(st.lists(POLICIES, max_size=5)))
    ]
    places = draw(st.lists(st.tuples(PLACES, NAMES), unique=True, min_size=4, max_size=20))
    tapes = [
        tape(f"{place}/{name}", age=draw(AGES), size=draw(SIZES), inode=number)
        for number, (place, name) in enumerate(places)
    ]
    kinds = ("none", "same", "smaller", "one witness", "of 5000 bytes")
    proofs = {}
    for one in tapes:
        match draw(st.sampled_from(kinds)):
            case "same":
                proofs[one.path] = proof(one)
            case "smaller":
                proofs[one.path] = proof(one, size=1)
            case "one witness":
                proofs[one.path] = proof(one, witnesses=("bma",))
            case "of 5000 bytes":
                proofs[one.path] = proof(one, size=5000)
    words = st.sampled_from([*[""] * 9, "locked", "mounted", "unknown"])
    uses = {one.path: use for one in tapes if (use := draw(words))}
    return policies, tapes, proofs, uses


def plainly(policies, one, proofs, uses):
    """Each policy asked by itself: what the grid must agree with."""
    fault = Why.UNSPEAKABLE if not can_be_spoken(one.path) else None if can_be(one) else Why.STRANGE
    found, taken = {}, False
    for each in in_order(policies):
        why = elsewhere(each, one)
        if one.path.count("/") < 3:
            why = why or Why.NO_TAPE
        if why is None:
            use = uses.get(one.path, "")
            why = fault or decide(each, one, proof=proofs.get(one.path), now=NOW, use=use)
        if why is Why.TAKEN and taken:
            why = Why.SHADOWED
        taken = taken or why is Why.TAKEN
        found[each.name] = why
    return found


@given(servers())
def test_the_grid_answers_as_each_policy_would_by_itself(server) -> None:
    policies, tapes, proofs, uses = server
    judge = judged(policies, tapes, proofs, uses=uses)

    assert [plainly(policies, one, proofs, uses) for one in tapes if one.path.count("/") == 3] == [
        whys(judge, one) for one in tapes if one.path.count("/") == 3
    ]


@given(servers())
def test_each_tape_has_one_verdict_of_each_policy_and_one_job_at_most(server) -> None:
    policies, tapes, proofs, uses = server
    judge = judged(policies, tapes, proofs, uses=uses)
    taken = [unpacked(line) for line in judge.taken]

    assert [len(tapes)] * len(policies) == [sum(tally.counts) for tally in judge.tallies]
    assert len({candidate.path for candidate in taken}) == len(taken)
    for one in tapes:
        answers = list(whys(judge, one).values())
        jobs = [candidate for candidate in taken if candidate.path == one.path]
        assert (len(policies), len(jobs)) == (len(answers), answers.count(Why.TAKEN))


@given(servers())
def test_what_must_never_be_is_never_taken(server) -> None:
    policies, tapes, proofs, uses = server
    judge = judged(policies, tapes, proofs, uses=uses)
    by_path = {one.path: one for one in tapes}

    for candidate in map(unpacked, judge.taken):
        each, one = judge.policies[candidate.policy], by_path[candidate.path]
        known = proofs.get(one.path)
        assert one.mtime <= (NOW + 1) * 10**9
        assert one.path not in uses
        assert (one.size == 0) is (each.action == "restore")
        if each.action == "erase":
            assert each.is_allowed
            assert known is not None
            assert known.is_of(one)
            assert known.is_complete


@given(servers(), st.randoms(use_true_random=False))
def test_the_order_of_tapes_and_of_policies_does_not_matter(server, chance: random.Random) -> None:
    policies, tapes, proofs, uses = server
    first = judged(policies, tapes, proofs, uses=uses)
    others, tapes_ = chance.sample(policies, len(policies)), chance.sample(tapes, len(tapes))
    second = judged(others, tapes_, proofs, uses=uses)

    assert sorted(first.taken) == sorted(second.taken)
    assert first.tallies == second.tallies
    assert (first.unwanted, first.wanted_twice, first.unknown) == (
        second.unwanted,
        second.wanted_twice,
        second.unknown,
    )
    assert (first.ages, first.sizes) == (second.ages, second.sizes)


def test_the_first_by_priority_gets_it_and_the_other_is_told_by_whom() -> None:
    judge = judged([migrate("b", priority=1), migrate("a", priority=2), migrate("c", priority=1)], [tape()])

    assert ["b", "c", "a"] == [each.name for each in judge.policies]
    assert {"b": Why.TAKEN, "c": Why.SHADOWED, "a": Why.SHADOWED} == whys(judge, tape())
    assert [{}, {"b": 1}, {"b": 1}] == [tally.shadowed_by for tally in judge.tallies]
    assert [(1, 1), (1, 0), (1, 0)] == [(tally.matched, tally.taken) for tally in judge.tallies]
    assert (1, [tape().path]) == (judge.wanted_twice.count, judge.wanted_twice.examples)


def test_a_restore_goes_before_whatever_has_a_better_priority() -> None:
    policies = [migrate("a", priority=0), policy("z", "restore", priority=900)]

    assert ["z", "a"] == [each.name for each in in_order(policies)]
    assert 0 == policies[1].urgency


def test_a_tape_that_nobody_wants_is_found_unless_it_is_cared_for() -> None:
    tapes = [
        tape("/VAULT01/P/FORGOTTEN"),
        tape("/VAULT01/P/YOUNG", age=5),
        tape("/VAULT01/PROD/PROVEN"),
        tape("/VAULT01/P/ERASED", size=0),
        tape("/VAULT01/P/NEW\nLINE"),
    ]
    policies = [
        migrate("prod", select=Select(pools=("PROD",))),
        migrate("young", select=Select(cartridges=("YOUNG",), min_age=DAY)),
    ]
    judge = judged(policies, tapes, {tapes[2].path: proof(tapes[2])})

    assert ["/VAULT01/P/FORGOTTEN", "/VAULT01/P/NEW\nLINE"] == judge.unwanted.examples


def test_a_link_of_hostile_names_is_decided_one_by_one() -> None:
    names = ["-rf", "$(reboot)", "a b", "'", '"', "x" * 255, "*", "..", "é\u0301"]
    tapes = [tape(f"/VAULT01/PROD1/{name}", inode=n) for n, name in enumerate(names)]

    assert len(names) == len(judged([migrate()], tapes).taken)


class Counted:
    """A store that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, path: str):
        self.asked += 1
        return proof(tape(path)) if self.asked % 2 else None


def work_of(count: int) -> tuple[int, int]:
    """How many answers were made, and how often the store was asked, for so many tapes and fifty policies."""
    store = Counted()
    policies = [
        migrate(f"p{n:02}", select=Select(min_age=n * DAY, min_size=n * 100, migrated="changed"))
        for n in range(50)
    ]
    judge = Judge(policies, NOW, proofs=store)
    chance = random.Random(1)
    for number in range(count):
        judge.see(tape(f"/VAULT01/P/T{number}", age=chance.randrange(60 * DAY), size=chance.randrange(6000)))
    grid: Grid = judge._grid
    return sum(1 for _ in grid.cells()), store.asked


def test_more_tapes_ask_the_policies_no_more_often() -> None:
    few, asked_few = work_of(6000)
    many, asked_many = work_of(12_000)

    assert asked_few <= 6000
    assert asked_many <= 12_000
    assert many < 51 * 51 * 3  # bounds of sizes × of times × kinds of records: whatever the number of tapes
    assert many < 1.6 * few


words = st.text(alphabet="abc-0123456789", max_size=20)
numbers = st.integers(0, 2**63 - 1)


@given(
    st.builds(
        Candidate, opens=numbers, place=st.integers(0, 1001), mtime=st.integers(-(2**63) + 1, 2**63 - 1),
        host=st.integers(0, 65_535), policy=st.integers(0, 65_535), size=numbers, inode=st.integers(0, 2**64 - 1),
        path=st.binary(min_size=1, max_size=300).filter(lambda b: b"\0" not in b).map(
            lambda b: b.decode("utf-8", "surrogateescape")
        ),
        moves=numbers, word=words,
    )
)  # fmt: skip
def test_a_candidate_comes_back_as_it_was(candidate: Candidate) -> None:
    assert candidate == unpacked(packed(candidate))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(-5, 5)), max_size=10))
def test_candidates_sort_as_jobs_go(rows) -> None:
    """By when they may begin, then priority, then the oldest."""
    made = [
        Candidate(opens=o, place=p, mtime=m, host=0, policy=0, path=f"/{n}", size=0, inode=n, moves=0)
        for n, (o, p, m) in enumerate(rows)
    ]
    found = [unpacked(line) for line in sorted(map(packed, made))]

    assert sorted(rows) == [(one.opens, one.place, one.mtime) for one in found]

"""Whose turn it is: no limit is ever exceeded, and whoever has room goes in the order of priority."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.migrate.turns import Limits, Load, Waiting, choose

HOSTS, BMAS, POLICIES = ("vts1", "vts2", "vts3"), ("", "tsm", "bacula"), ("", "nightly", "weekly")
PATHS = ("/VAULT01/P/T1", "/VAULT01/P/T2", "/VAULT01/P/T3")
numbers = st.integers(0, 6)


@st.composite
def queues(draw: st.DrawFn) -> list[Waiting]:
    made = draw(
        st.lists(
            st.builds(
                Waiting, id=st.just(""), host=st.sampled_from(HOSTS), path=st.sampled_from(PATHS), bma=st.sampled_from(BMAS),
                policy=st.sampled_from(POLICIES), bytes=st.just(1), priority=st.integers(0, 3), seq=st.just(0),
                action=st.sampled_from(("migrate", "restore")), goes_on=st.booleans(),
            ),
            max_size=30,
        )
    )  # fmt: skip
    numbered = [replace(job, id=str(n), seq=n) for n, job in enumerate(made)]
    return sorted(numbered, key=lambda job: (job.priority, job.seq))


limits_ = st.builds(
    Limits, total=numbers, per_host=numbers, per_bma=numbers,
    hosts=st.dictionaries(st.sampled_from(HOSTS), numbers), bmas=st.dictionaries(st.sampled_from(BMAS[1:]), numbers),
    policies=st.dictionaries(st.tuples(st.sampled_from(HOSTS), st.sampled_from(POLICIES[1:])), numbers),
    parked=st.frozensets(st.sampled_from([("bma", "tsm"), ("policy", "nightly"), ("bma", "bacula"), ("host", "vts2")])),
)  # fmt: skip
running = st.lists(
    st.tuples(st.sampled_from(HOSTS), st.sampled_from(BMAS), st.sampled_from(POLICIES)), max_size=5
)


def load_of(jobs: list[tuple[str, str, str]]) -> Load:
    load = Load()
    for job in jobs:
        host, bma, policy = job
        load.add("", host, f"/VAULT01/running/{len(load.tapes)}", bma, policy)
    return load


@given(queues(), running, limits_, numbers)
def test_no_limit_is_exceeded(
    waiting: list[Waiting], now: list[tuple[str, str, str]], limits: Limits, most: int
) -> None:
    chosen = choose(waiting, load_of(now), limits, most)
    new = {(job.host, job.bma, job.policy) for job in chosen}
    held = {(job.bma, job.policy) for job in chosen if job.action == "migrate" and not job.goes_on}
    all_ = now + [(job.host, job.bma, job.policy) for job in chosen]

    assert len(chosen) <= most
    if chosen:
        assert len(all_) <= limits.total
    for host, bma, policy in new:  # what ran before may be more than is allowed by now
        assert Counter(h for h, _, _ in all_)[host] <= limits.of_host(host)
        assert not bma or Counter(b for _, b, _ in all_)[bma] <= limits.of_bma(bma)
        if (host, policy) in limits.policies:
            assert Counter((h, p) for h, _, p in all_)[host, policy] <= limits.policies[host, policy]
        assert ("host", host) not in limits.parked
    for bma, policy in held:  # a host that waits for its tape, and what may be at work, are not held back
        assert ("bma", bma) not in limits.parked
        assert ("policy", policy) not in limits.parked
    assert len(chosen) == len({(job.host, job.path) for job in chosen})


@given(queues(), running, limits_, numbers)
def test_nobody_with_room_is_passed_over(
    waiting: list[Waiting], now: list[tuple[str, str, str]], limits: Limits, most: int
) -> None:
    chosen = choose(waiting, load_of(now), limits, most)
    load, expected = load_of(now), []
    for job in waiting:  # one after another, as if each came alone
        if len(expected) < most and load.has_room(job, limits):
            load.add(job.id, job.host, job.path, job.bma, job.policy)
            expected.append(job)

    assert expected == chosen


@given(queues(), running, limits_)
def test_full_hosts_and_bmas_are_those_that_nothing_could_be_taken_of(
    waiting: list[Waiting], now: list[tuple[str, str, str]], limits: Limits
) -> None:
    load = load_of(now)
    hosts, bmas, policies = load.full(limits)
    full = [
        job
        for job in waiting
        if job.host in hosts or job.bma in bmas or f"{job.host}/{job.policy}" in policies
    ]

    assert not [job for job in full if load.has_room(job, limits)]


def test_a_policy_has_the_limit_of_its_own_host() -> None:
    waiting = [
        Waiting(
            id=f"{host} {n}",
            host=host,
            path=f"/VAULT01/P/{n}",
            bma="tsm",
            policy="nightly",
            bytes=1,
            priority=1,
            seq=n,
        )
        for n in range(3)
        for host in ("vts1", "vts2")
    ]
    limits = Limits(policies={("vts1", "nightly"): 1, ("vts2", "nightly"): 2})

    assert ["vts1 0", "vts2 0", "vts2 1"] == [job.id for job in choose(waiting, Load(), limits, 9)]

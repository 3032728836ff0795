"""Waves: each server once, sizes as asked, groups kept apart; in a time that grows with the fleet and not faster."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vtsconf.core.rollout import waves as module
from vtsconf.core.rollout.strategy import Share, Strategy
from vtsconf.core.rollout.waves import waves


def strategy(*sizes, canary=""):
    return Strategy(waves=tuple(Share.parse(str(size)) for size in sizes), canary=canary)


def fleet(number):
    return [f"vts{index}" for index in range(1, number + 1)]


@pytest.mark.parametrize(
    ("sizes", "total", "expected"),
    [
        ((1,), 3, [1, 1, 1]),
        ((2,), 5, [2, 2, 1]),
        ((1, "10%", "100%"), 30, [1, 3, 26]),
        ((1, "5%", "25%"), 100, [1, 5, 25, 25, 25, 19]),
        (("100%",), 4, [4]),
        ((50,), 4, [4]),
        ((1,), 0, []),
    ],
)
def test_sizes_are_as_asked_and_the_last_repeats(sizes, total, expected):
    assert expected == [len(wave) for wave in waves(fleet(total), strategy(*sizes), {})]


def test_the_first_with_work_are_the_canary():
    made = waves(fleet(6), strategy("50%", canary="2"), {}, fleet(6))

    assert (("vts1", "vts2"), ("vts3", "vts4", "vts5"), ("vts6",)) == made


def test_named_servers_are_the_canary_and_the_sizes_begin_after_them():
    made = waves(fleet(6), strategy(1, "100%", canary="vts6,vts3"), {}, ["vts6", "vts3"])

    assert (("vts3", "vts6"), ("vts1",), ("vts2", "vts4", "vts5")) == made


def test_a_pair_is_never_in_one_wave():
    pairs = {"pair_a": ["vts1", "vts2"], "pair_b": ["vts3", "vts4"]}

    assert (("vts1", "vts3", "vts5"), ("vts2", "vts4")) == waves(fleet(5), strategy("100%"), pairs)


def test_a_pair_as_the_canary_is_one_canary_and_the_other_comes_later():
    made = waves(fleet(4), strategy("100%", canary="pair"), {"pair": ["vts1", "vts2"]}, ["vts1", "vts2"])

    assert (("vts1",), ("vts2", "vts3", "vts4")) == made


def test_a_canary_by_number_passes_over_whoever_is_kept_apart_from_it():
    made = waves(fleet(4), strategy("100%", canary="2"), {"pair": ["vts1", "vts2"]}, fleet(4))

    assert (("vts1", "vts3"), ("vts2", "vts4")) == made


def test_a_place_that_a_group_left_free_is_filled():
    cluster = {"gfs": ["vts1", "vts2", "vts3"]}

    assert (("vts1", "vts4"), ("vts2", "vts5"), ("vts3",)) == waves(fleet(5), strategy(2), cluster)


def test_members_without_work_do_not_matter():
    assert (("vts1", "vts2"),) == waves(fleet(2), strategy("100%"), {"pair": ["vts1", "vts9"]})


hosts = st.integers(0, 40).map(fleet)
sizes = st.lists(
    st.integers(1, 50).map(str) | st.integers(1, 100).map(lambda n: f"{n}%"), min_size=1, max_size=4
)
groups = st.dictionaries(
    st.sampled_from("abcdef"), st.sets(st.integers(1, 45).map(lambda n: f"vts{n}"), max_size=20), max_size=6
)
canaries = st.sets(st.integers(1, 45).map(lambda n: f"vts{n}"), max_size=6) | st.integers(1, 6)


@given(hosts, sizes, groups, canaries)
@example(fleet(3), ["1"], {"a": {"vts1", "vts2"}, "b": {"vts2", "vts3"}, "c": {"vts1", "vts3"}}, {"vts2"})
def test_the_laws_of_waves(hosts, sizes, groups, canary):
    is_number = isinstance(canary, int)
    asked = strategy(*sizes, canary=str(canary) if is_number else "some")
    first = [host for host in hosts if is_number or host in canary]
    made = waves(hosts, asked, groups, hosts if is_number else sorted(canary))
    total = len(hosts)
    limits = [share.of(total) for share in asked.waves]
    limits = [min(canary, total) if is_number else len(first), *limits] if first else limits

    assert sorted(hosts) == sorted(host for wave in made for host in wave), "each host once"
    assert all(made), "no wave is empty"
    assert all(list(wave) == [host for host in hosts if host in set(wave)] for wave in made), "in order"
    assert all(len(wave) <= limits[min(at, len(limits) - 1)] for at, wave in enumerate(made)), "sizes"
    assert not first or set(made[0]) <= set(first), "nobody else is in the canary's wave"
    assert all(len(set(wave) & set(members)) <= 1 for wave in made for members in groups.values()), "apart"
    assert made == waves(hosts, asked, dict(reversed(groups.items())), hosts if is_number else canary)


@given(hosts, sizes, groups)
def test_nobody_waits_without_a_reason(hosts, sizes, groups):
    """Each earlier wave was full, or had a member of the same group."""
    asked = strategy(*sizes)
    limits = [share.of(len(hosts)) for share in asked.waves]
    made = waves(hosts, asked, groups)
    kept = {host: set().union(*(m for m in groups.values() if host in m)) for host in hosts}

    assert [] == [
        (host, earlier)
        for at, wave in enumerate(made)
        for host in wave
        for earlier in range(at)
        if len(made[earlier]) < limits[min(earlier, len(limits) - 1)] and not kept[host] & set(made[earlier])
    ]


def steps(total, sizes, groups):
    """How many lines of the module are run for so many hosts: a clock would say something else each time."""
    names = fleet(total)
    apart = groups(names)
    count = 0

    def line(frame, event, _argument):
        nonlocal count
        count += event == "line"
        return line

    def call(frame, _event, _argument):
        return line if frame.f_code.co_filename == module.__file__ else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        made = waves(names, strategy(*sizes, canary="1"), apart, names)
    finally:
        sys.settrace(before)
    assert total == sum(map(len, made))
    return count


def pairs(names):
    return {f"pair_{at}": names[at : at + 2] for at in range(0, len(names), 2)}


def crossed_sites(names):
    """Two sites, and pairs across them whose members stand at opposite ends."""
    half = len(names) // 2
    mates = zip(names[:half], reversed(names[half:]), strict=True)
    return {"one": names[:half], "two": names[half:]} | {f"pair_{n}": mate for n, mate in enumerate(mates)}


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        pytest.param([1], lambda _: {}, id="serial 1"),
        pytest.param([1], lambda names: {"all": names}, id="serial 1, all apart"),
        pytest.param(["100%"], lambda names: {"all": names}, id="all apart"),
        pytest.param([100], pairs, id="pairs"),
        pytest.param(["100%"], lambda names: {"all": names} | pairs(names), id="pairs, and all apart"),
        pytest.param([10], crossed_sites, id="crossed sites"),
        pytest.param(["1", "100%"], crossed_sites, id="crossed sites at once"),
    ],
)
def test_the_work_grows_with_the_fleet_and_not_faster(sizes, groups):
    assert steps(1600, sizes, groups) < 4.6 * steps(400, sizes, groups)

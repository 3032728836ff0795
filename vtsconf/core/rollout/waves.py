"""Which servers change together: pure, and the same on every machine that asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from vtsconf.core.rollout.strategy import Strategy


def waves(
    hosts: Sequence[str],
    strategy: Strategy,
    groups: Mapping[str, Collection[str]],
    canary: Collection[str] = (),
) -> tuple[tuple[str, ...], ...]:
    """Each of `hosts` in exactly one wave, in their order within a wave; no wave is larger than was asked for.

    `groups`: those that are kept apart, with their members; of each at most one stands in a wave. `canary`: those
    that may go first; when `strategy.canary` is a number, so many of them. One of them that has to be apart from
    another in the first wave comes later, like the rest. Percents are of all `hosts`.
    """
    early = frozenset(canary)
    first = [host for host in hosts if host in early]
    size = min(strategy.canary_number or len(first), len(first))
    sizes = [share.of(len(hosts)) for share in strategy.waves]
    schedule = _Schedule([size, *sizes] if first else sizes, groups)
    opening = {host for host in first if schedule.opens_with(host)}
    for host in hosts:
        if host not in opening:
            schedule.add(host, 1 if first else 0)
    return tuple(tuple(wave) for wave in schedule.waves)


class _Free:
    """Which waves are still free. The next one is found without a scan: a disjoint-set forest, paths compressed."""

    def __init__(self) -> None:
        self._later: dict[int, int] = {}

    def first(self, wave: int) -> int:
        """The first that is free, from `wave` on."""
        passed = []
        while wave in self._later:
            passed.append(wave)
            wave = self._later[wave]
        self._later.update(dict.fromkeys(passed, wave))
        return wave

    def take(self, wave: int) -> None:
        self._later[wave] = wave + 1


class _Schedule:
    """Waves that are being filled: each host comes into the first that has room and nobody it is kept apart from."""

    def __init__(self, sizes: Sequence[int], groups: Mapping[str, Collection[str]]) -> None:
        self.waves: list[list[str]] = []
        self._sizes = sizes
        self._room = _Free()  # waves that are not full
        self._apart: dict[str, list[_Free]] = {}  # of each host: waves without a member of one of its groups
        for members in groups.values():
            free = _Free()
            for host in members:
                self._apart.setdefault(host, []).append(free)

    def opens_with(self, host: str) -> bool:
        """Take the host into the first wave, if it may be there."""
        if fits := self._first(host, 0) == 0:
            self.add(host, 0)
        return fits

    def add(self, host: str, earliest: int) -> None:
        """Into the first wave from `earliest` on that may have it; waves have no gaps between them."""
        at = self._first(host, earliest)
        if at == len(self.waves):
            self.waves.append([])
        self.waves[at].append(host)
        if len(self.waves[at]) == self._sizes[min(at, len(self._sizes) - 1)]:
            self._room.take(at)
        for free in self._apart.get(host, ()):
            free.take(at)

    def _first(self, host: str, wave: int) -> int:
        """The first wave from `wave` on that all agree on."""
        all_free = (self._room, *self._apart.get(host, ()))
        while (later := max(free.first(wave) for free in all_free)) > wave:
            wave = later
        return wave

"""What bounds an executor: the limits and windows of its documents, made once, and what is parked, asked each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from vtsconf.core.migrate.left import Parked
from vtsconf.core.migrate.limits import limits_of, windows_of
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.window import Window
from vtsconf.engine.migrate.policies import drives_of, policies_of
from vtsconf.resources.desired import Vts

# Kind, name, failures in a row, since when, the last reason (engine/migrate/book.Book.troubles).
Troubles = Iterable[tuple[str, str, int, int, str]]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """`limits` and `windows` (by host and policy) of the documents; who has failed `failures` times in a row is parked."""

    limits: Limits
    windows: Mapping[tuple[str, str], Window] = field(default_factory=dict)
    troubles: Callable[[], Troubles]
    failures: int

    def now(self) -> Limits:
        """The limits as they are at this moment."""
        return replace(self.limits, parked=self.parked)

    @property
    def parked(self) -> frozenset[tuple[str, str]]:
        """BMAs and policies that have failed too often in a row."""
        return frozenset((one.kind, one.name) for one in parked_of(self.troubles(), self.failures))

    def closed(self, now: int) -> dict[tuple[str, str], int]:
        """By host and policy, when each window opens that is closed now."""
        opens = {window: window.opens(now) for window in set(self.windows.values())}
        return {key: opens[window] for key, window in self.windows.items() if opens[window] > now}


def parked_of(troubles: Troubles, failures: int) -> list[Parked]:
    """Those who have failed too often in a row."""
    return [
        Parked(kind=kind, name=name, failures=count, since=since, reason=reason)
        for kind, name, count, since, reason in troubles
        if kind != "host" and count >= failures
    ]


def bounds_of(
    servers: Mapping[str, Vts], settings: Limits, troubles: Callable[[], Troubles], failures: int
) -> Bounds:
    """Of the documents of all servers, by host; `settings` hold where they say nothing else."""
    theirs = [(host, policy) for host, vts in servers.items() for policy in policies_of(vts)]
    drives = [pair for vts in servers.values() for pair in drives_of(vts).items()]
    return Bounds(
        limits=limits_of(theirs, drives, settings),
        windows=windows_of(theirs),
        troubles=troubles,
        failures=failures,
    )

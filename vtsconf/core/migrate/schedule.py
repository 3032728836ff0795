"""When the work of a policy would end: an estimate from bytes, a rate that somebody assumes, and its window."""

from __future__ import annotations

from dataclasses import dataclass

from vtsconf.core.window import Window

_MOST = 366  # openings of a window that are looked at
_LATEST = 10**6 * 86_400  # seconds: what takes longer has no end that is worth a date


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a policy wants moved on all servers, and how many of its jobs may run at once.

    `at_servers`: what the limits of the servers allow together. `has_drives`: how many its BMA may use at once, where
    that is known.
    """

    jobs: int
    bytes: int
    at_servers: int
    per_bma: int | None = None
    per_drive: int | None = None
    has_drives: int | None = None
    window: Window | None = None

    @property
    def lanes(self) -> int:
        """Jobs at once."""
        by_drives = self.has_drives and self.has_drives * (self.per_drive or 1)
        return max(0, min(self.jobs, self.at_servers, *(most for most in (self.per_bma, by_drives) if most)))

    @property
    def drives(self) -> int:
        """Tape drives that are needed; where `per_drive` is not set, one job has a drive for itself."""
        return -(-self.lanes // (self.per_drive or 1))


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One opening of a window (seconds since 1970), and the bytes that fit in. `closes` None: it is always open."""

    opens: int
    closes: int | None
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """`ends` in seconds since 1970; None where no year of openings is enough."""

    openings: tuple[Opening, ...]
    ends: int | None


def estimate(demand: Demand, rate: int, now: int) -> Estimate:
    """Walk from opening to opening. `rate`: bytes a second of one drive, an assumption of whoever asks.

    As if the policy had its drives for itself, and nothing had to be mounted, positioned or tried again.
    """
    speed = max(1, rate) * max(1, demand.drives)
    if demand.window is None:
        ends = now + -(-demand.bytes // speed)
        return Estimate(
            openings=(Opening(opens=now, closes=None, bytes=demand.bytes),),
            ends=ends if ends - now < _LATEST else None,
        )
    return _through(demand.window, demand.bytes, speed, now)


def _through(window: Window, left: int, speed: int, now: int) -> Estimate:
    openings: list[Opening] = []
    at = now
    for _ in range(_MOST):
        opens = window.opens(at)
        closes = window.closes(opens)
        fits = min(left, (closes - opens) * speed)
        openings.append(Opening(opens=opens, closes=closes, bytes=fits))
        left -= fits
        if not left:
            return Estimate(openings=tuple(openings), ends=opens + -(-fits // speed))
        at = closes
    return Estimate(openings=tuple(openings), ends=None)

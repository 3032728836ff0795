"""The limits and windows that hold while jobs run, from policies and settings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.window import Window

Theirs = tuple[str, Policy]  # a host, and one of its policies


def limits_of(policies: Iterable[Theirs], drives: Sequence[tuple[str, int]], settings: Limits) -> Limits:
    """Where several name a limit, the smallest holds; a policy's own is that of its host.

    `drives`: BMAs, and how many tape drives each may use at once; several may name one. `settings` hold where no policy
    says otherwise.
    """
    theirs = list(policies)
    said = _smallest((p.bma, p.per_bma) for _, p in theirs)
    bounds = _by_drives(theirs, _smallest(drives))
    bmas = {bma: said.get(bma, settings.of_bma(bma)) for bma in {**said, **bounds}}
    return replace(
        settings,
        bmas={bma: min(most, bounds.get(bma, most)) for bma, most in bmas.items()},
        policies={(host, p.name): p.per_host for host, p in theirs if p.per_host},
    )


def _by_drives(policies: Sequence[Theirs], drives: Mapping[str, int]) -> dict[str, int]:
    """How many jobs of a BMA its drives let run at once; where no policy says `per_drive`, one has a drive for itself."""
    per_drive = _smallest((p.bma, p.per_drive) for _, p in policies)
    return {bma: count * per_drive.get(bma, 1) for bma, count in drives.items()}


def _smallest(said: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number in said:
        if name and number is not None:
            found[name] = min(number, found.get(name, number))
    return found


def windows_of(policies: Iterable[Theirs]) -> dict[tuple[str, str], Window]:
    """By host and policy: hosts may define the same policy differently."""
    return {(host, p.name): p.window for host, p in policies if p.window}

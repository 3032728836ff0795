"""Checks that a limit by tape drives can be kept: somebody must have said how many there are."""

from __future__ import annotations

from collections.abc import Iterator

from vtsconf.core.problem import Level
from vtsconf.resources.lints.subject import Finding, Lint, Subject


def _uncounted(subject: Subject) -> Iterator[Finding]:
    """A BMA that is not there is told of elsewhere."""
    for name, policy in subject.vts.policies.items():
        settings = subject.vts.bma.get(policy.bma or "")
        if policy.limits.per_drive and settings is not None and not settings.drives:
            yield Finding(
                what=f"the policy {name} limits jobs per drive, and nobody says how many drives {policy.bma} has",
                why="the BMA chooses the drive, so only all its jobs together can be limited: drives times per_drive",
                remedy=f"set vts.bma.{policy.bma}.drives: how many it may use at once; until then the limit is not kept",
                path=("vts", "policies", name, "limits", "per_drive"),
            )


LINTS = (
    Lint(
        code="drives",
        title="a policy says `per_drive`, and its BMA has no `drives`: the limit cannot be kept",
        level=Level.WARNING,
        source="the document",
        check=_uncounted,
    ),
)

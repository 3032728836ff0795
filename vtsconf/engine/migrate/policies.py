"""The policies of a server as they are judged: from what was written to plain values."""

from __future__ import annotations

from collections.abc import Collection

from vtsconf.core.migrate import policy as meant
from vtsconf.resources import policies as written
from vtsconf.resources.desired import Vts


def policies_of(vts: Vts, allowed: Collection[str] = (), *, only: Collection[str] = ()) -> list[meant.Policy]:
    """All of `vts.policies`, or `only` those of these names. `allowed`: the names of `--allow-erase`."""
    names = {*allowed, *vts.allow_erase}
    return [
        policy_of(
            name,
            policy,
            drives=drives_of(vts).get(policy.bma or ""),
            is_allowed=bool(names & {name, f"policies/{name}"}),
        )
        for name, policy in vts.policies.items()
        if not only or name in only
    ]


def drives_of(vts: Vts) -> dict[str, int]:
    """How many tape drives each BMA of a server may use at once, where that is said."""
    return {name: settings.drives for name, settings in vts.bma.items() if settings.drives}


def policy_of(
    name: str, policy: written.Policy, *, drives: int | None = None, is_allowed: bool = False
) -> meant.Policy:
    """One policy. `drives`: those of its BMA."""
    limits = policy.limits
    return meant.Policy(
        name=name,
        action=policy.action,
        select=meant.Select(**policy.select.model_dump()),
        bma=policy.bma or "",
        options=policy.bma_options,
        submit=policy.submit,
        checksum=policy.checksum,
        window=policy.window.meant if policy.window else None,
        per_host=limits.per_host,
        per_bma=limits.per_bma,
        per_drive=limits.per_drive,
        drives=drives,
        bytes_per_run=limits.bytes_per_run,
        attempts=policy.retry.attempts,
        backoff=policy.retry.backoff,
        priority=policy.priority,
        is_allowed=is_allowed and policy.action == "erase",
    )

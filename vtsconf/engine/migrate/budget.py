"""What is spent of the budgets of policies, from the book: a new plan must not spend it once more."""

from __future__ import annotations

from collections.abc import Mapping

from vtsconf.core.migrate.budget import Listed, Spent, since, spent
from vtsconf.engine.migrate.book import Book, Entry
from vtsconf.engine.migrate.policies import policies_of
from vtsconf.resources.desired import Vts


def spent_of(book: Book, servers: Mapping[str, Vts], now: int, *, follows: bool) -> dict[str, Spent]:
    """By policy. A run that follows shares its budget with all of the same opening, whichever run they were of, so a
    service that was restarted begins no new one; a run that ends has it for itself and for what waits.
    """
    theirs = [(host, policy) for host, vts in servers.items() for policy in policies_of(vts)]
    names = sorted({policy.name for _, policy in theirs if policy.bytes_per_run is not None})
    began = {
        (host, policy.name): since(policy, now) if follows else now
        for host, policy in theirs
        if policy.name in names
    }
    if not began:
        return {}
    counted = book.counted(names, min(began.values()))
    return spent((listed(entry) for entry in counted if not entry.is_open), began)


def listed(entry: Entry) -> Listed:
    """The job as a budget counts it."""
    job = entry.job
    return Listed(
        id=job.id,
        host=job.host,
        policy=job.policy,
        moves=job.moves,
        begun=_begun(entry),
    )


def _begun(entry: Entry) -> int | None:
    """A job that ran over the end of an opening belongs to the one in which it began."""
    match entry.state:
        case "waiting":
            return None
        case "ended":
            return entry.updated - int(entry.detail.get("seconds", 0)) if entry.attempt else 0
    return entry.updated

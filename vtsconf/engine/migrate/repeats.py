"""Requests for what was asked for before: what becomes of the jobs that are known, and what people are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vtsconf.core.migrate.job import Job, Status
from vtsconf.engine.migrate.book import AGAIN, Entry


def waiting_again(known: Sequence[Entry], asked: Sequence[Job]) -> list[str]:
    """The ids of those that this request puts to wait again.

    The name of a migration is made of the tape as it is, so that a new request for it has the same. Any other job is named
    by its request: if it is known, so is the request.
    """
    mine = {job.id for job in asked if not job.nonce}
    return [entry.id for entry in known if entry.id in mine and entry.status in AGAIN]


def sentence(known: Sequence[Entry], again: Sequence[str]) -> str:
    """How those stand that are known already, in one line."""
    if len(known) == 1:
        return f"known already: {_one(known[0], again)}"
    counts = Counter(entry.status for entry in known)
    told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    waits = f"; {len(again)} wait again" if again else ""
    worst = next((entry for entry in known if entry.status is not Status.DONE and entry.reason), None)
    first = f"; {worst.job.cartridge}: {_one(worst, again)}" if worst else ""
    return f"known already: {len(known)} tapes ({told}){waits}{first}"


def _one(entry: Entry, again: Sequence[str]) -> str:
    because = f" because {entry.reason}" if entry.reason and entry.status.is_final else ""
    return f"{entry.status}{because}{_next(entry, again)}"


def _next(entry: Entry, again: Sequence[str]) -> str:
    if entry.id in again:
        return "; it waits again, as it was asked for first"
    if entry.status in {Status.UNPROVEN, Status.IN_DOUBT}:
        return f"; only a person lets it run again: `vtsconf migrate retry {entry.id[:8]}`"
    return ""

"""What a report of a migration says in words: the sentence on top, the statuses, and what a person does next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.words import sized

# In the order in which they are told; the class by which the page draws each.
LOOKS = {
    Status.DONE: "o-changed",
    Status.FAILED: "o-failed",
    Status.UNPROVEN: "o-reverted",
    Status.PARKED: "o-locked",
    Status.IN_DOUBT: "o-unreachable",
    Status.CANCELLED: "o-unchanged",
    Status.BMA_OK: "o-waiting",
    Status.RUNNING: "o-waiting",
    Status.SUBMITTED: "o-waiting",
    Status.PLANNED: "o-not-tried",
}
WORDS = {
    Status.DONE: "done",
    Status.FAILED: "failed",
    Status.UNPROVEN: "unproven",
    Status.PARKED: "parked",
    Status.IN_DOUBT: "in doubt",
    Status.CANCELLED: "cancelled",
    Status.BMA_OK: "the BMA says yes",
    Status.RUNNING: "running",
    Status.SUBMITTED: "started",
    Status.PLANNED: "waiting",
}
_STEPS = {
    Status.FAILED: "Look at why, mend it, then `vtsconf migrate retry ID`, or `vtsconf migrate abandon ID`.",
    Status.UNPROVEN: "Ask the BMA's catalogue for these tapes: they do not count as migrated, and are not erased.",
    Status.PARKED: "They failed as often as they may. Mend the cause, then `vtsconf migrate retry ID`.",
    Status.IN_DOUBT: "Nobody knows whether they ran to their end: ask the BMA's catalogue before you retry them.",
    Status.CANCELLED: "Somebody ended them: `vtsconf migrate retry ID` where they are wanted after all.",
}


def verdict(jobs: Sequence[Mapping[str, Any]], *, is_open: bool, more: int = 0) -> str:
    """Such as "3 of 4 jobs done, 1.5 GB archived; 1 failed.". `more`: jobs of earlier runs that are not listed."""
    counts = Counter(job["status"] for job in jobs)
    if not jobs and not more:
        return "Nothing was to be done."
    noun = "job" if len(jobs) == 1 else "jobs"
    parts = [f"{counts[Status.DONE]:,} of {len(jobs):,} {noun} done{_moved(jobs)}"]
    parts += [
        f"{counts[status]:,} {WORDS[status]}" for status in LOOKS if status != Status.DONE and counts[status]
    ]
    parts += [f"{more:,} more of earlier runs are not listed"] if more else []
    told = "; ".join([parts[0], ", ".join(parts[1:])] if parts[1:] else parts)
    return f"{told}; the run has not ended." if is_open else f"{told}."


def _moved(jobs: Sequence[Mapping[str, Any]]) -> str:
    """What was archived, and what was restored: how many and how much."""
    done = [job for job in jobs if job["status"] == Status.DONE]
    back = [int(job.get("moves", job["bytes"])) for job in done if job["action"] == "restore"]
    archived = sum(int(job["bytes"]) for job in done if job["action"] == "migrate")
    told = [] if back and not archived else [f", {sized(archived)} archived"]
    return "".join(told + ([f", {len(back):,} restored, {sized(sum(back))}"] if back else []))


def tone(jobs: Sequence[Mapping[str, Any]]) -> str:
    """How it is meant: "good", "bad", or "open" for what has not ended."""
    found = {Status(job["status"]) for job in jobs}
    if any(status.is_final and status not in {Status.DONE, Status.CANCELLED} for status in found):
        return "bad"
    return "good" if all(status.is_final for status in found) else "open"


def next_steps(
    jobs: Sequence[Mapping[str, Any]], troubles: Sequence[tuple[str, str, int, int, str]]
) -> list[str]:
    """What a person does now, the worst first; empty when nothing is left."""
    counts = Counter(job["status"] for job in jobs)
    steps = [
        f"{counts[status]:,} {WORDS[status]}: {step}" for status, step in _STEPS.items() if counts[status]
    ]
    steps += [
        f"{'BMA' if kind == 'bma' else 'Policy'} {name} failed {count} times in a row: see to it, then "
        f"`vtsconf migrate retry --{kind} {name}`."
        for kind, name, count, _, _ in troubles
        if count > 1
    ]
    if left := sum(n for status, n in counts.items() if not Status(status).is_final):
        steps.append(f"{left:,} not at their end yet: `vtsconf migrate run` goes on with them.")
    return steps

"""Hand-made runs of jobs: events, rows of jobs as the book has them, troubles."""

from __future__ import annotations

from typing import Any

from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.runs import Event

RUN = "20261125-080000-ab12"
START = 1_795_600_000
MADE = {"at": START + 9000, "by": "ops@control1", "version": "1.2"}
WITNESSES = {"bma": "ended with 0", "catalogue": "1,000 bytes on A00001", "file": "unchanged"}
HOSTILE = "</title><script>alert(1)</script>\x1b[31m\u202e\udcff"


def row(n: int, status: Status = Status.DONE, **more: Any) -> dict[str, Any]:
    """A job; every tenth tape is large. `more` goes over everything else."""
    job = Job(
        host=f"vts{n % 3}", cartridge=f"/VAULT01/POOL1/T{n:05}", action="migrate", bytes=10**9 if n % 10 == 0 else 1000,
        mtime=(START - n * 3600) * 10**9, inode=n, bma="tsm", policy="nightly",
    )  # fmt: skip
    is_done = status is Status.DONE
    return {
        **{key: value for key, value in job.to_json().items() if key != "nonce"},
        "run": RUN, "status": status.value, "attempts": 1, "reason": "" if is_done else f"it did not go well: {n}",
        "seconds": 12, "updated": START + n, "not_before": None,
        "witnesses": WITNESSES if is_done else dict.fromkeys(WITNESSES), "checksum": None, "said": "", "exit": None, **more,
    }  # fmt: skip


def events(rows: list[dict[str, Any]], *, ended: bool = True, by: str = "ops@control1") -> list[Event]:
    """Of a run in which each of them was tried once, one after the other."""
    first = Event(
        at=START, run=RUN, action="run-started", body={"command": "migrate", "by": by, "revision": "r1"}
    )
    found = [first]
    for number, job in enumerate(rows):
        about = {"job": job["id"], "cartridge": job["cartridge"], "attempt": 1}
        found.append(_event(START + number, job, "job-started", about | {"reason": ""}))
        last = {"status": job["status"], "reason": job["reason"]}
        found.append(_event(START + number + 12, job, "job-ended", about | last))
    last_of_all = Event(at=START + 5000, run=RUN, action="run-finished", body={"state": "done"})
    return [*found, last_of_all] if ended else found


def _event(at: int, job: dict[str, Any], action: str, body: dict[str, Any]) -> Event:
    return Event(at=at, run=RUN, host=job["host"], action=action, body=body | {"time": at + 0.5})

"""The report of a migration run as a JSON document, `vtsconf/migration-run/1`: its jobs, and what the journal says of them.

Pure. Times are seconds since 1970, sizes bytes. The page is made from this document alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vtsconf.core.migrate.histogram import of_ages, of_sizes
from vtsconf.core.migrate.job import Status
from vtsconf.core.report import redaction
from vtsconf.core.report.document import NOTES, digest
from vtsconf.core.report.migrationwords import next_steps, verdict
from vtsconf.core.runs import Event, RunSeen

FORMAT = "vtsconf/migration-run/1"
_TRIES = ("job-started", "job-retry", "job-ended")
Trouble = tuple[str, str, int, int, str]


def document(
    run: str,
    events: Iterable[Event],
    jobs: Iterable[Mapping[str, Any]],
    troubles: Sequence[Trouble],
    made: Mapping[str, Any],
    *,
    more: int = 0,
) -> dict[str, Any]:
    """`jobs`: as `Book` has them, see `engine/migrate/reporting.py`; `troubles`: parked or failing BMAs and policies,
    (kind, name, failures in a row, since when, last reason); `made`: {at, by, version} of this report;
    `more`: jobs of other runs that it worked on as well, and that are not among `jobs`.
    """
    seen, tries = RunSeen(run=run), dict[str, list[dict[str, Any]]]()
    for event in events:
        seen.feed(event)
        if event.action in _TRIES and (name := str(event.body.get("job", ""))):
            tries.setdefault(name, []).append(_try(event))
    rows = [_job(job, tries.get(str(job["id"]), [])) for job in jobs]
    told = {
        **_head(seen),
        "jobs": rows,
        **({"worked_more": more} if more else {}),
        "summary": dict(Counter(row["status"] for row in rows)),
        **_sums(rows),
        "troubles": [_trouble(one) for one in troubles],
        "histograms": _histograms(rows, seen.started or int(made["at"])),
        "next": next_steps(rows, troubles),
    }
    told["verdict"] = verdict(rows, is_open=not seen.finished, more=more)
    told["notes"] = {name: NOTES[name] for name in ("names", "digest")} | {
        "redaction": "What looked like a secret in a message or an output is left out."
    }
    told = redaction.sentences(told)
    return {"format": FORMAT, **told, "made": dict(made), "digest": digest(told)}


def _head(seen: RunSeen) -> dict[str, Any]:
    return {
        "run": seen.run,
        "command": seen.command,
        "by": seen.by,
        "revision": seen.revision,
        "started": seen.started,
        "finished": seen.finished or None,
    }


def _try(event: Event) -> dict[str, Any]:
    body = event.body
    found = {"at": body.get("time", event.at), "action": event.action, "attempt": body.get("attempt")}
    return found | {key: body[key] for key in ("by", "reason", "status", "after") if body.get(key)}


def _job(job: Mapping[str, Any], tries: list[dict[str, Any]]) -> dict[str, Any]:
    """With when it began and ended; of what is done only that, of all others every attempt."""
    begun = next((one["at"] for one in tries if one["action"] == "job-started"), None)
    ended = next((one["at"] for one in reversed(tries) if one["action"] == "job-ended"), None)
    row = dict(job) | {"started": begun, "ended": ended if Status(job["status"]).is_final else None}
    row["said"] = redaction.output(str(job.get("said") or ""))
    return row if job["status"] == Status.DONE else row | {"tries": tries}


def _sums(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Jobs of each server, policy and BMA, and the bytes of its migrations."""
    found: dict[str, list[dict[str, Any]]] = {}
    for word, member in (("hosts", "host"), ("policies", "policy"), ("bmas", "bma")):
        sums: dict[str, dict[str, Any]] = {}
        for row in rows:
            name = str(row[member] or "")
            one = sums.setdefault(
                name, {member: name, "jobs": 0, "done": 0, "bytes": 0, "bytes_done": 0, "statuses": Counter()}
            )
            is_done = row["status"] == Status.DONE
            one["jobs"] += 1
            size = int(row["bytes"]) if row["action"] == "migrate" else 0
            one["bytes"] += size
            one["done"] += is_done
            one["bytes_done"] += size * is_done
            one["statuses"][row["status"]] += 1
        found[word] = [one | {"statuses": dict(one["statuses"])} for _, one in sorted(sums.items())]
    return found


def _trouble(one: Trouble) -> dict[str, Any]:
    kind, name, count, since, reason = one
    return {"kind": kind, "name": name, "failures": count, "since": since, "reason": reason}


def _histograms(rows: Iterable[Mapping[str, Any]], now: int) -> dict[str, Any]:
    """Ages at the beginning of the run and sizes of the tapes to migrate; "taken" are the done ones."""
    ages, sizes = of_ages(), of_sizes()
    for row in rows:
        if row["action"] == "migrate":
            is_done = row["status"] == Status.DONE
            ages.add(max(0, now - int(row["mtime"]) // 10**9), is_done)
            sizes.add(int(row["bytes"]), is_done)
    return {"ages": ages.to_json(), "sizes": sizes.to_json()}

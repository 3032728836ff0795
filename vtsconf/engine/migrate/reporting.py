"""Makes the report of a migration run, from the journal and the book of jobs."""

from __future__ import annotations

from typing import Any

from vtsconf.core.errors import Usage
from vtsconf.core.report.migration import document
from vtsconf.engine.journal import Journal
from vtsconf.engine.migrate.book import Book, Entry

COMMANDS = ("migrate", "restore")  # of the runs that have jobs


def gather(
    journal: Journal, book: Book, wanted: str | None, *, now: float, by: str, version: str
) -> dict[str, Any]:
    """The report of the run of that name, of the only one that begins so, or of the last one. Raises Usage."""
    run = _find(journal, wanted)
    made = {"at": now, "by": by, "version": version}
    troubles = [
        trouble for trouble in book.troubles() if trouble[0] != "host"
    ]  # away now, whatever the run met
    return document(run, journal.events(run), map(job_row, book.entries(run=run)), troubles, made)


def _find(journal: Journal, wanted: str | None) -> str:
    begun = journal.beginnings() if journal.exists else []
    names = [event.run for event in begun if event.body.get("command") in COMMANDS]
    if wanted is None:
        found, what = names[-1:], "no run of `migrate run` or `migrate restore` is in the journal"
    else:
        found = [wanted] if wanted in names else [name for name in names if name.startswith(wanted)]
        what = f"{len(found) or 'no'} runs of jobs in the journal begin with {wanted[:80]!r}"
    if len(found) != 1:
        raise Usage(what, remedy="`vtsconf history` lists the runs")
    return found[0]


def job_row(entry: Entry) -> dict[str, Any]:
    """The same with what the BMA said of it, and its exit code."""
    said = {"said": entry.detail.get("said", ""), "exit": entry.detail.get("exit")}
    return job_document(entry) | said


def job_document(entry: Entry) -> dict[str, Any]:
    """A job of the document `vtsconf/migration-run/1`. `checksum`: of the tape and its copy, where it was compared."""
    witnesses = entry.detail.get("witnesses", {})
    return {
        **{key: value for key, value in entry.job.to_json().items() if key != "nonce"},
        "run": entry.run,
        "status": entry.status.value,
        "attempts": entry.attempt,
        "reason": entry.reason,
        "seconds": entry.detail.get("seconds"),
        "updated": entry.updated,
        "not_before": entry.not_before or None,
        "witnesses": {name: witnesses.get(name) for name in ("bma", "catalogue", "file")},
        "checksum": entry.detail.get("checksum") or None,
    }

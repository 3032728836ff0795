"""Makes the report of a migration run, from the journal and the book of jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vtsconf.core.errors import Usage
from vtsconf.core.report.migration import document
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
from vtsconf.engine.migrate.book import Book, Entry

COMMANDS = ("migrate", "restore")  # of the runs that have jobs


def gather(
    journal: Journal, book: Book, wanted: str | None, *, now: float, by: str, version: str
) -> dict[str, Any]:
    """The report of the run of that name, of the only one that begins so, or of the last one. Raises Usage."""
    run = _find(journal, wanted)
    own = list(journal.events(run))
    others = _worked(own, book)
    rows = [*map(job_row, book.entries(run=run)), *(job_row(one) | {"of_run": one.run} for one in others)]
    made = {"at": now, "by": by, "version": version}
    # A server that is away now says nothing of what the run met.
    troubles = [trouble for trouble in book.troubles() if trouble[0] != "host"]
    return document(run, [*own, *_theirs(journal, own, others)], rows, troubles, made, more=_more(own))


def _worked(own: Sequence[Event], book: Book) -> list[Entry]:
    """Jobs of other runs that this one brought to an end, as they stand now."""
    ids = [
        str(id_) for event in own if event.action == "run-finished" for id_ in event.body.get("worked", ())
    ]
    return [entry for id_ in dict.fromkeys(ids) for entry in book.get(id_) if entry.id == id_]


def _more(own: Sequence[Event]) -> int:
    """How many more it worked on, which it did not name."""
    return sum(int(event.body.get("worked_more", 0)) for event in own if event.action == "run-finished")


def _theirs(journal: Journal, own: Sequence[Event], others: Sequence[Entry]) -> Iterator[Event]:
    """What their own runs' journals say of these jobs, while this run went on."""
    ids, first, last = {entry.id for entry in others}, _edge(own, "run-started"), _edge(own, "run-finished")
    for run in dict.fromkeys(entry.run for entry in others):
        for event in journal.events(run, after=first):
            if event.id > last:
                break
            if event.action.startswith("job-") and event.body.get("job") in ids:
                yield event


def _edge(own: Sequence[Event], action: str) -> int:
    """The place in the journal of the last event of this kind."""
    return max((event.id for event in own if event.action == action), default=0)


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

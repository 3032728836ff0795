"""Makes the evidence of a run from the journal: the JSON document, the page, and the files that hold them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import tzinfo
from pathlib import Path
from typing import Any

from vtsconf.core.errors import Refused, Usage, VtsconfError
from vtsconf.core.report.document import document, text
from vtsconf.engine.journal import Journal
from vtsconf.engine.rollout.revert import is_back


def gather(journal: Journal, wanted: str | None, *, now: float, by: str, version: str) -> dict[str, Any]:
    """The report of the run of that name, of the only one that begins so, or of the last one. Raises Usage, Refused."""
    run = _find(journal, wanted)
    events = list(journal.events(run))
    if not any(event.action == "run-started" for event in events):
        raise Refused(
            f"run {run} was begun by another controller, and this journal only knows how it was ended here",
            remedy="ask for the report where the run was begun",
        )
    made = {"at": now, "by": by, "version": version}
    return document(run, events, journal.plans(run), made)


def _find(journal: Journal, wanted: str | None) -> str:
    names = journal.run_names() if journal.exists else []
    offered = [name for name in names if not is_back(name)]  # those are only told when they are named
    if wanted is None:
        found, what = offered[-1:], "no run is in the journal"
    else:
        found = [wanted] if wanted in names else [name for name in offered if name.startswith(wanted)]
        what = f"{len(found) or 'no'} runs in the journal begin with {wanted[:80]!r}"
    if len(found) != 1:
        raise Usage(what, remedy="`vtsconf history` lists the runs")
    return found[0]


def page_of(told: Mapping[str, Any], zone: tzinfo | None = None) -> str:
    """The page of a report."""
    from vtsconf.core.report.page import page
    from vtsconf.engine.share import template

    return page(told, template, zone)


def write_report(
    told: Mapping[str, Any],
    *,
    html: Path | None = None,
    json_file: Path | None = None,
    make: Callable[[Mapping[str, Any]], str] = page_of,
) -> list[Path]:
    """Write the page that `make` makes, the document, or both; each is there whole or not at all. Raises VtsconfError."""
    written = []
    for path, content in ((html, make), (json_file, text)):
        if path is not None:
            _put(path, content(told))
            written.append(path)
    return written


def _put(path: Path, content: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(content)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise VtsconfError(
            f"the report cannot be written to {path}: {error.strerror or error}",
            remedy="name a file in a folder that exists and that you may write to",
        ) from error

"""Makes the evidence of a run from the journal: the JSON document, the page, and the files that hold them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any

from vtsconf.core.errors import Refused, VtsconfError
from vtsconf.core.report.document import document, text
from vtsconf.core.runs import find
from vtsconf.engine.journal import Journal


def gather(journal: Journal, wanted: str, *, now: float, by: str, version: str) -> dict[str, Any]:
    """The report of the run of that name, or of the only one that begins so. Raises Usage, Refused."""
    run = find(journal.runs(), wanted)
    if run.is_strange:
        raise Refused(
            f"run {run.run} was begun by another controller, and this journal only knows how it was ended here",
            remedy="ask for the report where the run was begun",
        )
    made = {"at": now, "by": by, "version": version}
    return document(run.run, journal.events(run.run), journal.plans(run.run), made)


def page_of(told: Mapping[str, Any], zone: tzinfo | None = None) -> str:
    """The page of a report."""
    from vtsconf.core.report.page import page
    from vtsconf.engine.share import template

    return page(told, template, zone)


def write_report(
    told: Mapping[str, Any], *, html: Path | None = None, json_file: Path | None = None
) -> list[Path]:
    """Write the page, the document, or both; each is there whole or not at all. Raises VtsconfError."""
    written = []
    for path, make in ((html, page_of), (json_file, text)):
        if path is not None:
            _put(path, make(told))
            written.append(path)
    return written


def _put(path: Path, content: str) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
            Path(name).chmod(0o644 & ~_mask())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise VtsconfError(
            f"the report cannot be written to {path}: {error.strerror or error}",
            remedy="name a file in a folder that exists and that you may write to",
        ) from error


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

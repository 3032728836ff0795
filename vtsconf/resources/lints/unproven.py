"""Promise 11 with what is recorded: how much could be lost if tapes were erased by something else than our policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vtsconf.core.printable import printable
from vtsconf.core.problem import Level, Problem
from vtsconf.resources.lints.erasing import AUTOERASE
from vtsconf.resources.lints.risk import CLEANUP
from vtsconf.resources.lints.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Unproven:
    """Tapes of a server that have data, and no proof of two witnesses for it. `of`: all that have data."""

    count: int
    of: int
    example: str = ""


def erases_by_itself(subject: Subject) -> bool:
    """The documents ask for Scan/Cleanup's automatic erase, or may do so."""
    wanted = subject.wanted.get(AUTOERASE)
    return wanted is not None and wanted.text != "NO"


def unproven(subject: Subject, seen: Unproven) -> Iterator[Problem]:
    """A warning where VTS erases by itself while there are tapes of which no copy is proven.

    VTS goes by its own mark [8.3 Config p.125], which nobody else can see: neither side knows what the other does.
    """
    if not (erases_by_itself(subject) and seen.count):
        return
    wanted = subject.wanted[AUTOERASE]
    yield Problem(
        what=f"{AUTOERASE} lets VTS erase by itself, and {seen.count:,} of {seen.of:,} tapes with data are not proven on "
        f"tape as they are, {printable(seen.example, 200)} among them",
        why="VTS goes by its own mark of what was migrated; two witnesses have not seen these copies",
        remedy="write cleanup.autoerase: false until they are proven, or see that VTS marks them by a BMA you trust",
        level=Level.WARNING,
        code="unproven",
        place=subject.locate(wanted.path) if wanted.path else None,
        host=subject.host or None,
        address=wanted.address,
        source=CLEANUP,
    )


def with_record(problem: Problem, recorded: int | None) -> Problem:
    """The same of VTS erasing by itself, with how many tapes of the server the store has a copy of; None: nobody looked."""
    if recorded is None or problem.code != "erase" or not problem.address.endswith(f"/{AUTOERASE}"):
        return problem
    tapes = "1 tape" if recorded == 1 else f"{recorded:,} tapes"
    known = (
        f"the store has a proven copy of {tapes} of {problem.host or 'this server'}"
        if recorded
        else (f"the store has a proven copy of no tape of {problem.host or 'this server'}")
    )
    more = f"{known}; one without could be lost: `vtsconf migrate plan` lists the tapes, and counts those that are not proven"
    return replace(problem, why=f"{problem.why}; {more}")

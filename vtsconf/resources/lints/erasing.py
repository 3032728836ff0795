"""Parameters that could make a tape erasable: Scan/Cleanup's own, and those that decide what counts as migrated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vtsconf.core.problem import Level
from vtsconf.resources.lints import danger
from vtsconf.resources.lints.risk import CLEANUP, GUESS, WORDS, Risk
from vtsconf.resources.lints.subject import Subject

AUTOERASE = "cleanup_autoerase"
ENABLE = "cleanup_enable"
NO_BMA = "no-bma"
_DOCUMENTED = (AUTOERASE, ENABLE, "cleanup_scan_at", "cleanup_interval")
_NAME = re.compile(
    r"erase|retention|retain|delete|purge|expire|reclaim|truncat|after_migrat|scratch", re.IGNORECASE
)


def parameters(subject: Subject) -> Iterator[Risk]:
    """Every wanted parameter that could erase data, by itself or with what the server has."""
    yield from _autoerase(subject)
    yield from _enable(subject)
    yield from _suspicious_names(subject)
    yield from _migration_changed(subject)
    yield from _values(subject)


def _autoerase(subject: Subject) -> Iterator[Risk]:
    wanted = subject.wanted.get(AUTOERASE)
    if wanted is None or wanted.text == "NO":
        return
    if wanted.text is None and subject.changes(AUTOERASE) is False:
        return
    says = "is YES" if wanted.text == "YES" else "would be absent, and its default is not documented"
    yield Risk(
        name=AUTOERASE,
        what=f"{AUTOERASE} {says if not wanted.secret else 'is a secret, so it may be YES'}",
        why="Scan/Cleanup then erases tapes by itself, and an erase cannot be undone",
        remedy="write cleanup.autoerase: false",
    )


def _enable(subject: Subject) -> Iterator[Risk]:
    wanted = subject.wanted.get(ENABLE)
    if wanted is None or wanted.text == "NO" or subject.changes(ENABLE) is False:
        return
    if AUTOERASE in subject.wanted:  # judged by itself
        return
    erasing = subject.after(AUTOERASE)
    if erasing == "NO":
        return
    absent = subject.wanted[ENABLE].text is None
    does = "is switched on if that is its undocumented default" if absent else "is switched on"
    if subject.live is None:
        what = "is not set here: if it is YES on the server, this starts erasing"
    elif erasing is None:
        what = "is not in the live file, and its default is not documented"
    else:
        what = f"is `{erasing}` on the server, so this starts erasing"
    yield Risk(
        name=ENABLE,
        what=f"Scan/Cleanup {does}, and {AUTOERASE} {what}",
        why="Scan/Cleanup then erases tapes by itself, and an erase cannot be undone",
        remedy="write cleanup.autoerase: false too",
        level=Level.WARNING if subject.live is None else Level.ERROR,
    )


def _suspicious_names(subject: Subject) -> Iterator[Risk]:
    for name in subject.wanted:
        unknown_cleanup = name.casefold().startswith("cleanup_") and name not in _DOCUMENTED
        if name in _DOCUMENTED or not (unknown_cleanup or _NAME.search(name)):
            continue
        if subject.changes(name) is False:
            continue
        yield Risk(
            name=name,
            what=f"`{name}` would change"
            if subject.live is not None
            else f"`{name}` may change what is erased",
            why="by its name it is about when tapes are erased; what it does is not documented"
            if _NAME.search(name)
            else "it belongs to Scan/Cleanup, which erases tapes; what it does is not documented",
            remedy="take it out",
            level=Level.WARNING if subject.live is None else Level.ERROR,
            source=GUESS,
        )


def _migration_changed(subject: Subject) -> Iterator[Risk]:
    """VTS marks a tape migrated when the command that hsm_ sets up says so: a wrong one marks what is on no tape."""
    erasing = subject.after(AUTOERASE)
    if subject.live is None or erasing is None or erasing == "NO":
        return
    for name, wanted in subject.wanted.items():
        if name.startswith("hsm_") and not _NAME.search(name) and subject.changes(name):
            yield Risk(
                name=wanted.name,
                what=f"`{name}` would change while {AUTOERASE} is on",
                why="hsm_ parameters decide what VTS takes for migrated, and that is what is erased",
                remedy="write cleanup.autoerase: false until a migration was proven",
                source=f"inferred from 8.3 SIG p.15; {CLEANUP}",
            )


def _values(subject: Subject) -> Iterator[Risk]:
    """VTS runs the command lines that parameters hold."""
    for name, wanted in subject.wanted.items():
        if isinstance(wanted.text, str) and (found := danger.in_text(wanted.text)):
            yield Risk(
                name=name,
                what=f"the value of `{name}` could erase data: `{found}`",
                why="if VTS runs it, a tape may be gone that is nowhere else",
                remedy="take these words out",
                source=WORDS,
            )


def no_bma(subject: Subject) -> Iterator[Risk]:
    erasing = subject.after(AUTOERASE)
    if erasing is None or erasing == "NO" or subject.vts.bma:
        return
    if any(
        name.startswith("hsm_") and subject.after(name) for name in {*subject.wanted, *(subject.live or {})}
    ):
        return
    known = subject.live is not None and AUTOERASE in subject.wanted
    yield Risk(
        name=NO_BMA,
        what=f"{AUTOERASE} is on, and no BMA is there: neither vts.bma nor any hsm_ parameter",
        why="nothing copies tapes to physical tape, so nothing could bring an erased one back",
        remedy="configure the BMA first, or write cleanup.autoerase: false",
        path=subject.wanted[AUTOERASE].path if AUTOERASE in subject.wanted else ("vts",),
        level=Level.ERROR if known else Level.WARNING,
    )

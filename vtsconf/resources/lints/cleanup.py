"""Checks of Scan/Cleanup (C14, C15)."""

from __future__ import annotations

from collections.abc import Iterator

from vtsconf.core.problem import Level
from vtsconf.resources.lints.subject import Finding, Lint, Subject


def _never_migrated_by_vts(subject: Subject) -> Iterator[Finding]:
    if subject.after("cleanup_autoerase") != "YES" or not subject.vts.bma or subject.live is None:
        return
    if not any(True for _ in subject.all_after("hsm_")):
        yield Finding(
            what="cleanup_autoerase is YES, and tapes are saved by the BMA's own schedule only: no hsm_ parameter",
            why="Scan/Cleanup does not erase what was not migrated by VTS, so the disk fills up",
            remedy="set the hsm_ parameters of your release, or write cleanup.autoerase: false",
            name="cleanup_autoerase",
        )


def _autoerase_that_never_runs(subject: Subject) -> Iterator[Finding]:
    if subject.after("cleanup_autoerase") != "YES":
        return
    if subject.after("cleanup_enable") != "YES":
        yield Finding(
            what="cleanup_autoerase is YES, and cleanup_enable is not",
            why="without it Scan/Cleanup does not run",
            remedy="write cleanup.enable: true, or cleanup.autoerase: false",
            name="cleanup_autoerase",
        )
    for name in ("cleanup_scan_at", "cleanup_interval"):
        if not subject.after(name):
            yield Finding(
                what=f"cleanup_autoerase is YES, and {name} is not set",
                why="the two say when and how often scan and erase run",
                remedy=f"write cleanup.{name.removeprefix('cleanup_')}, in the form your manual shows",
                name="cleanup_autoerase",
            )


LINTS = (
    Lint(
        code="C14",
        title="tapes are saved by the BMA's own schedule only, and `cleanup_autoerase` is YES: never erased",
        level=Level.WARNING,
        source="inferred from 8.3 Config p.125",
        check=_never_migrated_by_vts,
    ),
    Lint(
        code="C15",
        title="`cleanup_autoerase` is YES without `cleanup_enable`, `cleanup_scan_at` or `cleanup_interval`",
        level=Level.WARNING,
        source="8.3 Config p.125; 6.04.03 Ops p.87",
        check=_autoerase_that_never_runs,
    ),
)

"""A value that is the default anyway (C10), and parameters that a release does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vtsconf.core.problem import Level
from vtsconf.resources.lints.subject import Finding, Lint, Subject


def _defaults(subject: Subject) -> Iterator[Finding]:
    for name, wanted in subject.wanted.items():
        row = wanted.row
        if row and row.default is not None and wanted.text == row.default and wanted.host is None:
            yield Finding(
                what=f"`{name}` is `{row.default}`, which is the default",
                why="it says nothing new; keep it if you want it to be said",
                name=name,
            )


def version(release: str | None) -> tuple[int, ...] | None:
    """`8.3` or `6.04.03` as numbers that compare; None for what is no release."""
    if release is None or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){1,3}", release):
        return None
    return tuple(int(part) for part in release.split("."))


def _not_in_release(subject: Subject) -> Iterator[Finding]:
    release = version(subject.vts.release)
    for name, wanted in subject.wanted.items():
        if release is None or wanted.row is None or wanted.text is None:
            continue
        since, until = version(wanted.row.since), version(wanted.row.until)
        if (since and release < since) or (until and release > until):
            span = f"from {wanted.row.since}" if since else f"until {wanted.row.until}"
            yield Finding(
                what=f"`{name}` is known {span}, and vts.release is {subject.vts.release}",
                why="the manual of this release may not have it",
                remedy="take it out, or correct vts.release",
                name=name,
            )


def _release(subject: Subject) -> Iterator[Finding]:
    if subject.vts.release is not None and version(subject.vts.release) is None:
        yield Finding(
            what=f"`{subject.vts.release:.40}` is not a release",
            why="checks that depend on the release are left out",
            remedy='write it as the manuals do: "8.3" or "6.04.03"',
            path=("vts", "release"),
        )


LINTS = (
    Lint(
        code="C10",
        title="a value equals the default",
        level=Level.NOTE,
        source="6.04.01 Ops p.41-44",
        check=_defaults,
    ),
    Lint(
        code="release",
        title="a parameter is not known in `vts.release`, or `vts.release` is none",
        level=Level.WARNING,
        source="the tables' columns since and until",
        check=lambda subject: [*_release(subject), *_not_in_release(subject)],
    ),
)

"""The checks of a document against itself, against a live server, and against the manuals."""

from __future__ import annotations

from vtsconf.core.problem import Problem
from vtsconf.resources.lints import cleanup, defaults, drives, ems, paths, services, vtspolicy
from vtsconf.resources.lints.subject import Finding, Lint, Subject

__all__ = ["ALL", "Finding", "Lint", "Subject", "lint"]

ALL: tuple[Lint, ...] = (
    *ems.LINTS,
    *defaults.LINTS,
    *paths.LINTS,
    *cleanup.LINTS,
    *vtspolicy.LINTS,
    *services.LINTS,
    *drives.LINTS,
)


def lint(subject: Subject) -> list[Problem]:
    """Everything that every check finds; `lints.erase.could_erase` is asked besides."""
    return [problem for check in ALL for problem in check.problems(subject)]

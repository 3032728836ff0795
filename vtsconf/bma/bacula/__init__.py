"""Bacula and Bareos: the client's file, and moving tapes with bconsole."""

from vtsconf.bma.bacula.client import NAME, TITLE, Settings, facts, files, lints
from vtsconf.bma.bacula.migration import (
    archive,
    cancel,
    check_options,
    has_mark,
    judge,
    locate,
    located,
    outlives,
    restore,
)

__all__ = [
    "NAME",
    "TITLE",
    "Settings",
    "archive",
    "cancel",
    "check_options",
    "facts",
    "files",
    "has_mark",
    "judge",
    "lints",
    "locate",
    "located",
    "outlives",
    "restore",
]

"""Veritas (Cohesity) NetBackup: the client's files, and moving tapes with `bpbackup` and `bprestore`."""

from vtsconf.bma.netbackup.client import NAME, TITLE, Settings, facts, files, lints
from vtsconf.bma.netbackup.codes import TABLES
from vtsconf.bma.netbackup.migration import (
    OPTIONS,
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
    "OPTIONS",
    "TABLES",
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

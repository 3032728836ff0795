"""Veritas (Cohesity) NetBackup: the client's files, and moving tapes with `bpbackup` and `bprestore`."""

from vtsconf.bma.netbackup.client import NAME, TITLE, Settings, facts, files, lints
from vtsconf.bma.netbackup.codes import TABLES
from vtsconf.bma.netbackup.migration import (
    OPTIONS,
    archive,
    cancel,
    check_options,
    judge,
    locate,
    located,
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
    "judge",
    "lints",
    "locate",
    "located",
    "restore",
]

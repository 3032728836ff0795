"""IBM TSM, Spectrum Protect, Storage Protect: the client's files, and moving tapes with `dsmc`."""

from vtsconf.bma.tsm.client import NAME, TITLE, Settings, facts, files, lints
from vtsconf.bma.tsm.codes import TABLES
from vtsconf.bma.tsm.migration import (
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

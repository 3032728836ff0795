"""Dell EMC NetWorker (Legato): the client's files, and moving tapes with `save` and `recover`, or `nsrarchive`."""

from vtsconf.bma.networker.client import NAME, TITLE, Settings, facts, files, lints
from vtsconf.bma.networker.codes import TABLES
from vtsconf.bma.networker.migration import (
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

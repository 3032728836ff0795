"""The backup applications (BMAs) that are known, each one module of this room."""

from __future__ import annotations

from collections.abc import Mapping

from vtsconf.bma import bacula, netbackup, networker, tsm
from vtsconf.bma.application import Application

# A new BMA is a new file and its name in this tuple.
_MODULES: tuple[Application, ...] = (tsm, netbackup, networker, bacula)

ALL: Mapping[str, Application] = {module.NAME: module for module in _MODULES}

"""The timeline of a run as places on paper: what is where, with its words. The template draws it as SVG.

Up to `BARS` servers it has a bar for each, in several figures that each fit on a page; above that a row for each wave
(or for several waves together), with how many servers ended when. Nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vtsconf.core.report.clock import Clock
from vtsconf.core.report.picture.bars import bars
from vtsconf.core.report.picture.canvas import Canvas
from vtsconf.core.report.picture.density import density
from vtsconf.core.report.picture.shape import Figure

BARS = 150  # servers


def timeline(document: Mapping[str, Any], clock: Clock) -> list[Figure]:
    """The figures, in order; none where no server was begun."""
    worked = [server for server in document["servers"] if server["tries"]]
    if not worked:
        return []
    canvas = Canvas.of(document, clock)
    return bars(canvas) if len(worked) <= BARS else density(canvas)

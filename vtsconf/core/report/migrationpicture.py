"""Bytes and jobs that were done, over time: two lines, worked out here so that the template only draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.words import sized
from vtsconf.core.report.clock import Clock, Written

WIDTH, HEIGHT = 800.0, 180.0
_MOST = 200  # points of a line


def picture(document: Mapping[str, Any], clock: Clock) -> dict[str, Any] | None:
    """None when nothing was done at a known time."""
    done = sorted(
        (float(job["ended"]), int(job["bytes"]) if job["action"] == "migrate" else 0)
        for job in document["jobs"]
        if job["status"] == Status.DONE and job["ended"]
    )
    if not done:
        return None
    first = min(float(document["started"]), done[0][0])
    last = max(float(document["finished"] or 0), done[-1][0], first + 1)
    times = [(at - first) / (last - first) for at, _ in done]
    octets = list(accumulate(size for _, size in done))
    about = f"{len(done):,} jobs done and {sized(octets[-1])} archived between the first and the last moment"
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "jobs": _line(times, range(1, len(done) + 1)),
        "bytes": _line(times, octets) if octets[-1] else "",
        "total": f"{len(done):,} jobs",
        "archived": sized(octets[-1]),
        "from": _said(clock.brief(first)),
        "to": _said(clock.brief(last)),
        "about": about,
    }


def _line(times: Sequence[float], values: Sequence[int]) -> str:
    """The points of a polyline: stairs from nothing to all."""
    step = max(1, -(-len(times) // _MOST))
    chosen = [*range(0, len(times) - 1, step), len(times) - 1]
    top, points, y = values[-1], [(0.0, HEIGHT)], HEIGHT
    for number in chosen:
        x = times[number] * WIDTH
        points.append((x, y))
        y = HEIGHT * (1 - values[number] / top)
        points.append((x, y))
    points.append((WIDTH, y))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _said(moment: Written | None) -> str:
    return moment.local if moment else ""

"""The table that people read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.result import OURS, Results
from benchmarks.tool import Job


def table(results: Results, tools: Sequence[str], sizes: Sequence[int]) -> str:
    """Markdown: median wall seconds (CPU seconds) of every tool, job and fleet; `×` = compared with ours."""
    columns = [(job, servers) for job in Job for servers in sizes]
    rows = [["", *(f"{job} {servers}" for job, servers in columns)]]
    rows += [[tool, *(_cell(results, tool, job, servers) for job, servers in columns)] for tool in tools]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], _line(["-" * width for width in widths], widths), *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"


def _cell(results: Results, tool: str, job: Job, servers: int) -> str:
    wall, cpu = results.wall(tool, job, servers), results.cpu(tool, job, servers)
    if wall is None or cpu is None:
        return "-"
    ratio = results.ratio(tool, OURS, job, servers)
    times = "" if ratio is None or tool == OURS else f" {ratio:.1f}×" if ratio < 10 else f" {ratio:.0f}×"
    return f"{wall:.2f} ({cpu:.2f}){times}"


def gaps(results: Results) -> Iterator[str]:
    """Every number that is not there, and why; each reason once for a tool."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for cell, why in results.missing.items():
        reasons.setdefault((cell.tool, why), []).append(f"{cell.job} {cell.servers}")
    for (tool, why), cells in reasons.items():
        yield f"not measured: {tool}, {', '.join(cells)}: {why}"

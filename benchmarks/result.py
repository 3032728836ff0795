"""What was measured, and what follows from it: medians, ratios, and whether the targets were reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.measure import Sample, median
from benchmarks.tool import Job

OURS = "vtsconf"
LIMIT = "limit: paramiko, one exec"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one median is of."""

    tool: str
    job: Job
    servers: int


@dataclass(slots=True)
class Results:
    samples: dict[Cell, list[Sample]] = field(default_factory=dict)
    missing: dict[Cell, str] = field(default_factory=dict)  # why there is no number

    def missing_of(self, tool: str) -> bool:
        return any(cell.tool == tool for cell in self.missing)

    def wall(self, tool: str, job: Job, servers: int) -> float | None:
        found = self.samples.get(Cell(tool, job, servers))
        return median(s.wall for s in found) if found else None

    def cpu(self, tool: str, job: Job, servers: int) -> float | None:
        found = self.samples.get(Cell(tool, job, servers))
        return median(s.cpu for s in found) if found else None

    def ratio(self, above: str, below: str, job: Job, servers: int) -> float | None:
        top, bottom = self.wall(above, job, servers), self.wall(below, job, servers)
        return top / bottom if top is not None and bottom else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and what was measured; `value` None: it was not measured."""

    what: str
    target: str
    value: float | None
    reached: bool

    def __str__(self) -> str:
        if self.value is None:
            return f"  ?  not measured  {self.what}: {self.target}"
        word = "reached" if self.reached else "MISSED "
        return (
            f"  {'=' if self.reached else '!'}  {word}  {self.what}: {self.value:.2f} (target {self.target})"
        )


def at_most(what: str, value: float | None, most: float, unit: str = "") -> Verdict:
    return Verdict(what, f"≤ {most:g}{unit}", value, value is not None and value <= most)


def at_least(what: str, value: float | None, least: float, unit: str = "") -> Verdict:
    return Verdict(what, f"≥ {least:g}{unit}", value, value is not None and value >= least)


_FLEET = (("ansible, tuned", 50.0), ("ansible + mitogen", 15.0), ("pyinfra", 3.0), ("bundlewrap, tuned", 4.0))


def verdicts(results: Results) -> Iterator[Verdict]:
    """The targets for speed, by ratio of two medians of the same run."""
    for servers, most in ((1, 2.0), (10, 1.5), (50, 1.5), (100, 1.5)):
        ratio = results.ratio(OURS, LIMIT, Job.PLAN, servers)
        yield at_most(f"plan of {servers}: ours / bare paramiko", ratio, most, "×")
    for servers in (50, 100):
        ratio = results.ratio(OURS, LIMIT, Job.APPLY, servers)
        yield at_most(f"apply, confirmed, of {servers}: ours / bare paramiko", ratio, 2.0, "×")
    for peer, servers, least in (
        ("bundlewrap, tuned", 1, 1.0),
        ("ansible, tuned", 10, 15.0),
        ("pyinfra", 10, 2.5),
        *((peer, servers, least) for servers in (50, 100) for peer, least in _FLEET),
    ):
        ratio = results.ratio(peer, OURS, Job.PLAN, servers)
        yield at_least(f"plan of {servers}: {peer} / ours", ratio, least, "×")

"""`make bench`: ours and the peers on the same real OpenSSH servers, in one run."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import micro, servers, table, venvs
from benchmarks.limits import OpenSshLimit, ParamikoLimit
from benchmarks.measure import Sample, run
from benchmarks.ours import Ours
from benchmarks.peers import PEERS
from benchmarks.result import Cell, Results, verdicts
from benchmarks.servers import Servers
from benchmarks.tool import Job, NotMeasured, Site, Tool

_FULL = "takes long: only with --full"


def say(text: str) -> None:
    click.echo(text, err=True)


@dataclass(kw_only=True)
class Bench:
    """One run: which tools, on which servers, how often."""

    folder: Path
    on: Servers
    repeat: int | None
    full: bool
    results: Results

    def site(self, tool: Tool, count: int) -> Site:
        folder = self.folder / f"{tool.name.replace(',', '').replace(' ', '-').replace(':', '')}-{count}"
        folder.mkdir(exist_ok=True)
        return Site(
            folder=folder,
            servers=tuple(self.on.servers[:count]),
            templates=self.on.templates,
            key=self.on.key,
            known_hosts=self.on.known_hosts,
            host_key=self.on.host_key(),
        )

    def begin(self) -> None:
        """Ours makes all servers as they should be; from then on that is what every tool is held to."""
        ours = Ours(self.folder)
        site = self.site(ours, len(self.on.running))
        ours.write(site)
        call = ours.call(Job.APPLY, site)
        sample = run(call.words, cwd=site.folder)
        if sample.exit:
            raise click.ClickException(f"the first apply failed:\n{sample.output}")
        self.on.learn()
        if wrong := self.on.wrong(len(self.on.running)):
            raise click.ClickException(f"the first apply left {wrong[:3]}")

    def warm_up(self, tools: list[Tool], count: int) -> None:
        """Once without counting: compiled Python files and caches are there in everyday use."""
        for tool in tools:
            with contextlib.suppress(NotMeasured):
                self.once(tool, count, Job.PLAN)

    def measure(self, tools: list[Tool], count: int, job: Job) -> None:
        """Every tool once, then again: what disturbs this machine disturbs all of them."""
        for turn in range(self._most(count)):
            for tool in tools:
                cell = Cell(tool.name, job, count)
                if cell in self.results.missing or turn >= self._repeats(tool, count):
                    continue
                if not self.full and not _is_usual(tool, count, job):
                    self.results.missing[cell] = _FULL
                    continue
                try:
                    sample = self.once(tool, count, job)
                except NotMeasured as error:
                    self.results.missing[cell] = str(error)
                    say(f"  {tool.name}: {job} of {count}: {error}")
                    continue
                self.results.samples.setdefault(cell, []).append(sample)
                say(f"  {tool.name}: {job} of {count}: {sample.wall:.2f} s ({sample.cpu:.2f} s CPU)")

    def once(self, tool: Tool, count: int, job: Job) -> Sample:
        """One run from a known state, and proof that it did the job. Raises NotMeasured."""
        site = self.site(tool, count)
        if not any(site.folder.iterdir()):
            tool.write(site)
        self.on.right(count)
        if job is Job.APPLY:
            self.on.outdate(count)
        restarts = self.on.restarts(count)
        call = tool.call(job, site)
        try:
            sample = run(call.words, cwd=site.folder, env=call.env)
        finally:
            tool.forget(site)
        wanted = count if job is Job.APPLY else 0
        if complaint := tool.complaint(job, sample):
            raise NotMeasured(f"{complaint}: {_last_line(sample.output)}")
        if wrong := self.on.wrong(count):
            raise NotMeasured(f"it left {len(wrong)} files wrong, e.g. {wrong[0]}")
        if (made := self.on.restarts(count) - restarts) != wanted:
            raise NotMeasured(f"{made} restarts instead of {wanted}")
        return sample

    def _repeats(self, tool: Tool, count: int) -> int:
        if self.repeat:
            return self.repeat
        usual = {1: 7, 10: 5}.get(count, 3)
        return 1 if tool.slow else usual

    def _most(self, count: int) -> int:
        return self.repeat or {1: 7, 10: 5}.get(count, 3)


def _is_usual(tool: Tool, count: int, job: Job) -> bool:
    """Whether it is part of a run without --full, which is to end in ten minutes."""
    if count > tool.largest:
        return False
    return not tool.slow or count == 1 or (job is Job.PLAN if count > 10 else job is not Job.AGAIN)


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"


def _ready(peers: str, where: Path, results: Results, sizes: list[int]) -> list[Tool]:
    """The tools asked for, installed."""
    wanted = [name.strip() for name in peers.split(",") if name.strip()]
    chosen = [peer for peer in PEERS if peers == "all" or any(peer.name.startswith(name) for name in wanted)]
    tools: list[Tool] = [Ours(where), ParamikoLimit(where), OpenSshLimit(where)]
    for tool in (peer(where) for peer in chosen):
        try:
            venvs.install(tool, where)
        except NotMeasured as error:
            results.missing |= {Cell(tool.name, job, size): str(error) for size in sizes for job in Job}
        tools.append(tool)
    return tools


def _document(results: Results, small: micro.Micro, tools: list[Tool]) -> dict[str, object]:
    return {
        "format": "vtsconf/bench/1",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {tool.name: tool.packages for tool in tools},
        "samples": [
            {**asdict(cell), "runs": [{"wall": s.wall, "cpu": s.cpu, "memory": s.memory} for s in found]}
            for cell, found in results.samples.items()
        ],
        "missing": [{**asdict(cell), "why": why} for cell, why in results.missing.items()],
        "micro": asdict(small),
    }


@click.command()
@click.option("--servers", "sizes", default="1,10,50,100", show_default=True, help="Sizes of the fleets.")
@click.option("--peers", default="all", show_default=True, help='Names, or how they begin; "" for none.')
@click.option("--jobs", default=",".join(Job), show_default=True, help="What to measure.")
@click.option("--repeat", type=click.IntRange(1), help="Runs a number. [default: by fleet and tool]")
@click.option("--full", is_flag=True, help="Also what takes long; about 40 minutes.")
@click.option(
    "--venvs",
    "where",
    type=click.Path(path_type=Path),
    default=venvs.default_folder(),
    help="Where peers are installed.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write all samples there, as JSON.")
def main(
    sizes: str, peers: str, jobs: str, repeat: int | None, full: bool, where: Path, out: Path | None
) -> None:
    """Measure; print one table of medians, ratios, and whether the targets were reached."""
    if lacks := servers.lacking():
        raise click.ClickException(f"real servers need {', '.join(lacks)}")
    counts = [int(size) for size in sizes.split(",")]
    began, results = time.monotonic(), Results()
    tools = _ready(peers, where, results, counts)
    with tempfile.TemporaryDirectory(prefix="vtsbench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        say(f"starting {max(counts)} servers")
        with servers.started(folder, max(counts)) as on:
            bench = Bench(folder=folder, on=on, repeat=repeat, full=full, results=results)
            bench.begin()
            bench.warm_up([tool for tool in tools if not results.missing_of(tool.name)], min(counts))
            try:
                for count in counts:
                    for job in (Job(word) for word in jobs.split(",")):
                        bench.measure(tools, count, job)
            except KeyboardInterrupt:
                say("interrupted: this is what was measured until then")
            small = micro.measured(folder, bench.site(Ours(where), max(counts)), on)
    click.echo(f"Median wall seconds (CPU seconds) and how many times ours; {os.cpu_count()} cores.\n")
    click.echo(table.table(results, [tool.name for tool in tools], counts))
    for line in table.gaps(results):
        click.echo(line)
    click.echo("\nTargets:")
    for verdict in [*verdicts(results), *micro.verdicts(small)]:
        click.echo(str(verdict))
    say(f"measured in {time.monotonic() - began:.0f} s")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(_document(results, small, tools), indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks.executor`: what the migration executor costs, beside plain `xargs -P` with the same backup client.

Throughput: the same tapes on the same servers of a lab, the same client made slow by the same time, the same number at
once; `xargs` has no limits, no journal and no proof. The lab's servers share this machine, so what a server does for a run
is counted against the executor as well. Memory: made-up jobs in the book. Scale: servers in memory, for a real server's
own load would hide the controller's.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from benchmarks.measure import Sample, run
from vtsconf import bma
from vtsconf.bma.tsm.client import Settings
from vtsconf.core.connection import Target
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.turns import Limits
from vtsconf.engine import durable
from vtsconf.engine.journal import Journal
from vtsconf.engine.lab.lab import Lab
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.executor import Executor, engine_store, flows_of
from vtsconf.engine.migrate.hands import Hands
from vtsconf.engine.migrate.lookout import Lookout
from vtsconf.engine.migrate.yard import Place, Yard
from vtsconf.transport.fake import MemoryServer
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState

PROGRAM = (sys.executable, "-m", "vtsconf")
CLIENT = "/opt/tivoli/tsm/client/ba/bin/dsmc"
POLICY = """\
vts:
  policies:
    everything: {select: {pools: [BENCH]}, action: migrate, bma: tsm, options: {type: archive}}
"""
_ALL = "VTSCONF_JOBS", "VTSCONF_JOBS_PER_HOST", "VTSCONF_JOBS_PER_BMA"


# ---- throughput


def tapes(lab: Lab, each: int) -> list[tuple[str, str]]:
    """New tapes in an empty pool: (client, path), the servers by turns."""
    made = []
    for number in range(each):
        for host in lab.hosts:
            path = host.path(f"/VAULT01/BENCH/T{number:05}")
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(f"{time.time_ns()}\n".encode() * 50)
            made.append((str(host.path(CLIENT)), str(path)))
    return made


def archived(lab: Lab) -> int:
    """Copies in the tape library."""
    return sum(1 for _ in (lab.folder / "library/tsm").glob("*/[0-9]*/path"))


def by_xargs(lab: Lab, each: int, parallel: int) -> Sample:
    """As a shell script would: the client itself, on the servers themselves, N at once."""
    words = "".join(f"{client}\n{path}\n" for client, path in tapes(lab, each))
    (lab.folder / "tapes").write_text(words)
    script = f'exec xargs -P {parallel} -n 2 sh -c \'exec "$0" archive "$1" >/dev/null\' <tapes'
    return run(("sh", "-c", script), cwd=lab.folder)


def by_executor(lab: Lab, each: int, parallel: int) -> Sample:
    tapes(lab, each)
    env = dict.fromkeys(_ALL, str(parallel))
    return run((*PROGRAM, "migrate", "run"), cwd=lab.folder, env=env)


_WAYS = {"xargs": by_xargs, "vtsconf": by_executor}


def throughput(folder: Path, servers: int, each: int, parallel: int, seconds: int, repeat: int) -> None:
    """By turns, after a round that is not measured; the best of each."""
    count = servers * each
    with Lab.up(folder / "lab", servers=servers, detached=True) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        _good(run((*PROGRAM, "apply", "-y"), cwd=lab.folder))
        for host in lab.hosts:
            host.break_("bma", "slow", str(seconds), "archive")
        found: dict[str, list[Sample]] = {"xargs": [], "vtsconf": []}
        for turn in range(repeat):
            for way in ("xargs", "vtsconf")[:: 1 if turn % 2 else -1]:
                before = archived(lab)
                found[way].append(_good(_WAYS[way](lab, each, parallel)))
                if archived(lab) - before != count:
                    raise click.ClickException(f"{way}: {archived(lab) - before} copies of {count} tapes")
    click.echo(f"\n{count} tapes, {servers} servers, {parallel} at once, a client of {seconds} s:\n")
    click.echo("| | seconds | tapes/s | over the client's own time, s per job | CPU s per job | MB |")
    click.echo("|---|---|---|---|---|---|")
    best = {way: min(samples, key=lambda s: s.wall) for way, samples in found.items()}
    for way, sample in best.items():
        over = sample.wall * parallel / count - seconds
        click.echo(
            f"| {way} | {sample.wall:.1f} | {count / sample.wall:.2f} | {over:.2f} | {sample.cpu / count:.3f}"
            f" | {sample.memory:.0f} |"
        )
    click.echo(f"\nvtsconf / xargs: {best['xargs'].wall / best['vtsconf'].wall:.2f}")


def _good(sample: Sample) -> Sample:
    if sample.exit:
        raise click.ClickException(sample.output[-2000:])
    return sample


# ---- memory


def job(number: int, servers: int = 20) -> Job:
    return Job(
        host=f"vts{number % servers + 1}", cartridge=f"/VAULT01/POOL/T{number:06}", action="migrate", bytes=10**9,
        mtime=number, inode=number + 2, bma="tsm", policy="nightly", options={"type": "archive"}, attempts=1,
    )  # fmt: skip


def queue(folder: str, count: int) -> None:
    """In a process of its own, whose peak is told: fill the book, and take jobs one by one."""
    book = Book(f"sqlite:///{folder}/queue.db")
    began = time.perf_counter()
    book.add("r1", (job(n) for n in range(count)), 1)
    added = time.perf_counter() - began
    limits, seconds = Limits(total=1), []
    for now in range(200):
        began = time.perf_counter()
        (entry,) = book.take("bench", limits, 1, now + 2)
        seconds.append(time.perf_counter() - began)
        book.taken()
        book.end(entry, Status.DONE, now + 2)
    book.close()
    told = sorted(seconds)
    click.echo(f"| {count} | {added:.1f} | {told[100] * 1000:.1f} | {told[198] * 1000:.1f} | {_peak():.0f} |")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ---- scale


@dataclass(kw_only=True)
class Counted(MemoryServer):
    """A run ends `seconds` after its start, and its client says that the library is full; every call is one exec."""

    seconds: float
    calls: Counter[str] = field(default_factory=Counter)

    def start(
        self, spec: RunSpec, state_dir: str, *, patience: float = 0.0, paths: Sequence[str] = ()
    ) -> RunState:
        self.calls["start"] += 1
        state = super().start(spec, state_dir, patience=0.0 * patience, paths=paths)
        said = b"ANS1329S Server out of data storage space\n"
        end = threading.Timer(self.seconds, self.jobs.finish, (spec.id, 12, said))
        end.daemon = True
        end.start()
        return state

    def look(
        self, ids: Sequence[str], state_dir: str, paths: Sequence[str] = (), *, patience: float = 0.0
    ) -> RunsSeen:
        self.calls["look"] += 1
        return super().look(ids, state_dir, paths, patience=patience)


def follow(folder: str, count: int, servers: int, seconds: float) -> None:
    """In a process of its own: so many jobs at once over the real engine, on servers that are dictionaries."""
    jobs = [job(n, servers) for n in range(count)]
    yard, made = _yard(servers, seconds, jobs)
    url = f"sqlite:///{folder}/scale.db"
    book, lookout = Book(url), Lookout(yard)
    book.add("r1", jobs, int(time.time()))
    hands = Hands(
        book=book, journal=Journal(url), yard=yard, lookout=lookout, now=time.time, stopping=lambda: False
    )
    limits = Limits(total=count, per_host=count, per_bma=count)
    began, cpu, peak = time.monotonic(), time.process_time(), [0, 0.0, 0]

    def is_over() -> bool:
        running = sum(run.state == "running" for one in made.values() for run in list(one.jobs.runs.values()))
        if running > peak[0]:
            peak[:] = [running, time.monotonic() - began, threading.active_count()]
        return book.is_idle()

    with durable.Engine(engine_store(url), flows=flows_of(hands)) as engine:
        Executor(hands=hands, engine=engine, limits=lambda: limits, most=count).run(is_over)
        lookout.close()
    looks = sum(one.calls["look"] for one in made.values())
    click.echo(
        f"| {peak[0]} | {servers} | {seconds:.0f} | {peak[1]:.1f} | {looks / servers:.0f} | {looks / count:.2f}"
        f" | {peak[2]} | {(time.process_time() - cpu) / count:.3f} | {_peak():.0f} |"
    )


def _yard(servers: int, seconds: float, jobs: Sequence[Job]) -> tuple[Yard, dict[str, Counted]]:
    settings = Settings.model_validate({"servers": {"TSM1": {"tcpserveraddress": "tsm1"}}})
    migrator = bma.migrator("tsm", settings)
    assert migrator
    made = {f"vts{n}": Counted(seconds=seconds) for n in range(1, servers + 1)}
    for one in jobs:
        made[one.host].jobs.tapes[one.cartridge] = Tape(
            path=one.cartridge, size=one.bytes, mtime=one.mtime, inode=one.inode
        )
    places = {
        name: Place(host=name, target=Target(name=name), state_dir="/s", bmas={"tsm": (migrator, settings)})
        for name in made
    }
    return Yard(places=places, reach=lambda target: made[target.name]), made


@click.command()
@click.option("--tapes", "each", default=20, show_default=True, help="On each server.")
@click.option("--servers", default=4, show_default=True)
@click.option("--parallel", default=16, show_default=True)
@click.option("--seconds", default=2, show_default=True, help="That the client takes.")
@click.option("--repeat", default=2, show_default=True)
@click.option("--only", type=click.Choice(["throughput", "memory", "scale"]))
@click.option("--child", nargs=2, hidden=True)
def main(
    each: int,
    servers: int,
    parallel: int,
    seconds: int,
    repeat: int,
    only: str | None,
    child: tuple[str, str] | None,
) -> None:
    """Print Markdown tables."""
    if child:
        name, folder = child
        queue(folder, 10_000) if name == "memory" else follow(folder, 500, 20, 60.0)
        return
    with tempfile.TemporaryDirectory(prefix="vtsbench-") as name:
        if only in (None, "throughput"):
            throughput(Path(name), servers, each, parallel, seconds, repeat)
        for part, head in _HEADS.items():
            if only in (None, part):
                click.echo(head, nl=False)
                own = (sys.executable, "-m", "benchmarks.executor", "--child", part, name)
                click.echo(_good(run(own, cwd=Path.cwd())).output)


_HEADS = {
    "memory": """
| waiting jobs | adding them, s | take(), median ms | take(), 99 % ms | MB at most |
|---|---|---|---|---|
""",
    "scale": """
| running at once | servers | seconds each | begun within s | looks a server | looks a job | threads | CPU s a job | MB at most |
|---|---|---|---|---|---|---|---|---|
""",
}


if __name__ == "__main__":
    main()

"""`python -m benchmarks.simulate`: fleets in memory, up to 10,000 servers: planner, waves and journal, time and memory.

No network and no shell: the servers are dictionaries. What is measured is what the controller itself does: reading
the documents, judging them, comparing, making the waves, driving them, and writing every step into the journal.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from benchmarks import work

CONFIG = "/usr/local/tape/vts.conf"
CONFIG_LINES = (
    "".join(f"vtd_note_{n:03}='value {n}'\n" for n in range(110)) + "ems_enable='NO'\nems_keep_alive='120'\n"
)
STRATEGY = """\
canary: 1
waves: [1%, 10%, 25%]
apart: ["pair_*"]
max_failures: 1%
"""


def write_project(folder: Path, count: int) -> None:
    """`count` servers in pairs, with a small desired state."""
    names = [f"vts{n:05}" for n in range(count)]
    pairs = {f"pair_{n:05}": {"hosts": dict.fromkeys(names[2 * n : 2 * n + 2])} for n in range(count // 2)}
    hosts = {name: {"ansible_host": "127.0.0.1"} for name in names}
    desired = {
        "release": "8.3",
        "config_file": CONFIG,
        "services": {"ems": {"restart": ["true"], "status": ["true"]}},
        "ems": work.EMS | {"hosts": work.EMS_HOSTS},
    }
    (folder / "group_vars").mkdir(parents=True)
    (folder / "rollouts").mkdir()
    (folder / "inventory.yaml").write_text(json.dumps({"all": {"hosts": hosts, "children": pairs}}, indent=1))
    (folder / "group_vars/all.yaml").write_text(json.dumps({"vts": desired}, indent=1))
    (folder / "rollouts/night.yaml").write_text(STRATEGY)


def simulate(folder: Path) -> dict[str, float]:
    """Plan, start and drive one rollout over the project in `folder`; seconds of each part, and the peak in MB."""
    from vtsconf.cli.planning import make_plan
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.probe import FileKind, FileSeen
    from vtsconf.engine.rollout.begin import begin
    from vtsconf.engine.rollout.course import course_of
    from vtsconf.engine.rollout.desk import Desk
    from vtsconf.engine.rollout.driver import drive
    from vtsconf.transport.fake import MemoryServer

    data = CONFIG_LINES.encode()
    servers: dict[str, MemoryServer] = {}

    def reach(target) -> MemoryServer:
        if target.name not in servers:
            seen = FileSeen(
                kind=FileKind.FILE, data=data, owner="root", group="root", mode="0644", size=len(data)
            )
            servers[target.name] = MemoryServer(files={CONFIG: seen})
        return servers[target.name]

    times: dict[str, float] = {}
    clock = time.monotonic()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.monotonic()
        times[name], clock = round(now - clock, 2), now

    shop = open_shop(str(folder / "inventory.yaml"))
    reach.warm = lambda _kinds: None
    shop.__dict__["reach"] = reach
    plan, preparation = make_plan(shop, None, quiet=True)
    lap("plan")
    course = course_of(plan, "night", shop.project)
    lap("waves")
    targets = {ready.name: ready.target for ready in preparation.ready}
    desk = Desk(
        run="r1", order=shop.order("r1"), journal=shop.journal, find_targets=lambda _: targets, now=time.time
    )
    begin(plan, course, desk)
    lap("begin")
    halt = drive(desk)
    lap("rollout")
    rollout = desk.ledger.read()
    changed = sum(1 for _ in rollout.changed())
    if (halt.kind, changed) != ("ended", len(rollout.seen.hosts)):
        raise RuntimeError(f"{halt}: {changed} of {len(rollout.seen.hosts)} changed")
    shop.journal.runs()
    lap("history")
    times["waves made"] = len(course.waves)
    times["memory"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    times["journal"] = round((folder / ".vtsconf/vtsconf.db").stat().st_size / 1e6, 1)
    return times


def picture(sizes: Sequence[int], rows: Sequence[dict[str, float]]) -> Iterator[str]:
    """Seconds and memory over the number of servers, as a diagram that Markdown shows."""
    seconds = [sum(row[part] for part in ("plan", "waves", "begin", "rollout", "history")) for row in rows]
    for title, unit, values in (
        ("time", "seconds", seconds),
        ("memory", "MB", [row["memory"] for row in rows]),
    ):
        yield "```mermaid\nxychart-beta"
        yield f'  title "Simulated fleet: {title}"'
        yield f'  x-axis "servers" [{", ".join(map(str, sizes))}]'
        yield f'  y-axis "{unit}" 0 --> {max(values) * 1.1:.0f}'
        yield f"  line [{', '.join(f'{value:.1f}' for value in values)}]"
        yield "```"


def table(sizes: Sequence[int], rows: Sequence[dict[str, float]]) -> Iterator[str]:
    parts = ["plan", "waves", "begin", "rollout", "history", "memory", "journal", "waves made"]
    yield f"| servers | {' | '.join(parts)} |"
    yield f"|{'---|' * (len(parts) + 1)}"
    for size, row in zip(sizes, rows, strict=True):
        yield f"| {size} | {' | '.join(f'{row[part]:g}' for part in parts)} |"


@click.command()
@click.option("--servers", "sizes", default="1000,2500,5000,10000", help="Sizes of the fleets.")
@click.option("--inside", type=click.Path(path_type=Path), hidden=True)
def main(sizes: str, inside: Path | None) -> None:
    """Each size in a process of its own; prints a table (seconds, MB) and the pictures."""
    if inside:
        click.echo(json.dumps(simulate(inside)))
        return
    counts = [int(size) for size in sizes.split(",")]
    rows = []
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="vtsconf-simulated-") as name:
            folder = Path(name) / "project"
            write_project(folder, count)
            words = [sys.executable, "-m", "benchmarks.simulate", "--inside", str(folder)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise click.ClickException(done.stderr[-2000:])
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        click.echo(f"{count}: {rows[-1]}", err=True)
    for line in (*table(counts, rows), "", *picture(counts, rows)):
        click.echo(line)


if __name__ == "__main__":
    main()

"""`python -m benchmarks.engine`: what the durable engine costs: the same plan by `apply` and by `rollout start`.

The same real servers, three files of each differ, turn by turn; the rollout is `all-at-once`, so there is no soak time and
nothing is asked. With `--store postgresql://…` the servers are shared out over the queue, as with several controllers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.measure import Sample, median, run
from benchmarks.ours import PROGRAM, Ours
from benchmarks.servers import Servers, lacking, started
from benchmarks.tool import Site

_WAYS = {
    "apply": ("apply",),
    "rollout": ("rollout", "start", "--strategy", "all-at-once", "--yes"),
}


def once(way: str, on: Servers, site: Site, count: int) -> Sample:
    """One run of a plan made just before, which is not measured."""
    on.right(count)
    on.outdate(count)
    env = {"VTSCONF_PARALLEL": str(max(50, count))}
    planned = run((PROGRAM, "plan", "--out", "p.json"), cwd=site.folder, env=env)
    command, *flags = _WAYS[way]
    words = (PROGRAM, command, *flags[:1], "p.json", *flags[1:]) if flags else (PROGRAM, command, "p.json")
    done = run(words, cwd=site.folder, env=env)
    if planned.exit or done.exit or on.wrong(count):
        raise click.ClickException(f"{way}: {planned.output[-500:]}{done.output[-1500:]}")
    return done


@click.command()
@click.option("--servers", "sizes", default="1,10,50", show_default=True)
@click.option("--repeat", default=5, show_default=True)
@click.option("--store", help="A PostgreSQL for the journal and the engine, instead of SQLite.")
def main(sizes: str, repeat: int, store: str | None) -> None:
    """Print medians of wall and CPU seconds, and what the engine adds."""
    if lacks := lacking():
        raise click.ClickException(f"real servers need {', '.join(lacks)}")
    counts = [int(size) for size in sizes.split(",")]
    click.echo("| servers | apply | rollout | the engine adds |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="vtsbench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with started(folder, max(counts)) as on:
            for count in counts:
                site = _site(folder / f"ours-{count}", on, count, store)
                for way in _WAYS:
                    once(way, on, site, count)  # caches, the tables of the store
                found = {way: [] for way in _WAYS}
                for _ in range(repeat):
                    for way in _WAYS:
                        found[way].append(once(way, on, site, count))
                wall = {way: median(s.wall for s in samples) for way, samples in found.items()}
                cpu = {way: median(s.cpu for s in samples) for way, samples in found.items()}
                told = " | ".join(f"{wall[way]:.2f} ({cpu[way]:.2f})" for way in _WAYS)
                click.echo(f"| {count} | {told} | {wall['rollout'] - wall['apply']:+.2f} s |")


def _site(folder: Path, on: Servers, count: int, store: str | None) -> Site:
    folder.mkdir()
    site = Site(
        folder=folder,
        servers=tuple(on.servers[:count]),
        templates=on.templates,
        key=on.key,
        known_hosts=on.known_hosts,
        host_key=on.host_key(),
    )
    Ours(folder).write(site)
    if store:
        (folder / "vtsconf.toml").write_text(f'store = "{store}"\n')
    first = run((PROGRAM, "apply", "--yes"), cwd=folder)
    if first.exit:
        raise click.ClickException(f"the first apply failed:\n{first.output}")
    on.learn()
    return site


if __name__ == "__main__":
    main()

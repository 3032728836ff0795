"""`python -m benchmarks.listing`: every tape of a server over SSH: ours, and `ssh host find … -printf` alone.

One real OpenSSH server, sparse tapes on a file system in memory, turn by turn; medians, and the peak memory of our process.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from benchmarks.measure import Sample, median, run
from benchmarks.result import at_most
from tests.real.openssh import OpenSsh, keys, missing

_PRINTF = r"%p\t%s\t%T@\t%i\t%U\t%b\n"  # what a tape is, and no more; %U is the cheaper way to say whose


def lay_out(vault: Path, tapes: int, per_pool: int = 10_000) -> None:
    """Sparse tapes of a gigabyte each, in as many pools as it takes."""
    for number in range(tapes):
        pool = vault / f"POOL{number // per_pool:03}"
        if number % per_pool == 0:
            pool.mkdir(parents=True)
        handle = os.open(f"{pool}/T{number:07}", os.O_CREAT | os.O_WRONLY)
        os.ftruncate(handle, 10**9 + number)
        os.close(handle)


def plain(server: OpenSsh, folder: Path) -> Sample:
    known = folder / "known_hosts"
    known.write_text(server.known_hosts("host_ed25519"))
    options = ("-F", "none", "-i", keys().user, "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes")
    find = f"find /VAULT01 -mindepth 2 -maxdepth 2 -type f -printf '{_PRINTF}'"
    words = ("ssh", *options, "-p", str(server.port), f"root@{server.address}", find)
    return run(("sh", "-c", 'exec "$@" >/dev/null', "sh", *words), cwd=folder)


def ours(server: OpenSsh) -> Sample:
    return run((sys.executable, "-m", "benchmarks.listing", "--only", str(server.port)), cwd=Path.cwd())


def list_here(port: int) -> None:
    """What is measured of ours: connect, list, count."""
    import secrets

    from vtsconf.core.connection import Target
    from vtsconf.transport.shell import ShellServer
    from vtsconf.transport.ssh import SshConnector

    target = Target(
        name="vts1",
        address="127.0.0.1",
        port=port,
        user="root",
        key_files=(os.environ["BENCH_KEY"],),
        host_key=os.environ["BENCH_HOST_KEY"],
        ssh_config="",
        use_agent=False,
    )
    server = ShellServer(SshConnector().connect(target), new_mark=lambda: f"m{secrets.token_hex(8)}")
    total = 0

    def take(tape: object) -> None:
        nonlocal total
        total += tape.size  # type: ignore[attr-defined]

    seen = server.tapes(["/VAULT01"], take)
    server.close()
    click.echo(f"{seen.count} tapes, {total} bytes, {len(seen.problems)} problems, peak {_peak():.0f} MB")


def _peak() -> float:
    """Our own; what wait4 tells has that of the process that started us in it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


@click.command()
@click.option("--tapes", default=1_000_000, show_default=True)
@click.option("--repeat", default=5, show_default=True)
@click.option("--only", type=int, hidden=True)
def main(tapes: int, repeat: int, only: int | None) -> None:
    """Print medians and whether the targets were reached."""
    if only:
        list_here(only)
        return
    if lacks := missing():
        raise click.ClickException(f"a real server needs {', '.join(lacks)}")
    memory = Path("/dev/shm")
    vault = Path(tempfile.mkdtemp(prefix="vtsbench-", dir=memory if memory.is_dir() else None))
    try:
        with tempfile.TemporaryDirectory(prefix="vtsbench-") as name:
            _measure(Path(name), vault, tapes, repeat)
    finally:
        shutil.rmtree(vault)


def _measure(folder: Path, vault: Path, tapes: int, repeat: int) -> None:
    folder.chmod(0o755)
    lay_out(vault, tapes)
    with OpenSsh.start(folder, mounts={"/VAULT01": vault}) as server:
        os.environ["BENCH_KEY"], os.environ["BENCH_HOST_KEY"] = (
            str(keys().user),
            keys().public("host_ed25519"),
        )
        found: dict[str, list[Sample]] = {"plain": [], "ours": []}
        for _ in range(repeat):
            found["plain"].append(plain(server, folder))
            found["ours"].append(ours(server))
    said = found["ours"][0].output
    if any(s.exit for samples in found.values() for s in samples) or not said.startswith(f"{tapes} tapes"):
        raise click.ClickException(said + found["plain"][0].output[-500:])
    wall = {way: median(s.wall for s in samples) for way, samples in found.items()}
    for way, samples in found.items():
        click.echo(f"{way:6} {wall[way]:6.2f} s  ({median(s.cpu for s in samples):.2f} s of CPU here)")
    click.echo(at_most(f"{tapes} tapes: ours / plain find", wall["ours"] / wall["plain"], 1.5, "×"))
    peaks = [float(s.output.rpartition("peak ")[2].split()[0]) for s in found["ours"]]
    click.echo(at_most("memory", max(peaks), 300, " MB"))


if __name__ == "__main__":
    main()

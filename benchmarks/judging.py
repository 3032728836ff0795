"""`python -m benchmarks.judging`: a million tapes judged by 50 policies: seconds, memory, and whether it is linear.

The tapes are made one after another, as a listing brings them, and are gone when they are judged. `shared` is what a site
looks like: each policy is about a vault or a pool. `worst` has every policy asked about every tape.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import click

from vtsconf.core.migrate.judge import Judge
from vtsconf.core.migrate.policy import Policy, Select
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape

NOW = 1_800_000_000
_POOLS = 100
_HEAD = """\
| tapes | policies | asked about | seconds | CPU seconds | of them making tapes | CPU µs a tape | MB at most | taken |
|---|---|---|---|---|---|---|---|---|"""


def tapes(count: int) -> Iterator[Tape]:
    """Spread over ten vaults and a hundred pools, up to 400 days old, up to 2 GB, one in seven erased."""
    for number in range(count):
        pool = number % _POOLS
        yield Tape(
            path=f"/VAULT{pool % 10:02}/POOL{pool:02}/T{number:07}",
            size=0 if number % 7 == 0 else (number * 7919) % 2_000_000_000 + 1,
            mtime=(NOW - number * 104_729 % 34_560_000) * 10**9,
            inode=number + 2,
            owner="root",
            allocated=2**31,
        )


def proof_of(path: str) -> Proof | None:
    """Every third tape is on tape, made up without a store: a store's own time is not measured here."""
    number = int(path[-7:])
    if number % 3:
        return None
    return Proof(
        host="vts1", cartridge=path, size=(number * 7919) % 2_000_000_000 + 1, inode=number + 2, bma="tsm",
        mtime=(NOW - number * 104_729 % 34_560_000) * 10**9, token="t", at=NOW - 86_400,
    )  # fmt: skip


def policies(count: int, kind: str) -> list[Policy]:
    """Mostly migrations, one in five erases, one in five restores."""
    return [
        Policy(
            name=f"p{number:02}",
            action=("erase", "restore", "migrate", "migrate", "migrate")[number % 5],  # type: ignore[arg-type]
            bma="tsm",
            priority=number,
            is_allowed=True,
            select=Select(
                vaults=("VAULT*",) if kind == "worst" else (f"VAULT{number % 10:02}",),
                pools=() if kind == "worst" else (f"POOL{number % 10}*", "POOL?[05]"),
                cartridges=("T*",),
                min_age=86_400 * (number % 30),
                min_size=10_000 * number,
            ),
        )
        for number in range(count)
    ]


def once(count: int, rules: int, kind: str) -> tuple[float, float, float, int, int]:
    """Seconds on the clock and of a processor, of them for making the tapes, MB at most, tapes taken."""
    began = time.process_time()
    for _ in tapes(count):
        pass
    made, clock = time.process_time(), time.perf_counter()
    judge = Judge(policies(rules, kind), NOW, proofs=proof_of)
    for tape in tapes(count):
        judge.see(tape)
    judge.end()
    judge.taken.sort()
    ended, passed = time.process_time(), time.perf_counter() - clock
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return passed, ended - made, made - began, memory, len(judge.taken)


@click.command()
@click.option("--tapes", "sizes", default="100000,300000,1000000", show_default=True)
@click.option("--policies", "rules", default=50, show_default=True)
@click.option("--one", hidden=True, help="KIND: measure one in this process.")
def main(sizes: str, rules: int, one: str | None) -> None:
    """Print a table; each row is measured in a process of its own."""
    if one:
        print(*once(int(sizes), rules, one))
        return
    print(_HEAD)
    for kind in ("shared", "worst"):
        for size in sizes.split(","):
            words = [sys.executable, "-m", "benchmarks.judging", "--tapes", size, "--policies", str(rules)]
            said = subprocess.run([*words, "--one", kind], check=True, capture_output=True, text=True).stdout
            passed, took, made, memory, taken = (float(word) for word in said.split())
            about = "every tape" if kind == "worst" else "its pools"
            each = took / int(size) * 1e6
            print(
                f"| {int(size):,} | {rules} | {about} | {passed:.1f} | {took:.1f} | {made:.1f} | {each:.1f}"
                f" | {memory:.0f} | {taken:,.0f} |"
            )


if __name__ == "__main__":
    main()

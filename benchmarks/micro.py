"""What the program itself costs: starting, reading documents, memory, and what a plan imports."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import median, run
from benchmarks.ours import PROGRAM
from benchmarks.result import Verdict, at_most
from benchmarks.servers import Servers
from benchmarks.tool import Site, write

_MODULES = """
import sys
from vtsconf.cli.main import run
code = run(["plan"])
print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Micro:
    """CPU in seconds, memory in MB. `imported`: foreign packages that a plan without changes has loaded."""

    version: float
    validate: float
    validate_lines: int
    memory: float
    memory_servers: int
    imported: list[str]


def measured(folder: Path, site: Site, on: Servers) -> Micro:
    """`site` is a written project of ours for all running servers."""
    on.right(len(site.servers))
    version = median(run((PROGRAM, "--version"), cwd=folder).cpu for _ in range(7))
    project = folder / "hundred"
    lines = _write_hundred(project)
    validate = [run((PROGRAM, "validate"), cwd=project) for _ in range(3)]
    if validate[0].exit:
        raise RuntimeError(validate[0].output)
    plan = run((PROGRAM, "plan"), cwd=site.folder)
    said = run((sys.executable, "-c", _MODULES), cwd=site.folder).output
    modules = said.rpartition("MODULES ")[2].split()
    return Micro(
        version=version,
        validate=median(sample.cpu for sample in validate),
        validate_lines=lines,
        memory=plan.memory,
        memory_servers=len(site.servers),
        imported=[
            name for name in modules if name not in sys.stdlib_module_names and not name.startswith("_")
        ],
    )


def verdicts(small: Micro) -> Iterator[Verdict]:
    yield at_most("`--version`, CPU seconds", small.version, 0.15)
    yield at_most(
        f"`validate` of 100 servers in {small.validate_lines} lines, CPU seconds", small.validate, 1.5
    )
    yield at_most(f"memory of a plan of {small.memory_servers}, MB", small.memory, 120)
    yield at_most(
        f"deepdiff imported by a plan without changes ({', '.join(small.imported)})",
        float("deepdiff" in small.imported),
        0,
    )


def _write_hundred(project: Path) -> int:
    """A hundred servers in 5,000 lines: each has some fifty of its own. Returns how many lines there are."""
    lines = ["all:", "  vars:", "    ansible_user: root", "  hosts:"]
    for number in range(1, 101):
        lines += [
            f"    vts{number:03}:",
            f"      ansible_host: 192.0.2.{number}",
            "      vts:",
            "        release: '8.3'",
            "        config_file: /usr/local/tape/etc/vts.conf",
            "        vaults: [VAULT01]",
            "        ems:",
            "          enable: true",
            f"          keep_alive: {200 + number}",
            "          hosts:",
            *(f"            NS{n}: {{vaults: [VAULT01], response_timeout: {n + 5}}}" for n in range(4)),
            "        hsm:",
            *(f"          hsm_site_{n:02}: {number + n}" for n in range(24)),
            "        files:",
            "          /etc/motd:",
            "            content: |",
            *(f"              line {n} of server {number}" for n in range(6)),
            "        services:",
            "          ems:",
            "            restart: [/usr/local/tape/bin/ems, restart]",
        ]
    write(project / "inventory.yaml", "\n".join(lines) + "\n")
    write(project / "vtsconf.toml", "")
    return len(lines)

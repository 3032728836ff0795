"""The main job from end to end, on three servers of a lab: `make demo`. Every command is real, and so is its output."""
# ruff: noqa: INP001, T201  a script, which prints

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = "usr/local/tape/lab/vts.conf"
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")


class Surprise(Exception):
    """Something did not come out as it must."""


def main() -> int:
    """Run the demo; 0 when everything came out as it must."""
    started = time.monotonic()
    with temporary_folder() as folder:
        try:
            show(folder)
        except (Surprise, subprocess.TimeoutExpired) as error:
            print(f"\ndemo failed: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\ninterrupted: the lab is switched off", file=sys.stderr)
            return 130
    print(f"\ndemo passed in {time.monotonic() - started:.0f} s")
    return 0


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for the lab; afterwards the lab is off and the folder is gone, whatever happened."""
    folder = Path(tempfile.mkdtemp(prefix="vtsconf-demo-")).resolve()
    try:
        yield folder
    finally:
        lab = folder / "lab"
        if (lab / ".lab/lab.json").exists():
            subprocess.run((*VTSCONF, "lab", "down", str(lab)), check=False, capture_output=True, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def show(folder: Path) -> None:
    """The story, in order."""
    lab = folder / "lab"
    tell("Three servers on this machine: SSH, a configuration file, services, tapes. No root.")
    vtsconf("lab", "up", "--servers", "3", "lab", at=folder)

    tell("The example project says what the servers shall be. Is it valid?")
    vtsconf("validate", at=lab)

    tell("What would change? One connection and one command a server; nothing is touched. Exit 2: changes.")
    vtsconf("plan", "--detailed-exitcode", "--out", "first.plan", at=lab, exits=2)

    tell(
        "Do it: staged, checked, swapped by rename, services restarted, verified, confirmed over a new connection."
    )
    before = lines(lab, "vts1")
    vtsconf("apply", "--yes", "first.plan", at=lab)
    kept = [line for line in before if not line.startswith(("ems_", "hsm_", "cleanup_", "meta_"))]
    expect(set(kept) <= set(lines(lab, "vts1")), "a line of the configuration file that is not ours was lost")

    tell("Once more: nothing to do.")
    vtsconf("plan", "--detailed-exitcode", at=lab)

    tell("Somebody edits vts2 by hand at night …")
    shell("sed", "-i", "/^ems_keep_alive=/s/120/999/", f"vts2/{CONFIGURATION}", at=lab)
    tell("… and drift sees it. Exit 2.")
    vtsconf("drift", at=lab, exits=2)
    tell("Apply takes it back.")
    vtsconf("apply", "--yes", at=lab)
    vtsconf("drift", at=lab)

    tell("A new value for all servers; but on vts3 the service will not start with it.")
    shell("sed", "-i", "s/keep_alive: 300/keep_alive: 240/", "group_vars/all.yaml", at=lab)
    vtsconf("lab", "break", "vts3", "service-fails", "ems", "--once", at=lab)
    before = lines(lab, "vts3")
    tell("The change on vts3 takes itself back: old bytes, and the service runs with them. Exit 8.")
    vtsconf("apply", "--yes", at=lab, exits=8)
    expect(lines(lab, "vts3") == before, "vts3 does not have its old bytes")
    expect("ems_keep_alive='240'" in lines(lab, "vts1"), "vts1 was not changed")
    vtsconf("lab", "status", at=lab)
    expect(
        runs_with(lab, "vts3") == "ems_keep_alive='300'",
        "the service of vts3 does not run with the old bytes",
    )

    tell("The fault is gone. The rest of the change:")
    vtsconf("apply", "--yes", at=lab)
    expect(
        runs_with(lab, "vts3") == "ems_keep_alive='240'",
        "the service of vts3 does not run with the new bytes",
    )

    waves(lab)
    tapes(lab)

    tell("Who changed what, and how it ended:")
    vtsconf("history", at=lab)

    tell("Switch the lab off.")
    vtsconf("lab", "down", "--purge", "lab", at=folder)
    expect(not lab.exists(), "the lab is still there")


def waves(lab: Path) -> None:
    """The same for a fleet: a gate that says no, and a night on which all is well."""
    tell(
        "The next change goes wave by wave: one server first, then the rest. On vts3 it makes the event log complain."
    )
    shell("sed", "-i", "s/keep_alive: 240/keep_alive: 200/", "group_vars/all.yaml", at=lab)
    vtsconf("plan", "--out", "friday.plan", at=lab)
    vtsconf("lab", "break", "vts3", "logs-error", "ems", "--once", at=lab)
    tell("The gate after the second wave says no: what was changed is taken back on both. Exit 8.")
    vtsconf("rollout", "start", "friday.plan", "--strategy", "night", "--yes", at=lab, exits=8)
    for host in ("vts1", "vts3"):
        expect("ems_keep_alive='240'" in lines(lab, host), f"{host} does not have its old bytes")

    tell(
        "The next night all is well. It waits for a person first, and its controller may die: it is all in the journal."
    )
    shell("sed", "-i", "1a approve: [canary]", "rollouts/night.yaml", at=lab)
    vtsconf("plan", "--out", "saturday.plan", at=lab)
    vtsconf("rollout", "start", "saturday.plan", "--strategy", "night", "--yes", "--no-wait", at=lab, exits=9)
    vtsconf("rollout", "approve", "--why", "the canary looks good", at=lab, exits=0)
    vtsconf("rollout", "resume", at=lab)
    for host in ("vts1", "vts3"):
        expect("ems_keep_alive='200'" in lines(lab, host), f"{host} was not changed")
    tell("The evidence for the change ticket, one page that needs no network:")
    vtsconf("rollout", "report", "--html", "evidence.html", at=lab)
    expect("vts3" in (lab / "evidence.html").read_text(), "the report does not speak of vts3")


POLICIES = """\
vts:
  policies:
    nightly:
      select: {pools: ["POOL*"]}
      action: migrate
      bma: tsm
      options: {type: archive, management_class: MC7Y}
"""


def tapes(lab: Path) -> None:
    """To physical tape and back."""
    tell("Now the tapes. A policy says which go to physical tape, and by which backup application:")
    (lab / "group_vars/vts.yaml").write_text(POLICIES)
    shell("cat", "group_vars/vts.yaml", at=lab)
    vtsconf("migrate", "plan", "-l", "vts1", at=lab)

    tell(
        "Each is archived, and counts only when the catalogue shows it too and nobody has written to it meanwhile."
    )
    vtsconf("migrate", "run", at=lab)
    vtsconf("migrate", "failed", at=lab)

    tell("VTS erases a tape when its time has come: the tape stays, its data goes. On request it comes back.")
    tape = lab / "vts1/VAULT01/POOL1/A00001"
    before = tape.read_bytes()
    shell("truncate", "--size=0", "vts1/VAULT01/POOL1/A00001", at=lab)
    vtsconf("migrate", "restore", "vts1", str(tape), at=lab)
    expect(tape.read_bytes() == before, "the tape is not what it was")

    tell("And the report of it all:")
    vtsconf("migrate", "report", "--html", "tapes.html", at=lab)
    expect("A00001" in (lab / "tapes.html").read_text(), "the report does not speak of the tape")


VTSCONF = (sys.executable, "-m", "vtsconf")


def vtsconf(*words: str, at: Path, exits: int = 0) -> None:
    """Run the real command line and check its exit code."""
    run(("vtsconf", *words), (*VTSCONF, *words), at, exits)


def shell(*words: str, at: Path) -> None:
    run(words, words, at, 0)


def run(shown: tuple[str, ...], argv: tuple[str, ...], at: Path, exits: int) -> None:
    print(f"{BOLD}$ {shlex.join(shown)}{PLAIN}", flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VTSCONF_")}
    ended = subprocess.run(
        argv,
        cwd=at,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,  # in the order in which a person would see it
        check=False,
        timeout=60,
        start_new_session=True,  # ^C is ours: one that has only begun to start would answer it with a traceback
    )
    expect(ended.returncode == exits, f"`{shlex.join(shown)}` ended with {ended.returncode}, not {exits}")


def tell(text: str) -> None:
    print(f"\n# {text}", flush=True)


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Surprise(otherwise)


def lines(lab: Path, host: str) -> list[str]:
    """The configuration file of a server."""
    return (lab / host / CONFIGURATION).read_text().splitlines()


def runs_with(lab: Path, host: str) -> str:
    """The keep-alive that the EMS service of a server has loaded."""
    loaded = (lab / host / "run/ems.loaded").read_text().splitlines()
    return next((line for line in reversed(loaded) if line.startswith("ems_keep_alive=")), "")


if __name__ == "__main__":
    sys.exit(main())

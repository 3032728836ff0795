"""A box in which jobs run: stand-in commands that count themselves, and ways to die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.transport.box import MARK, Box, wait_until
from vtsconf.transport.local import LocalSession
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState

# What a job runs: it tells when it begins, and whether another one lives.
BMA = """#!/bin/sh
B=@BOX@
while read -r a p; do
  { read -r stat <"/proc/$p/stat"; } 2>/dev/null || continue
  case ${stat##*) } in Z* | X*) ;; *) echo "$1 with $a: $stat" >>$B/run/double ;; esac    # a zombie has ended
done <$B/run/begun
echo "$1 $$" >>$B/run/begun
/usr/bin/sleep "${2:-0}"
echo "job $1 done"
"""

TOOLS = [
    "cat",
    "date",
    "dd",
    "flock",
    "head",
    "mkdir",
    "mkfifo",
    "mv",
    "readlink",
    "rm",
    "setsid",
    "sleep",
    "stat",
    "tail",
]

# Stands before a tool: at its n-th call of all, what `whom` says dies. One strikes.
STRIKER = """#!/bin/sh
B=@BOX@; T=${0##*/}
read -r at when whom <"$B/strike/at"
n=0; read -r n <"$B/strike/count"; n=$((n + 1)); echo "$n" >"$B/strike/count"
if [ "$n" -ge "$at" ] && /usr/bin/mkdir "$B/strike/mine" 2>/dev/null; then
  [ "$when" = before ] || /usr/bin/$T "$@"
  echo "$T $*" >"$B/strike/done"
  read -r starter <"$B/run/applier"
  for s in STOP KILL; do for p in /proc/[0-9]*; do
    pid=${p#/proc/}
    [ "$pid" != "$$" ] && /usr/bin/grep -qz "^@MARK@=$B\\$" "$p/environ" 2>/dev/null || continue
    case $whom in
      server) ;;
      starter) [ "$pid" = "$starter" ] || continue ;;
      runner) /usr/bin/grep -q 'run[.]sh' "$p/cmdline" 2>/dev/null || continue ;;
    esac
    kill -$s "$pid"
  done; done 2>/dev/null
  kill -KILL $$
fi
exec /usr/bin/$T "$@"
"""


class Jobs:
    """The box's server as a migration uses it."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.state = str(box.state)
        (box.root / "run/begun").touch()
        self.box.stand_in("bma", BMA.replace("@BOX@", str(box.root)))

    # ---- the protocol

    def start(
        self,
        *argv: str,
        id_: str = "j1",
        attempt: int = 1,
        session: LocalSession | None = None,
        patience: float = 0.0,
        paths: Sequence[str] = (),
        **more: object,
    ) -> RunState:
        argv = argv or (str(self.box.root / "bin/bma"), str(attempt))
        spec = RunSpec(id=id_, attempt=attempt, argv=argv, **more)
        return self.box.server(session).start(spec, self.state, patience=patience, paths=paths)

    def look(self, *ids: str, paths: Sequence[str] = (), patience: float = 0.0) -> RunsSeen:
        return self.box.server().look(ids, self.state, paths, patience=patience)

    def see(self, id_: str = "j1") -> RunState:
        return self.look(id_).runs[0]

    def end(self, id_: str = "j1", attempt: int = 1) -> RunState:
        return self.box.server().end(id_, attempt, self.state)

    def forget(self, *ids: str) -> tuple[str, ...]:
        return self.box.server().forget(ids, self.state)

    def ended(self, id_: str = "j1", seconds: float = 30.0) -> RunState:
        """How it stands when it no longer runs."""
        deadline = time.monotonic() + seconds
        while (run := self.see(id_)).state == "running":
            assert time.monotonic() < deadline, run
            time.sleep(0.03)
        return run

    # ---- what is there

    @property
    def begun(self) -> list[str]:
        """Attempts that really began, one line for each time."""
        return [line.split()[0] for line in (self.box.root / "run/begun").read_text().splitlines()]

    @property
    def doubles(self) -> list[str]:
        path = self.box.root / "run/double"
        return path.read_text().splitlines() if path.exists() else []

    def folder(self, id_: str = "j1", attempt: int = 1) -> Path:
        return self.box.state / "jobs" / id_ / str(attempt)

    def pid_of(self, who: str, id_: str = "j1", attempt: int = 1) -> int:
        """`runner` or `session`: whose identity is written down there."""
        path = self.folder(id_, attempt) / who
        wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
        return int(path.read_text().split()[1])

    # ---- dying

    def kill(self, who: str) -> None:
        os.kill(self.pid_of(who), signal.SIGKILL)

    def strike(self, at: int, *, when: str, whom: str) -> None:
        folder = self.box.root / "strike"
        folder.mkdir()
        (folder / "at").write_text(f"{at} {when} {whom}\n")
        (folder / "count").write_text("0\n")
        for tool in TOOLS:
            self.box.stand_in(tool, STRIKER.replace("@BOX@", str(self.box.root)).replace("@MARK@", MARK))

    def calm(self) -> bool:
        """No more strikes; whether one struck."""
        for tool in TOOLS:
            (self.box.root / "bin" / tool).unlink(missing_ok=True)
        return (self.box.root / "strike/done").exists()

    def hurry(self) -> None:
        """Waiting takes a twentieth of what it does."""
        text = "case $1 in 10) set -- 0.5 ;; 5) set -- 0.25 ;; 1) set -- 0.05 ;; 0.2) set -- 0.01 ;; esac"
        self.box.stand_in("sleep", f'#!/bin/sh\n{text}\nexec /usr/bin/sleep "$@"\n')


def members(pid: int) -> list[int]:
    """Processes of that session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            words = path.read_text().rpartition(") ")[2].split()
            if int(words[3]) == pid and words[0] not in "ZX":
                found.append(int(path.parent.name))
    return found

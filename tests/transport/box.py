"""A server made of one folder, reached over a real sh on this machine: what the protocol's tests play with."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from vtsconf.core.content import Content
from vtsconf.core.plan import base_of
from vtsconf.core.probe import Query, ReadFile, Reading
from vtsconf.core.secret import FingerprintKey, Secret, Secrets
from vtsconf.core.step import FileState, PutFile, RunCommand, Service, Step
from vtsconf.transport.local import LocalSession
from vtsconf.transport.server import Applied, Confirmed, Exit, Transaction
from vtsconf.transport.shell import ShellServer

MARK = "VTSCONF_TEST_BOX"  # in the environment of everything that runs in a box
KEY = FingerprintKey(Secret(b"0123456789abcdef" * 4))
MODE, WAS = "0640", "0604"  # of the new files, and of the old ones
TOOLS = [
    "cat",
    "chmod",
    "chown",
    "cp",
    "date",
    "dd",
    "head",
    "ln",
    "mkdir",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sha256sum",
    "sleep",
    "stat",
    "sync",
    "tail",
]

# A service: it loads the file when it is restarted. `fails` and `sick` break it.
SERVICE = """#!/bin/sh
here=${0%/*}/..
case $1 in
  restart) [ ! -e "$here/run/$2.fails" ] || exit 1
    cat "$here"/etc/*.conf >"$here/run/$2.loaded" 2>/dev/null; echo "$2" >>"$here/run/restarts" ;;
  status) [ ! -e "$here/run/$2.sick" ] ;;
esac
"""

# Stands before a tool in the PATH: at its n-th call of all tools, the applier or the whole server dies. One strikes:
# two would stop each other, and nobody would be killed.
STRIKER = """#!/bin/sh
B=@BOX@; T=${0##*/}
read -r at when whom <"$B/strike/at"
printf . >>"$B/strike/count"; read -r n <"$B/strike/count"; n=${#n}
read -r pid <"$B/run/applier"
if [ "$n" -ge "$at" ] && [ ! -e "$B/strike/done" ] && { [ "$whom" = server ] || kill -0 "$pid" 2>/dev/null; } &&
  @REAL@/mkdir "$B/strike/mine" 2>/dev/null; then
  [ "$when" = before ] || @REAL@/$T "$@"
  echo "$T $*" >"$B/strike/done"
  if [ "$whom" = applier ]; then
    kill -KILL "$pid"
  else
    for s in STOP KILL; do for p in /proc/[0-9]*; do
      [ "${p#/proc/}" = "$$" ] || { @REAL@/grep -qz "^@MARK@=$B\\$" "$p/environ" && kill -$s "${p#/proc/}"; } 2>/dev/null
    done; done
    kill -KILL $$
  fi
  exit 1
fi
exec @REAL@/$T "$@"
"""


@dataclass
class Watched(LocalSession):
    """A local session that notes its shell's pid, so that it can be killed."""

    root: Path

    def execute(self, command: str, stdin: Iterable[bytes], on_stdout: Callable[[bytes], None]) -> Exit:
        echo = f'echo $$ >"{self.root}/run/applier"; {command}'
        return super().execute(echo, stdin, on_stdout)


class Box:
    """One server: `etc/` holds what is managed, `state/` is the state directory, `run/` what the service loaded."""

    def __init__(self, root: Path, *, set_environment: Callable[[str, str], None]) -> None:
        self.root, self.state = root, root / "state"
        self._runs = count(1)
        for name in ("etc", "run", "bin"):
            (root / name).mkdir(parents=True)
        self._write_program("svc", SERVICE)
        set_environment(MARK, str(root))
        set_environment("PATH", f"{root}/bin:{os.environ['PATH']}")

    def _write_program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    # ---- the server's environment

    def stand_in(self, name: str, text: str) -> None:
        """Put a program in front of the real one."""
        self._write_program(name, text)

    def hurry(self) -> None:
        """A second of waiting takes a tenth of one."""
        self.stand_in("sleep", '#!/bin/sh\ncase $1 in 1) set -- 0.1 ;; esac\nexec /usr/bin/sleep "$@"\n')

    def speak(self, *shell: str) -> None:
        """Every `sh` from now on is this one."""
        self.stand_in("sh", f'#!/bin/sh\nexec {shutil.which(shell[0])} {" ".join(shell[1:])} "$@"\n')

    def tally(self) -> Callable[[], list[str]]:
        """From now on every call of a program is noted; returns what gives the names since it was last asked."""
        log = self.root / "run/calls"
        programs = [*TOOLS, "sh", "setsid", "timeout", "chcon", "mktemp", "grep", "tr", "wc", "touch", "tee"]
        for name in programs:
            real = shutil.which(name, path="/usr/bin:/bin")
            if real:
                self._write_program(name, f'#!/bin/sh\necho {name} >>{log}\nexec {real} "$@"\n')

        def calls() -> list[str]:
            names = log.read_text().split()
            log.write_text("")
            return names

        return calls

    def strike(self, at: int, *, when: str = "before", whom: str = "server") -> None:
        """From now on, the n-th call of a tool kills the applier, or everything that runs here."""
        folder = self.root / "strike"
        folder.mkdir(exist_ok=True)
        (folder / "at").write_text(f"{at} {when} {whom}\n")
        (folder / "count").write_text("")
        text = STRIKER.replace("@BOX@", str(self.root)).replace("@MARK@", MARK).replace("@REAL@", "/usr/bin")
        for tool in TOOLS:
            self._write_program(tool, text)

    def calm(self) -> bool:
        """No more strikes; returns whether it has struck."""
        for tool in TOOLS:
            (self.root / "bin" / tool).unlink(missing_ok=True)
        self.hurry()
        return (self.root / "strike/done").exists()

    # ---- the protocol

    def server(self, session: LocalSession | None = None) -> ShellServer:
        marks = (f"mark{n:x}" for n in count(0xABCDEF))
        return ShellServer(
            session or LocalSession(),
            new_mark=lambda: f"{next(marks)}{os.urandom(8).hex()}",
            key=lambda: KEY,
            name="box",
        )

    def run_name(self) -> str:
        return f"20260101-0000{next(self._runs):02d}-{os.urandom(2).hex()}"

    def apply(
        self,
        steps: Sequence[Step],
        *,
        on_event: Callable[[str], None] = lambda _: None,
        session: LocalSession | None = None,
        secrets: Secrets | None = None,
        **more: object,
    ) -> Applied:
        return self.server(session or Watched(self.root)).apply(
            self.transaction(steps, **more), secrets or {}, on_event
        )

    def transaction(
        self, steps: Sequence[Step], *, run: str = "", within: int = 300, **more: object
    ) -> Transaction:
        puts = [step for step in steps if isinstance(step, PutFile)]
        services = {name for step in steps for name in step.restart}
        settings = {
            "host": "box",
            "holder": "tester@here",
            "state_dir": str(self.state),
            "base": tuple(base_of(step.path, step.before) for step in puts),
            "restarts": tuple(sorted(services)),
            "services": tuple(self.service(name) for name in sorted(services)),
            "probes": tuple(ReadFile(step.path) for step in puts),
        }
        return Transaction(
            run=run or self.run_name(), steps=tuple(steps), confirm_within=within, **{**settings, **more}
        )

    def service(self, name: str = "ems") -> Service:
        svc = str(self.root / "bin/svc")
        return Service(name=name, restart=(svc, "restart", name), status=(svc, "status", name))

    def confirm(self, run: str, *health: Query) -> Confirmed:
        return self.server().confirm(run, health, str(self.state), "tester@here")

    def revert(self, run: str) -> Confirmed:
        return self.server().revert(run, "as asked", str(self.state))

    def read(self, *paths: str) -> Reading:
        return self.server().read([ReadFile(path) for path in paths], str(self.state))

    def unlock(self, *, force: bool = False) -> Confirmed:
        return self.server().unlock(str(self.state), force=force)

    # ---- what is there

    def file(self, name: str = "a.conf") -> Path:
        return self.root / "etc" / name

    def tree(self) -> dict[str, tuple[str, bytes]]:
        """Every path under etc/ with what it is."""
        return {str(p.relative_to(self.root)): _kind(p) for p in sorted((self.root / "etc").rglob("*"))}

    @property
    def loaded(self) -> bytes | None:
        """What the service runs with."""
        path = self.root / "run/ems.loaded"
        return path.read_bytes() if path.exists() else None

    @property
    def configured(self) -> bytes:
        return b"".join(p.read_bytes() for p in sorted((self.root / "etc").glob("*.conf")))

    def restart(self) -> None:
        subprocess.run((self.root / "bin/svc", "restart", "ems"), check=True)

    def debts(self) -> list[str]:
        return sorted(p.name for p in (self.state / "restart-debt").glob("*"))

    def outcome(self, run: str) -> str:
        return (self.state / "backup" / run / "outcome").read_text().strip()

    def backup(self, run: str, number: int = 0) -> bytes:
        return (self.state / "backup" / run / str(number)).read_bytes()

    def edited(self, run: str) -> list[bytes]:
        """What was kept of other people's edits."""
        return [p.read_bytes() for p in sorted((self.state / "backup" / run).glob("*.edited"))]

    def journal(self) -> str:
        return (self.state / "journal").read_text()

    def is_free(self) -> bool:
        """No lock, and nothing armed or half made."""
        pending = list((self.state / "pending").iterdir()) if (self.state / "pending").exists() else []
        return not (self.state / "lock").exists() and not pending

    def reboot(self) -> None:
        """All processes die at once, files stay."""
        quiet = 0
        while quiet < 2:  # one that is just becoming another program has no environment for a moment
            pids = self.processes()
            quiet = 0 if pids else quiet + 1
            for signal_ in (signal.SIGSTOP, signal.SIGKILL):
                for pid in pids:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal_)

    def kill_applier(self) -> None:
        """The shell that makes the change dies; what it has detached lives on."""
        os.kill(int((self.root / "run/applier").read_text()), signal.SIGKILL)

    def processes(self) -> list[int]:
        mark = f"{MARK}={self.root}".encode()
        return [
            int(p.parent.name) for p in Path("/proc").glob("[0-9]*/environ") if mark in _read(p).split(b"\0")
        ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process has ended, or is not ours
        return b""


def _kind(path: Path) -> tuple[str, bytes]:
    status = path.lstat()
    kind = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid}"
    if path.is_symlink():
        return kind, str(path.readlink()).encode()
    return kind, path.read_bytes() if path.is_file() else b""


def state_of(data: bytes, mode: str = MODE, **more: object) -> FileState:
    return FileState(content=Content.plain(data), digest=hashlib.sha256(data).hexdigest(), mode=mode, **more)


def put(path: Path | str, before: bytes | None, after: bytes | None, **more: object) -> PutFile:
    """A step from these bytes to those; None is no file."""
    states = {
        "before": None if before is None else state_of(before, WAS, owner=_me(), group=_my_group()),
        "after": None if after is None else state_of(after),
    }
    return PutFile(path=str(path), restart=("ems",), **{**states, **more})


def command(name: str, check: Sequence[str], run: Sequence[str], revert: Sequence[str] = ()) -> RunCommand:
    return RunCommand(name=name, check=tuple(check), run=tuple(run), revert=tuple(revert), timeout=5)


def _me() -> str:
    return Path("/proc/self").owner()


def _my_group() -> str:
    return Path("/proc/self").group()


def wait_until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)

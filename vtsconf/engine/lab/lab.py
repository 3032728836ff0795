"""A lab from outside: switch it on and off, look at it, break it. Tests use it in-process, the command line as a daemon."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from vtsconf.core.errors import Usage, VtsconfError
from vtsconf.engine.lab import project
from vtsconf.engine.lab.faults import SERVICES, Fault, Faults, check
from vtsconf.engine.lab.home import Daemon, Home, is_server_name
from vtsconf.engine.lab.processes import MARK, end_process, end_tree, of_tree
from vtsconf.engine.lab.tree import Tree

START_WITHIN = 60.0  # seconds, for 50 servers on a busy machine
MOST = 200  # servers of one lab


@dataclass(frozen=True, slots=True)
class Host:
    """One server of a lab."""

    name: str
    port: int
    tree: Tree
    _lab: Lab

    def path(self, on_server: str) -> Path:
        """Where the file is that the server knows under this absolute path."""
        return self.tree.root / on_server.lstrip("/")

    def break_(self, fault: str, *arguments: object, once: bool = False) -> None:
        """Turn a fault on; `reboot` happens at once and is over when this returns. Raises Usage."""
        faults = Faults(self.tree.faults)
        check(fault, [str(a) for a in arguments])
        if fault == "old-algorithms":
            self._lab.add_rsa_key(self.name)
        faults.turn_on(fault, [str(a) for a in arguments], once=once)
        if fault == "reboot":
            self._lab.tell()
            _wait_until(lambda: faults.peek("reboot") is None, f"{self.name} does not reboot")

    def mend(self, fault: str | None = None) -> None:
        """Turn a fault off; None: all of them."""
        faults = Faults(self.tree.faults)
        for name in [fault] if fault else [f.name for f in faults.on()]:
            faults.turn_off(name)

    @property
    def faults(self) -> list[Fault]:
        return Faults(self.tree.faults).on()

    def service(self, name: str) -> str:
        """`current` (runs what the configuration file says), `behind` (runs something older) or `stopped`."""
        try:
            loaded = self.tree.loaded(name).read_text().split()[1]
        except (FileNotFoundError, IndexError):
            return "stopped"
        try:
            now = sha256(self.tree.configuration.read_bytes()).hexdigest()
        except OSError:
            now = ""
        return "current" if loaded == now else "behind"

    def processes(self) -> list[int]:
        """The pids of everything that runs on this server."""
        return of_tree(self.tree.root)


class Lab:
    """A lab that exists on disk, whether it is switched on or not."""

    def __init__(self, folder: Path | str) -> None:
        self._home = Home.at(folder)
        self._home.servers()  # raises when there is none
        self._serving: Any = None  # a Serving, when this very process serves

    @classmethod
    def up(
        cls,
        folder: Path | str,
        *,
        servers: int | None = None,
        names: Sequence[str] = (),
        detached: bool = False,
    ) -> Lab:
        """Make what is missing and switch on. `detached`: a process of its own serves, and outlives this one.

        The servers are vts1, vts2, … (`servers` None: as many as there are, or 3), or have the `names` of a
        project that is to be rehearsed. A lab never gets smaller.
        """
        home = Home.at(folder)
        _check_folder(home)
        with home.hold("up"):
            _create(home, _wanted(home, servers, names))
            lab = cls(home.folder)
            was_on = home.daemon() is not None
            try:
                lab._switch_on(detached)
                home.remember(lab._daemon_or_raise().ports)
                project.write(home)
            except BaseException:  # also ^C: what cannot be finished is not left half done
                if not was_on:
                    lab._switch_off()
                raise
        return lab

    def _switch_on(self, detached: bool) -> None:
        if self._home.daemon():
            self.tell()
        elif detached:
            _start_daemon(self._home)
        else:
            from vtsconf.engine.lab.serving import Serving

            self._serving = Serving(self._home, lambda: datetime.now().astimezone(), detached=False)
            self._serving.look()
        wanted = set(self._home.servers())
        _wait_until(lambda: wanted <= set(self._daemon_or_raise().ports), "not all servers are on")

    def _daemon_or_raise(self) -> Daemon:
        daemon = self._home.daemon()
        if daemon is None:
            raise VtsconfError("the lab's process has ended", remedy=f"look into {self._home.log}")
        return daemon

    def tell(self) -> None:
        """Have the serving process look at the folder again."""
        if self._serving is not None:
            self._serving.look()
        else:
            os.kill(self._detached().pid, signal.SIGUSR1)

    def _detached(self) -> Daemon:
        """The process to send a signal to. A program that has the lab inside would die of it."""
        daemon = self._home.daemon()
        if daemon is None:
            raise Usage(f"the lab in {self.folder} is off", remedy=f"vtsconf lab up {self.folder}")
        if not daemon.detached:
            raise Usage(f"the lab is part of process {daemon.pid}", remedy="do it there, or end that process")
        return daemon

    def add_rsa_key(self, name: str) -> None:
        """Give a server the kind of host key that old servers have, and make it known."""
        from vtsconf.transport.sshd import create_key

        path = self._home.host_keys / f"{name}.rsa"
        if not path.exists():
            create_key(path, rsa=True)
        project.write_known_hosts(self._home)

    def down(self, *, purge: bool = False) -> bool:
        """Switch off; returns whether it was on. `purge` deletes the folder and all that is in it."""
        with self._home.hold("up"):
            was_on = self._switch_off()
            for name in self._home.servers():
                end_tree(self._home.folder / name)  # what a daemon that was killed has left running
        if purge:
            shutil.rmtree(self._home.folder)
        return was_on

    def _switch_off(self) -> bool:
        if self._serving is not None:
            self._serving.stop()
            self._serving = None
            return True
        if self._home.daemon() is None:
            self._home.sign_off()  # of one that died
            return False
        daemon = self._detached()
        return end_process(daemon.pid, daemon.started)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    @property
    def folder(self) -> Path:
        return self._home.folder

    @property
    def inventory(self) -> Path:
        return self._home.folder / "inventory.yaml"

    @property
    def pid(self) -> int | None:
        """Of the process that serves; None while the lab is off."""
        daemon = self._home.daemon()
        return daemon.pid if daemon else None

    @property
    def hosts(self) -> list[Host]:
        return [Host(n, port, self._home.tree(n), self) for n, port in self._home.servers().items()]

    def host(self, name: str) -> Host:
        """Raises Usage when there is no such server."""
        for host in self.hosts:
            if host.name == name:
                return host
        names = ", ".join(h.name for h in self.hosts)
        raise Usage(f"the lab has no server `{name}`", remedy=f"it has: {names}")

    def status(self) -> dict[str, Any]:
        """What `lab status --json` prints."""
        return {
            "format": "vtsconf/lab-status/1",
            "folder": str(self.folder),
            "pid": self.pid,
            "log": str(self._home.log),
            "hosts": [
                {
                    "host": host.name,
                    "port": host.port,
                    "root": str(host.tree.root),
                    "services": {service: host.service(service) for service in SERVICES},
                    "faults": [str(fault) for fault in host.faults],
                    "processes": host.processes(),
                }
                for host in self.hosts
            ],
        }


def _check_folder(home: Home) -> None:
    """Only a lab, an empty folder, or one that does not exist yet may become a lab."""
    if home.exists or not home.folder.exists():
        return
    if not home.folder.is_dir():
        raise Usage(f"{home.folder} is not a folder")
    if set(os.listdir(home.folder)) - {".lab"}:  # noqa: PTH208 names only
        raise Usage(
            f"{home.folder} is not empty and not a lab",
            remedy="give a folder that is empty or does not exist yet",
        )
    if any(ord(c) < 32 or c in "'\"{}" for c in str(home.folder)):
        raise Usage(f"{str(home.folder)!r} has characters in its name that a lab cannot stand")


def _wanted(home: Home, servers: int | None, names: Sequence[str]) -> list[str]:
    """The names of all servers, those that exist first."""
    known = list(home.servers()) if home.exists else []
    if unfit := [name for name in names if not is_server_name(name)]:
        raise Usage(f"no server of a lab can be called {unfit[0][:100]!r}")
    if not names:
        counted = not known or all(name.removeprefix("vts").isdecimal() for name in known)
        names = [f"vts{n}" for n in range(1, (servers or len(known) or 3) + 1)] if counted else []
    wanted = list(dict.fromkeys([*known, *names]))
    if len(wanted) > MOST:
        raise Usage(f"a lab has at most {MOST} servers, and these are {len(wanted)}")
    return wanted


def _create(home: Home, names: Sequence[str]) -> None:
    """The keys and the marker: everything that must be there before a server can be switched on."""
    from vtsconf.transport.sshd import create_key

    known: Mapping[str, int] = home.servers() if home.exists else {}
    home.host_keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in (home.user_key, *(home.host_keys / name for name in names)):
        if not path.exists():
            create_key(path)
    home.remember({name: known.get(name, 0) for name in names})


def _start_daemon(home: Home) -> None:
    """Start the serving process and wait until it answers; if we are interrupted, it does not stay."""
    environment = {k: v for k, v in os.environ.items() if k != MARK}
    # ^C between the start and our knowing of it would leave a process behind; the process itself unblocks it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with home.log.open("ab") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "vtsconf.engine.lab.daemon", str(home.folder)),
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _wait_until(
            lambda: process.poll() is not None or _signed_in(home, process.pid), "the lab does not answer"
        )
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.poll() is not None:
        last = home.log.read_text(errors="replace").strip().splitlines()[-1:]
        raise VtsconfError(
            f"the lab's process ended at once: {' '.join(last)}", remedy=f"look into {home.log}"
        )


def _signed_in(home: Home, pid: int) -> bool:
    daemon = home.daemon()
    return daemon is not None and daemon.pid == pid


def _wait_until(holds: Callable[[], bool], otherwise: str, *, seconds: float = START_WITHIN) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise VtsconfError(otherwise)
        time.sleep(0.02)

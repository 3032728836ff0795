"""A lab from outside: switch it on and off, look at it, break it. Tests use it in-process, the command line as a daemon."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from vtsconf.core.errors import Usage, VtsconfError
from vtsconf.engine.lab import project
from vtsconf.engine.lab.faults import SERVICES
from vtsconf.engine.lab.foundation import check_folder, create, server_names
from vtsconf.engine.lab.home import Daemon, Home
from vtsconf.engine.lab.host import Host
from vtsconf.engine.lab.launch import start_daemon
from vtsconf.engine.lab.processes import end_all, end_process, of_lab
from vtsconf.engine.lab.wait import wait_until


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
        check_folder(home)
        with home.hold("up"):
            create(home, server_names(home, servers, names))
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
            start_daemon(self._home)
        else:
            from vtsconf.engine.lab.serving import Serving

            self._serving = Serving(self._home, lambda: datetime.now().astimezone(), detached=False)
            self._serving.look()
        wanted = set(self._home.servers())
        wait_until(lambda: wanted <= set(self._daemon_or_raise().ports), "not all servers are on")

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
            end_all(lambda: of_lab(self._home.folder))  # what a daemon that was killed has left running
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

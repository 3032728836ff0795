"""One lab server as a machine: receives connections, runs commands, reboots."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from vtsconf.engine.lab.execution import Execution
from vtsconf.engine.lab.faults import SERVICES, Faults
from vtsconf.engine.lab.home import USER
from vtsconf.engine.lab.processes import MARK, end_all, of_tree
from vtsconf.engine.lab.tree import Tree
from vtsconf.transport.sshd import Line, Reception, Sshd, Welcome

PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Machine:
    """A tree of files, the faults it has, and the SSH server in front of it."""

    def __init__(self, *, tree: Tree, keys: Path, authorized: str, port: int) -> None:
        self.tree = tree
        self.faults = Faults(tree.faults)
        self._keys = keys  # folder with NAME (ECDSA) and, for old algorithms, NAME.rsa
        self._down = threading.Lock()  # held while the machine reboots
        self.sshd = Sshd(self, user=USER, authorized=authorized, port=port)

    def welcome(self) -> Welcome:
        """Judge a connection by the faults that are on now."""
        legacy = self.faults.fire("old-algorithms") is not None
        late = [int(word) for word in self.faults.fire("slow") or ()]
        key = self._keys / (f"{self.tree.name}.rsa" if legacy else self.tree.name)
        return Welcome(
            host_key=key,
            reception=self._reception(),
            legacy=legacy,
            latency=late[0] / 1000 if late else 0.0,
            bandwidth=float(late[1]) if len(late) > 1 else 0.0,
        )

    def _reception(self) -> Reception:
        if self._down.locked() or self.faults.fire("refuse") is not None:
            return Reception.REFUSE
        if self.faults.fire("hang") is not None:
            return Reception.HANG
        return Reception.DROP if self.faults.fire("drop-on-connect") is not None else Reception.SERVE

    def run(self, command: str | None, line: Line) -> None:
        """Run one command, unless the connection is to be cut before it begins."""
        if self.faults.peek("drop") in ([], ["0"]) and self.faults.claim("drop"):
            line.cut()
            return
        Execution(
            command=command,
            line=line,
            folder=self.tree.root,
            environment=self.environment(line.peer),
            faults=self.faults,
            reboot=self.reboot,
        ).run()

    def environment(self, peer: tuple[str, int] | None = None) -> dict[str, str]:
        """The few variables a command gets, as from a fresh login."""
        root = self.tree.root
        path = ":".join(
            dict.fromkeys((f"{root}/bin", f"{root}/usr/sbin", *PATH, *os.environ.get("PATH", "").split(":")))
        )
        made = {
            "PATH": path,
            "HOME": f"{root}/root",
            "USER": USER,
            "LOGNAME": USER,
            "SHELL": "/bin/sh",
            "TMPDIR": str(root / "tmp"),
            MARK: str(root),
        }
        if peer:
            made["SSH_CONNECTION"] = f"{peer[0]} {peer[1]} 127.0.0.1 {self.sshd.port}"
        if skew := self.faults.fire("clock-skew"):
            made |= {"PATH": f"{root}/skewed:{path}", "VTSCONF_LAB_PATH": path, "VTSCONF_LAB_SKEW": skew[0]}
        return made

    def reboot(self) -> None:
        """Lose every connection and process at once, keep the files, then start the services as init would."""
        if not self._down.acquire(blocking=False):
            with self._down:  # it is going down already: wait until it is up
                return
        try:
            self.sshd.cut()
            end_all(lambda: of_tree(self.tree.root))
            for service in SERVICES:
                self.tree.loaded(service).unlink(missing_ok=True)
            self.boot()
        finally:
            self._down.release()

    def boot(self) -> None:
        """Start every service; one that does not start is not a reason to stop."""
        for service in SERVICES:
            subprocess.run(
                ("vts-service", service, "restart"),
                cwd=self.tree.root,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=30,
                executable=str(self.tree.root / "bin/vts-service"),
            )

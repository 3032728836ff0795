"""One server of a lab, from outside: where its files are, what its services run with, its faults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vtsconf.engine.lab.faults import Fault, Faults, check
from vtsconf.engine.lab.processes import of_tree
from vtsconf.engine.lab.tree import Tree
from vtsconf.engine.lab.wait import wait_until

# The lines that each service reads: the lab's own choice, as in bin/vts-service.
READS = {
    "ems": (b"ems_",),
    "isc": (b"ems_InterSystemCommunication_hosts=",),
    "tapeserver": (b"hsm_", b"lab_"),
}


class Keeper(Protocol):
    """The lab that a server belongs to."""

    def tell(self) -> None:
        """Have the process that serves look at the faults now. Raises Usage when there is none."""
        ...

    def add_rsa_key(self, name: str) -> None:
        """Give a server the kind of host key that old servers have, and make it known."""
        ...


@dataclass(frozen=True)
class Host:
    """One server of a lab."""

    name: str
    port: int
    tree: Tree
    _keeper: Keeper

    def path(self, on_server: str) -> Path:
        """Where the file is that the server knows under this absolute path."""
        return self.tree.root / on_server.lstrip("/")

    def break_(self, fault: str, *arguments: object, once: bool = False) -> None:
        """Turn a fault on; `reboot` happens at once and is over when this returns. Raises Usage."""
        faults = Faults(self.tree.faults)
        check(fault, [str(a) for a in arguments])
        if fault == "old-algorithms":
            self._keeper.add_rsa_key(self.name)
        if fault == "reboot":
            self._keeper.tell()  # raises when there is nobody who could do it
        faults.turn_on(fault, [str(a) for a in arguments], once=once)
        if fault == "reboot":
            self._keeper.tell()
            wait_until(lambda: faults.peek("reboot") is None, f"{self.name} does not reboot")

    def mend(self, fault: str | None = None) -> None:
        """Turn a fault off; None: all of them."""
        faults = Faults(self.tree.faults)
        for name in [fault] if fault else [f.name for f in faults.on()]:
            faults.turn_off(name)

    @property
    def faults(self) -> list[Fault]:
        return Faults(self.tree.faults).on()

    def service(self, name: str) -> str:
        """`current` (runs with its lines of the configuration file), `behind` (with older ones) or `stopped`."""
        try:
            loaded = self.tree.loaded(name).read_bytes().splitlines()[1:]  # after "since SECONDS"
        except FileNotFoundError:
            return "stopped"
        try:
            lines = self.tree.configuration.read_bytes().splitlines()
        except OSError:
            return "behind"
        return "current" if loaded == [line for line in lines if line.startswith(READS[name])] else "behind"

    def processes(self) -> list[int]:
        """The pids of everything that runs on this server."""
        return of_tree(self.tree.root)

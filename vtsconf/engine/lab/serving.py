"""The servers of a lab, switched on in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime

from vtsconf.engine.lab.home import Home, public_key
from vtsconf.engine.lab.machine import Machine
from vtsconf.engine.lab.processes import end_all, of_lab


class Serving:
    """Switches on every server of the lab, and keeps to what the lab's folder says. One process at a time."""

    def __init__(self, home: Home, now: Callable[[], datetime], *, detached: bool) -> None:
        self._home = home
        self._now = now
        self._detached = detached
        self._held = ExitStack()
        self._held.enter_context(home.hold("serve"))
        self.machines: dict[str, Machine] = {}

    def look(self) -> None:
        """Switch on servers that are new, and reboot those that are asked to."""
        new = [self._create(n, port) for n, port in self._home.servers().items() if n not in self.machines]
        asked = [m for m in self.machines.values() if m.faults.peek("reboot") is not None]
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(Machine.boot, new))
            list(pool.map(Machine.reboot, asked))
        for machine in asked:
            machine.faults.turn_off("reboot")  # who asked for it waits for this
        for machine in new:
            machine.sshd.start()
            self.machines[machine.tree.name] = machine
        self._home.sign_in({name: m.sshd.port for name, m in self.machines.items()}, detached=self._detached)

    def _create(self, name: str, port: int) -> Machine:
        """A server on the port it had, or on a free one when somebody else has taken that."""
        tree = self._home.tree(name)
        tree.build(self._now())
        authorized = public_key(self._home.user_key)
        with contextlib.suppress(OSError):
            return Machine(tree=tree, keys=self._home.host_keys, authorized=authorized, port=port)
        return Machine(tree=tree, keys=self._home.host_keys, authorized=authorized, port=0)

    def stop(self) -> None:
        """Switch all off, with every process they have started."""
        for machine in self.machines.values():
            machine.sshd.stop()
        end_all(lambda: of_lab(self._home.folder))
        self._home.sign_off()
        self._held.close()

"""The servers and backup applications that this executor can work with, from its own documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vtsconf.bma.contract import Migrator
from vtsconf.core.connection import Target
from vtsconf.core.errors import Refused
from vtsconf.engine.reach import Reach
from vtsconf.resources.desired import Vts
from vtsconf.transport.server import Server


@dataclass(frozen=True, kw_only=True)
class Place:
    """One server. `bmas`: by name, with the settings of `vts.bma`. `vts`: its documents; `root`: a lab's, before every path."""

    host: str
    target: Target
    state_dir: str
    bmas: Mapping[str, tuple[Migrator, Any]] = field(default_factory=dict)
    vts: Vts = field(default_factory=Vts)
    root: str = ""

    def bma(self, name: str) -> tuple[Migrator, Any]:
        """Raises Refused where the documents do not know it (any more)."""
        if name not in self.bmas:
            raise Refused(
                f"{self.host} has no backup application {name!r} in its documents",
                remedy=f"describe it under vts.bma.{name}, or abandon the job",
            )
        return self.bmas[name]


@dataclass(frozen=True, kw_only=True)
class Yard:
    """`find` knows the places; raises Refused for a server that the documents do not know."""

    places: Mapping[str, Place]
    reach: Reach

    def place(self, host: str) -> Place:
        if host not in self.places:
            raise Refused(
                f"{host} is not in the inventory of this controller",
                remedy="run it where it is, or abandon the job",
            )
        return self.places[host]

    def with_server(self, host: str, ask: Callable[[Server, Place], Any]) -> Any:
        """Ask over a connection of its own. Raises Unreachable."""
        place = self.place(host)
        server = self.reach(place.target)
        try:
            return ask(server, place)
        finally:
            server.close()

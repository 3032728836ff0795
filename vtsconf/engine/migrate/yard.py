"""The servers and backup applications that this executor can work with, from its own documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vtsconf.bma.contract import Migrator
from vtsconf.core.connection import Target
from vtsconf.core.errors import Refused, Unreachable
from vtsconf.engine.migrate.kept import Kept
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
    kept: Kept = field(default_factory=Kept)

    def place(self, host: str) -> Place:
        if host not in self.places:
            raise Refused(
                f"{host} is not in the inventory of this controller",
                remedy="run it where it is, or abandon the job",
            )
        return self.places[host]

    def with_server(self, host: str, ask: Callable[[Server, Place], Any]) -> Any:
        """Ask over a connection that nobody else uses meanwhile. Raises Unreachable.

        One that was kept may have died unseen: then it is asked again over a new one, so `ask` must bear being done twice,
        as everything here does.
        """
        place = self.place(host)
        kept = self.kept.get(host)
        if kept is not None:
            try:
                return self._ask(host, kept, place, ask)
            except Unreachable:
                self.kept.drop(host)
        return self._ask(host, self.reach(place.target), place, ask)

    def _ask(self, host: str, server: Server, place: Place, ask: Callable[[Server, Place], Any]) -> Any:
        try:
            answer = ask(server, place)
        except BaseException:
            server.close()
            raise
        self.kept.put(host, server)
        return answer

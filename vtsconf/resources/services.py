"""Services: what is restarted after changes and asked whether it runs; has no changes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtsconf.core.change import Change, State
from vtsconf.core.probe import Probe, Query, QuerySeen, Reading
from vtsconf.core.problem import Level, Problem
from vtsconf.core.step import Step


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """Asks a service before anything is changed, so that a fault that was there before is not taken for ours."""

    name: str
    status: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    kind = "services"

    @property
    def address(self) -> str:
        return f"services/{self.name}"

    @property
    def _query(self) -> str:
        return f"{self.address}/status"

    def probes(self) -> Sequence[Probe]:
        return (Query(self._query, self.status),) if self.status else ()

    def observe(self, reading: Reading) -> State:
        del reading
        return {}

    def desired(self) -> State:
        return {}

    def problems(self, reading: Reading) -> Sequence[Problem]:
        seen = reading.queries.get(self._query)
        if not self.status or (seen is not None and seen.exit == 0):
            return ()
        return (
            Problem(
                what=f"the service {self.name} is not well before anything was changed: {_answer(seen)}",
                why="a change that restarts it would be taken back, because its status would still be bad",
                remedy="look at the service first; correct its `status` command if the service is well",
                level=Level.WARNING,
                code="service-down",
                address=self.address,
            ),
        )

    def steps(self, changes: Sequence[Change], reading: Reading) -> Sequence[Step]:
        del changes, reading
        return ()


def _answer(seen: QuerySeen | None) -> str:
    if seen is None:
        return "its status was not asked"
    if seen.exit is None:
        return "its status command did not end in time"
    first = next(iter((seen.text or seen.stderr.decode(errors="replace").strip()).splitlines()), "")
    said = f", {first!a:.120}" if first else ""
    return f"exit {seen.exit}{said}"

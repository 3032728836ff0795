"""Commands: what no file can say; run only where a check fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtsconf.core.change import Change, State
from vtsconf.core.probe import Probe, Query, Reading
from vtsconf.core.problem import Level, Problem
from vtsconf.core.step import RunCommand, Step

DONE = "done"
_CANNOT_RUN = {126: "may not be run", 127: "was not found"}


@dataclass(frozen=True, kw_only=True)
class Command:
    """`check` says by exit 0 that nothing is to be done; else `run` does it and `revert` takes it back."""

    name: str
    check: tuple[str, ...]
    run: tuple[str, ...]
    revert: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    kind = "commands"

    @property
    def address(self) -> str:
        return f"commands/{self.name}"

    @property
    def _query(self) -> str:
        return f"{self.address}/check"

    def probes(self) -> Sequence[Probe]:
        return (Query(self._query, self.check),)

    def observe(self, reading: Reading) -> State:
        seen = reading.queries.get(self._query)
        return {self.address: DONE} if seen is not None and seen.exit == 0 else {}

    def desired(self) -> State:
        return {self.address: DONE}

    def problems(self, reading: Reading) -> Sequence[Problem]:
        seen = reading.queries.get(self._query)
        if seen is None:
            return (self._unanswered("was not asked", "try again"),)
        if seen.exit is None:
            return (self._unanswered("did not end in time", "write a check that answers at once"),)
        if seen.exit in _CANNOT_RUN:
            remedy = "give its full path, or a check that every server can answer, such as [test, -e, PATH]"
            return (self._unanswered(_CANNOT_RUN[seen.exit], remedy),)
        if seen.exit and not self.revert:
            return (self._one_way(),)
        return ()

    def _unanswered(self, what: str, remedy: str) -> Problem:
        return Problem(
            what=f"the check of the command {self.name} {what}: {self.check[0]!a}",
            why="whether there is anything to do cannot be told, so nothing is done",
            remedy=remedy,
            code="check",
            address=self.address,
        )

    def _one_way(self) -> Problem:
        return Problem(
            what=f"the command {self.name} has no `revert`",
            why="when a change is taken back, what this command did stays",
            remedy="add `revert: […]`, or accept that",
            level=Level.WARNING,
            code="no-revert",
            address=self.address,
        )

    def steps(self, changes: Sequence[Change], reading: Reading) -> Sequence[Step]:
        del reading
        if self.address not in {c.address for c in changes}:
            return ()
        return (
            RunCommand(
                name=self.name,
                check=self.check,
                run=self.run,
                revert=self.revert,
                restart=self.restart,
                addresses=(self.address,),
            ),
        )

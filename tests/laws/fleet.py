"""A fleet of servers in memory and a rollout over it, that can be killed at any entry of its journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.engine.test_apply import PATH, order, plan, seen, server
from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.rollout.state import Rollout
from vtsconf.core.rollout.strategy import Strategy
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
from vtsconf.engine.rollout.begin import Course, begin
from vtsconf.engine.rollout.desk import Desk, Watch
from vtsconf.engine.rollout.driver import Halt, drive
from vtsconf.transport.fake import MemoryServer

RUN = "r1"


class Killed(BaseException):
    """The controller is gone: nothing of ours catches it."""


class MortalJournal(Journal):
    """Ends its controller once so many entries are written; `after`: right before, or right after the entry.

    `dies_with`: or right after the first entry of that run.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.left: int | None = None
        self.after = True
        self.dead = False
        self.dies_with = ""

    def add_all(self, events: Sequence[Event]) -> None:
        if self.dead:
            raise Killed
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.dead = True
                if self.after:
                    super().add_all(events)
                raise Killed
        super().add_all(events)
        if self.dies_with and self.dies_with == events[0].run:
            self.dead = True
            raise Killed


class Way:
    """To the servers by name; `lost` are those that do not answer. Counts what was ever put in place."""

    def __init__(self, names: Sequence[str]) -> None:
        self.servers: dict[str, MemoryServer] = {name: server() for name in names}
        self.lost: set[str] = set()

    def __call__(self, target: Target) -> MemoryServer:
        if target.name in self.lost:
            raise Unreachable("no route to host", stage="tcp")
        return self.servers[target.name]


@dataclass(kw_only=True)
class Fleet:
    """`names` in `waves`; `go` drives until it halts, as whichever controller."""

    folder: Path
    waves: Sequence[Sequence[str]]
    strategy: Strategy = field(default_factory=Strategy)
    idle: Sequence[HostPlan] = ()
    clock: float = 1000.0
    journal: MortalJournal = field(init=False)
    way: Way = field(init=False)

    def __post_init__(self) -> None:
        self.journal = MortalJournal(f"sqlite:///{self.folder}/vtsconf.db")
        self.way = Way([name for wave in self.waves for name in wave])

    @property
    def plan(self) -> Plan:
        names = [name for wave in self.waves for name in wave]
        hosts = [replace(plan(), host=name, endpoint="127.0.0.1:22") for name in names]
        return Plan(made=1, by="ops@here", revision="abc", hosts=(*hosts, *self.idle))

    def desk(self, *, parallel: int = 1, **more: object) -> Desk:
        targets = {name: Target(name=name, address="127.0.0.1") for name in self.way.servers}
        return Desk(
            run=RUN, order=order(self.way, run=RUN, **more), journal=self.journal, find_targets=lambda _: targets,
            now=lambda: self.clock, parallel=parallel, watch=Watch(),
        )  # fmt: skip

    def begin(self) -> None:
        questions = {name: () for wave in self.waves for name in wave} if self.strategy.gates else {}
        course = Course(
            command="rollout", waves=self.waves, strategy=self.strategy, questions=questions,
            has_canary=bool(self.strategy.canary),
        )  # fmt: skip
        begin(self.plan, course, self.desk())

    def go(self, *, parallel: int = 1, **more: object) -> Halt:
        """`more` goes into the order: on_event, …"""
        return drive(self.desk(parallel=parallel, **more))

    def die_at(self, entry: int, *, after: bool) -> bool:
        """Drive, and be killed at that entry; False when it ended before."""
        self.journal.left, self.journal.after = entry, after
        try:
            self.go()
        except Killed:
            self.journal.left, self.journal.dead = None, False
            return True
        self.journal.left = None
        return False

    def die_in(self, moment: int) -> bool:
        """Drive, and be killed at that event of a server's change; False when it ended before."""
        left = moment

        def die(_host: str, _event: str) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                self.journal.dead = True
                raise Killed

        try:
            self.go(on_event=die)
        except Killed:
            self.journal.dead = False
            return True
        return False

    @property
    def rollout(self) -> Rollout:
        return Rollout.of(RUN, self.journal.events(RUN))

    @property
    def outcomes(self) -> Mapping[str, str]:
        return {name: self.rollout.outcome(name) for name in self.rollout.seen.hosts}

    @property
    def bytes(self) -> Mapping[str, bytes | None]:
        return {name: server.files[PATH].data for name, server in self.way.servers.items()}

    def break_(self, name: str) -> None:
        """Somebody edits it: its plan is stale."""
        self.way.servers[name].files[PATH] = seen(b"by hand")

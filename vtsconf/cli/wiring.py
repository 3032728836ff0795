"""Composes the rooms for one command: project, settings, journal, the way to servers, who and when."""

from __future__ import annotations

import os
import pwd
import secrets as random
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vtsconf.core.connection import Target
from vtsconf.core.errors import Invalid, Refused, bug
from vtsconf.core.outcome import Exit, PlanOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.problem import errors
from vtsconf.core.secret import FingerprintKey, Secret, SecretRef
from vtsconf.engine.crew import crew, processes_for
from vtsconf.engine.fan import Stop
from vtsconf.engine.project import Project
from vtsconf.engine.reach import Limits, Lines
from vtsconf.engine.settings import Settings, read_settings

if TYPE_CHECKING:
    from vtsconf.engine.apply import Order
    from vtsconf.engine.collect import Wish
    from vtsconf.engine.journal import Journal
    from vtsconf.engine.prepare import Preparation, Ready


class _KeyOnDemand(Secret):
    """The controller's fingerprint key; the store is opened only when a secret is really there."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[], FingerprintKey]) -> None:
        super().__init__(b"")
        self._find = find

    def reveal(self) -> bytes:
        return self._find().key.reveal()


@dataclass(kw_only=True)
class Shop:
    """Everything a command that meets servers needs. Made once per command, by `open_shop`."""

    project: Project
    settings: Settings
    stop: Stop = field(default_factory=Stop)

    @cached_property
    def journal(self) -> Journal:
        from vtsconf.engine.journal import Journal

        return Journal(self.settings.store)

    @cached_property
    def fingerprints(self) -> FingerprintKey:
        return FingerprintKey(_KeyOnDemand(lambda: self.journal.fingerprints))

    @cached_property
    def reach(self) -> Lines:
        said = {name for name, origin in self.settings.origins.items() if origin != "default"}
        limits = Limits(
            connect=self.settings.connect_timeout if "connect_timeout" in said else None,
            command=self.settings.command_timeout if "command_timeout" in said else None,
        )
        return Lines(lambda: self.fingerprints, limits)

    @cached_property
    def holder(self) -> str:
        return f"{_user()}@{socket.gethostname()}"

    @property
    def now(self) -> int:
        return int(time.time())

    def new_run(self) -> str:
        """A name for a run: when it began, and four letters against two in one second."""
        return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{random.token_hex(2)}"

    def revision(self) -> str:
        """The Git commit of the documents, "+" when something is not committed; "" outside a checkout."""
        revision = self.project.revision()
        return "" if revision is None else str(revision)

    def order(self, run: str) -> Order:
        """What a run of ours is carried out with."""
        from vtsconf.engine.apply import Order

        return Order(
            run=run,
            holder=self.holder,
            reach=self.reach,
            secrets_of=secrets_for(self),
            fingerprints=lambda: self.fingerprints,
        )

    def prepare(self, limit: str | None) -> Preparation:
        """Read the documents of the selected hosts. Raises Invalid for errors that concern all of them."""
        from vtsconf.engine.prepare import prepare

        if wrong := errors(self.project.problems):
            raise Invalid(wrong)
        return prepare(self.project, self.project.hosts(limit))

    def targets(self, names: Collection[str]) -> dict[str, Target]:
        """How to reach these hosts; raises Invalid for what is wrong with their connection variables."""
        from vtsconf.core.connection import secret_refs_of, target_of
        from vtsconf.engine.secrets import resolve

        hosts = [host for host in self.project.hosts() if host.name in names]
        uses: dict[SecretRef, list[str]] = {}
        for host in hosts:
            for ref in secret_refs_of(host.variables):
                uses.setdefault(ref, []).append(host.name)
        known = resolve(uses, self.project.root)
        found = {h.name: target_of(h.name, h.variables, known, h.locate) for h in hosts}
        if wrong := errors(problem for _, problems in found.values() for problem in problems):
            raise Invalid(wrong)
        return {name: target for name, (target, _) in found.items()}

    def plan(
        self,
        preparation: Preparation,
        wish: Wish,
        *,
        done: Callable[[str], None] = lambda _: None,
    ) -> Plan:
        """Read every host that is ready, and compare. Hosts come in the inventory's order."""
        from vtsconf.core.resource import Keys
        from vtsconf.engine.collect import plan_host

        keys = Keys(secrets=preparation.secrets, fingerprints=self.fingerprints)
        made: dict[str, HostPlan] = {host.host: host for host in preparation.invalid}

        def work(ready: Ready) -> HostPlan:
            try:
                return plan_host(ready, self.reach, keys, wish)
            except Exception as error:  # noqa: BLE001 a bug of ours on one host must not hide the others
                return HostPlan(host=ready.name, outcome=PlanOutcome.ERROR, reason=bug(error))

        processes = min(processes_for(len(preparation.ready)), self.settings.parallel)
        if processes > 1:
            self.reach.warm({ready.target.transport for ready in preparation.ready})
        for ready, host in crew(
            preparation.ready, work, parallel=self.settings.parallel, processes=processes
        ):
            made[ready.name] = host
            done(ready.name)
        names = [name for name in self.project.inventory.hosts if name in made]
        return Plan(
            made=self.now, by=self.holder, revision=self.revision(), hosts=tuple(made[name] for name in names)
        )


def _user() -> str:
    """Who the system says that we are. Not LOGNAME: four eyes would be two words on a command line."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def open_shop(inventory: str | None, extra: Sequence[str] = (), **flags: object) -> Shop:
    """Read the project and its settings. `flags` are settings given on the command line."""
    project = Project.load(inventory, extra=extra)
    settings, _ = read_settings(project.root, flags=flags, environ=os.environ, home=Path.home())
    return Shop(project=project, settings=settings)


@contextmanager
def stoppable(stop: Stop, then: str = "hosts that have begun are finished") -> Iterator[None]:
    """^C or SIGTERM: begin nothing more, end properly what has begun; the second one ends at once."""

    def first(*_: object) -> None:
        stop.set()
        for name in before:
            signal.signal(name, second)
        click.echo(f"stopping: {then}; once more to leave at once", err=True)

    def second(*_: object) -> None:
        # Not an exception: the threads at work would be waited for. What they have armed takes itself back.
        click.echo("interrupted", err=True)
        os._exit(Exit.INTERRUPTED)

    before = {name: signal.signal(name, first) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def references(plan: HostPlan) -> frozenset[SecretRef]:
    """The secrets that the steps of a plan need from this side."""
    from vtsconf.core import live
    from vtsconf.core.step import PutFile

    contents = [s.after.content for s in plan.steps if isinstance(s, PutFile) and s.after and s.after.content]
    return frozenset(ref for c in contents for ref in c.secrets if ref.provider != live.PROVIDER)


def check_references(shop: Shop, plan: HostPlan, what: str, remedy: str = "") -> None:
    """A plan that came from elsewhere may not have this machine run `secret://cmd/…`, or send out its environment."""
    from vtsconf.engine.prepare import references_of

    asked = references(plan)
    if not asked:
        return
    host = shop.project.host(plan.host)
    known = references_of(host, shop.project) if host else frozenset()
    if strange := sorted(str(ref) for ref in asked if ref not in known):
        raise Refused(
            f"{what} asks for a secret that the documents of {plan.host} do not speak of: {strange[0]}",
            remedy=remedy,
        )


def secrets_for(shop: Shop) -> Callable[[HostPlan], dict[SecretRef, Secret]]:
    """What the steps of a plan need, resolved when they are carried out."""
    from vtsconf.engine.secrets import resolve

    def of(plan: HostPlan) -> dict[SecretRef, Secret]:
        return resolve({ref: [plan.host] for ref in references(plan)}, shop.project.root)

    return of

"""Runs, as folds over the journal's events: cut the events anywhere, and the fold says what is known so far."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.errors import Usage

_IN_DOUBT = "in doubt"
_TRY = re.compile(r"([0-9]{8}-[0-9]{6}-[0-9a-f]{4}(?:-back[0-9]*)?)-[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the journal; what each `action` means and carries is in `vtsconf.core.rollout.state`.

    `id` counts up in the order of the journal; 0 before it is written. `at`: seconds since 1970.
    """

    at: int
    run: str
    action: str
    host: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    id: int = field(default=0, compare=False)


@dataclass(kw_only=True)
class RunSeen:
    """A run, folded from its events."""

    run: str
    started: int = 0
    finished: int = 0
    command: str = ""
    by: str = ""
    revision: str = ""
    reverses: str = ""
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)  # as the run told it when it ended

    def feed(self, event: Event) -> None:
        """Learn one more event."""
        match event.action:
            case "run-started":
                self.started, self.command = event.at, event.body.get("command", "")
                self.by, self.revision = event.body.get("by", ""), event.body.get("revision", "")
                self.reverses = event.body.get("reverses", "")
                self.hosts = {name: {"outcome": "", "reason": ""} for name in event.body.get("hosts", [])}
            case "host-started":
                self.hosts.setdefault(event.host, {}).update(
                    {"outcome": _IN_DOUBT, "as": event.body.get("as", self.run)}
                )
            case "host-finished" | "host-settled":
                self.hosts.setdefault(event.host, {}).update(event.body)
            case "run-finished":
                self.finished, self.summary = event.at, dict(event.body.get("summary") or {})
            case _:
                pass

    def name_on(self, host: str) -> str:
        """The run's name on a server: that of its last try there."""
        return str(self.hosts.get(host, {}).get("as") or self.run)

    @property
    def is_open(self) -> bool:
        """It never said that it ended: its controller was killed, or is still at work."""
        return self.finished == 0 and not self.is_strange

    @property
    def is_strange(self) -> bool:
        """Another controller's run: only its end was decided from here."""
        return not self.command

    def is_unsettled(self, host: str) -> bool:
        """The journal does not know whether the server kept what this run did there."""
        entry = self.hosts.get(host, {})
        outcome, reason = entry.get("outcome"), entry.get("reason") or ""
        return outcome in ("waiting", _IN_DOUBT) or (
            outcome == "unreachable" and reason.startswith(_IN_DOUBT)
        )


def run_of(name: str) -> str:
    """The run that stands in the journal, of a run's name on a server: a second try there is RUN-2."""
    match = _TRY.fullmatch(name)
    return match[1] if match else name


def fold(events: Iterable[Event]) -> list[RunSeen]:
    """Every run of these events, in the order in which they began."""
    runs: dict[str, RunSeen] = {}
    for event in events:
        runs.setdefault(event.run, RunSeen(run=event.run, started=event.at)).feed(event)
    return list(runs.values())


def find(runs: Sequence[RunSeen], wanted: str) -> RunSeen:
    """The run of that name, or the only one that begins so. Raises Usage."""
    found = [run for run in runs if run.run == wanted] or [run for run in runs if run.run.startswith(wanted)]
    if len(found) != 1:
        raise Usage(
            f"{len(found) or 'no'} runs in the journal begin with {wanted!r}",
            remedy="`vtsconf history` lists the runs",
        )
    return found[0]

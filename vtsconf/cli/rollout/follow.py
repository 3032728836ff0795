"""Tells what happens in a rollout, whichever controller does it: every entry of the journal becomes a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from vtsconf.cli import show
from vtsconf.core.printable import printable
from vtsconf.core.rollout.state import Rollout
from vtsconf.core.runs import Event
from vtsconf.engine.rollout.document import result_of

if TYPE_CHECKING:
    from vtsconf.engine.journal import Journal


class Follower:
    """`poll` prints what is new since the last time. `form`: "people", "lines" (JSON, one a line) or "none"; `skip`: what
    has happened before is not told.
    """

    def __init__(
        self, journal: Journal, run: str, form: str, *, verbose: int = 0, skip: bool = False
    ) -> None:
        self._journal, self._form, self._verbose = journal, form, verbose
        self.rollout = Rollout.of(run, journal.events(run) if skip else ())

    def poll(self) -> Rollout:
        for event in self._journal.events(self.rollout.run, after=self.rollout.last):
            self.rollout.feed(event)
            if self._form == "lines":
                click.echo(json.dumps(_line(event)))
            elif self._form == "people" and (tell := _TELL.get(event.action)):
                tell(event, self.rollout, self._verbose)
        return self.rollout


def _line(event: Event) -> dict[str, Any]:
    return {
        "format": "vtsconf/event/1",
        "id": event.id,
        "at": event.at,
        "run": event.run,
        "action": event.action,
        "host": event.host or None,
        **{key: value for key, value in event.body.items() if key not in ("host", "run")},
    }


def _said(text: object) -> str:
    return printable(str(text or ""), 2000)


def _started(event: Event, rollout: Rollout, _verbose: int) -> None:
    canary = " (the first is a canary)" if rollout.has_canary else ""
    waves = show.many(len(rollout.waves), "wave")
    work = sum(map(len, rollout.waves))
    click.echo(f"Rollout {click.style(event.run, bold=True)}: {show.many(work, 'server')} in {waves}{canary}")


def _wave(event: Event, rollout: Rollout, _verbose: int) -> None:
    wave = event.body["wave"]
    hosts = rollout.waves[wave - 1]
    names = ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
    click.echo(f"Wave {wave} of {len(rollout.waves)}: {names}")


def _host(event: Event, rollout: Rollout, verbose: int) -> None:
    result = result_of(event.host, rollout.seen.hosts[event.host])
    if verbose or result.outcome not in ("unchanged", "skipped"):
        show.show_result(result)


def _gate(event: Event, _rollout: Rollout, verbose: int) -> None:
    body = event.body
    answers = body["answers"]
    verdict = body["verdict"]
    again = " after soaking" if body["ask"] == "last" else ""
    symbol = {"pass": "=", "fail": "!"}.get(verdict, "?")
    click.echo(
        f"{show.paint(symbol)} Gate after wave {body['wave']}{again}: {verdict} ({show.many(len(answers), 'answer')})"
    )
    for answer in answers:
        if verbose or answer["verdict"] != "pass":
            where = f"{answer['host']}  " if answer["host"] else ""
            click.echo(f"      {where}{answer['gate']}: {answer['verdict']}: {_said(answer['reason'])}")


def _words(head: str) -> Callable[[Event, Rollout, int], None]:
    def tell(event: Event, _rollout: Rollout, _verbose: int) -> None:
        by = f" by {_said(event.body['by'])}" if event.body.get("by") else ""
        wave = f" wave {event.body['wave']}" if "wave" in event.body else ""
        why = f": {_said(event.body['why'])}" if event.body.get("why") else ""
        click.echo(f"{head}{wave}{by}{why}")

    return tell


def _stopped(event: Event, _rollout: Rollout, _verbose: int) -> None:
    then = "what was changed is taken back" if event.body.get("revert") else "what was changed stays"
    click.echo(f"{show.paint('!')} Stopped: {_said(event.body['why'])}; {then}")


_TELL: dict[str, Callable[[Event, Rollout, int], None]] = {
    "run-started": _started,
    "wave-started": _wave,
    "host-finished": _host,
    "host-settled": _host,
    "gate-asked": _gate,
    "paused": _words("? Paused"),
    "resumed": _words("Resumed"),
    "approved": _words("Approved"),
    "abort-asked": _words("! Abort asked for"),
    "stopped": _stopped,
}

"""Who did what and when, from a run's events: everything that `Rollout` may forget once it no longer counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vtsconf.core.runs import Event

_DECISIONS = ("run-started", "approved", "paused", "resumed", "abort-asked", "stopped", "run-finished")


@dataclass(kw_only=True)
class Try:
    """One time that a server was worked on. Times are seconds since 1970; `finished` None: not heard of since."""

    run: str  # its name on the server
    wave: int
    by: str
    started: float
    finished: float | None = None
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What was found out, or done, after the work on a server had ended or was cut off."""

    at: float
    outcome: str
    reason: str
    by: str = ""


@dataclass(kw_only=True)
class Track:
    """All that happened to one server."""

    tries: list[Try] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "tries": [asdict(one) for one in self.tries],
            "settled": [asdict(one) for one in self.settled],
        }


@dataclass(kw_only=True)
class Story:
    """Fed with the events of one run, in order."""

    tracks: dict[str, Track] = field(default_factory=dict)
    waves: dict[int, dict[str, Any]] = field(default_factory=dict)  # number → started, by
    gates: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    questions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    controllers: dict[str, None] = field(default_factory=dict)  # in the order in which they came
    last: float = 0.0  # when the last event was written
    events: int = 0

    def feed(self, event: Event) -> None:
        """Learn one more event."""
        at, body = moment(event), event.body
        self.last, self.events = max(self.last, at), self.events + 1
        if event.action in _DECISIONS:
            self._decided(event)
        match event.action:
            case "questions":
                self.questions[event.host] = list(body.get("questions", ()))
            case "wave-started":
                self.waves.setdefault(int(body.get("wave", 0)), {"started": at, "by": body.get("by", "")})
                self._at_work(body)
            case "gate-asked":
                self.gates.append({"at": at, **_some(body, ("wave", "ask", "by", "verdict", "answers"))})
                self._at_work(body)
            case "host-started" | "host-finished" | "host-settled":
                self._host(event)
            case _:
                pass

    def _decided(self, event: Event) -> None:
        keys = ("by", "why", "wave", "cause", "revert", "state")
        self.decisions.append({"at": moment(event), "action": event.action, **_some(event.body, keys)})

    def _at_work(self, body: Mapping[str, Any]) -> None:
        if by := body.get("by"):
            self.controllers.setdefault(str(by))

    def _host(self, event: Event) -> None:
        track = self.tracks.setdefault(event.host, Track())
        at, body = moment(event), event.body
        ending = {"outcome": str(body.get("outcome", "")), "reason": str(body.get("reason") or "")}
        if event.action == "host-settled":
            track.settled.append(Settled(at=at, by=str(body.get("by", "")), **ending))
        elif event.action == "host-started":
            name, wave = str(body.get("as") or event.run), int(body.get("wave") or 0)
            track.tries.append(Try(run=name, wave=wave, by=str(body.get("by", "")), started=at))
            self._at_work(body)
        elif track.tries and track.tries[-1].finished is None:
            last = track.tries[-1]
            last.finished, last.outcome, last.reason = at, ending["outcome"], ending["reason"]


def moment(event: Event) -> float:
    """When it was, with fractions of a second where they were written down."""
    at = event.body.get("time")
    return float(at) if isinstance(at, int | float) else float(event.at)


def _some(body: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: body[key] for key in keys if body.get(key) is not None}

"""A piece of durable work as everybody sees it: what to do, where it stands, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from vtsconf.core.errors import VtsconfError
from vtsconf.engine.durable import failure


class State(StrEnum):
    """WAITING: for room on its queue, or for its time; a flow that waits for a word is RUNNING."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in {State.WAITING, State.RUNNING}


@dataclass(frozen=True, kw_only=True)
class Queue:
    """How much of it may run at once; None: no limit. Kept in the store: the last process that started says.

    each      in one process
    total     in all processes together
    per_key   in all processes together, of one key; then every call names its key
    """

    each: int | None = None
    total: int | None = None
    per_key: int | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A flow to be run by whoever has room on the queue. `priority`: the lower goes first; `delay`: seconds."""

    flow: str
    id: str
    argument: Any = None
    queue: str = ""  # "": the flow's own
    key: str = ""
    priority: int = 0
    delay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Work:
    """Where a piece of work stands. `by`: the process that runs or ran it last; `since`: seconds since 1970."""

    id: str
    flow: str
    state: State
    queue: str = ""
    by: str = ""
    since: float = 0.0
    result: Any = None  # of DONE
    failure: VtsconfError | None = None  # of FAILED

    def value(self) -> Any:
        """What the flow returned; raises what it raised."""
        if self.failure:
            raise self.failure
        if self.state is State.CANCELLED:
            raise VtsconfError(f"{self.id} was cancelled")
        return self.result

    def to_json(self) -> dict[str, Any]:
        told = failure.to_json(self.failure) if self.failure else None
        return {**asdict(self), "state": self.state.value, "failure": told}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Work:
        told = document["failure"]
        raised = failure.from_json(told) if told else None
        return cls(**{**document, "state": State(document["state"]), "failure": raised})

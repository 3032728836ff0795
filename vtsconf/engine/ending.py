"""How a change ended that was left armed or in doubt: what the journal knows, what the server answers, what is noted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vtsconf.core.outcome import RunOutcome
from vtsconf.core.runs import Event, RunSeen, run_of
from vtsconf.engine.journal import Journal
from vtsconf.transport.server import Confirmed, Server

_OUTCOMES = {"confirmed": RunOutcome.CHANGED, "reverted": RunOutcome.REVERTED}
_UNKNOWN = "the server knows no end of it: it was never armed there, or is forgotten"


def latest(runs: Sequence[RunSeen], host: str) -> RunSeen | None:
    """The last run that changed something there, or may have."""
    for run in reversed(runs):
        if run.is_unsettled(host) or run.hosts.get(host, {}).get("outcome") in _OUTCOMES.values():
            return run
    return None


def ask_end(server: Server, run: str, state_dir: str) -> Confirmed:
    """How a run that is not armed has ended there: "confirmed", "reverted", "none".

    Asked as a wish to take it back, so that a change that gets armed this very moment does not stay unseen.
    """
    return server.revert(run, "it was not confirmed when its end was asked for", state_dir)


def note_end(journal: Journal, host: str, run: str, answer: Confirmed, *, now: int) -> None:
    """Tell the journal; how long it took, and what it did, stay as they were noted."""
    reason = f"confirmed by {answer.reason}" if answer.outcome == "confirmed" else answer.reason
    body: dict[str, Any] = {
        "outcome": _OUTCOMES.get(answer.outcome, RunOutcome.FAILED),
        "reason": _UNKNOWN if answer.outcome == "none" else reason.strip(),
        "detail": answer.detail,
        "remedy": "",
        "changes": changes(journal, run, host) if answer.outcome == "confirmed" else 0,
    }
    journal.add(Event(at=now, run=run_of(run), host=host, action="host-settled", body=body))


def changes(journal: Journal, run: str, host: str) -> int:
    """How many changes the run's plan has for this host; 0 for another controller's run."""
    document = journal.plans(run_of(run), [host]).get(host)
    return len(json.loads(document)["hosts"][0]["changes"]) if document else 0


def state_dir(journal: Journal, run: str, host: str) -> str:
    """Where the run keeps its state on the server; "" for another controller's run."""
    document = journal.plans(run_of(run), [host]).get(host)
    return str(json.loads(document)["hosts"][0]["state_dir"]) if document else ""

"""The line on top: how a run ended, in one sentence that holds without the rest of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# How many of what: the words for people of each outcome, in the order in which they are told.
SAID = {
    "changed": "changed and confirmed",
    "unchanged": "already as desired",
    "waiting": "changed and waiting for confirmation",
    "reverted": "reverted",
    "failed": "failed",
    "unreachable": "unreachable",
    "stale": "refused as stale",
    "locked": "locked by someone else",
    "refused": "refused",
    "in doubt": "in doubt",
    "skipped": "never tried",
    "not tried": "not tried so far",
}
SHORT = {outcome: outcome for outcome in SAID} | {"skipped": "never tried"}
_STATES = {
    "done": "Done",
    "failures": "Ended with failures",
    "stopped": "Stopped",
    "aborted": "Aborted",
    "paused": "Paused",
    "approval": "Waiting for approval",
    "waiting": "Waiting",
    "open": "Not finished",
}
_TONES = {"done": "good", "stopped": "bad", "aborted": "bad", "failures": "bad"}


def state_word(state: str) -> str:
    """The state for people."""
    return _STATES.get(state, state)


def look(outcome: str) -> str:
    """The class by which the page draws an outcome: colour, pattern and letter."""
    return f"o-{outcome.replace(' ', '-')}"


def tone(state: str) -> str:
    """How it is meant: "good", "bad", or "open" for what has not ended."""
    return _TONES.get(state, "open")


def verdict(state: str, summary: Mapping[str, Any], why: str, by: str = "") -> str:
    """The sentence. `summary`: how many servers ended in which outcome; `why`: of a stop, a pause, a wait."""
    return f"{_counts(summary)}{_ending(state, why, by)}."


def _counts(summary: Mapping[str, Any]) -> str:
    total = int(summary["servers"])
    back = int(summary.get("taken_back", 0))
    words = SAID | ({"reverted": f"reverted ({back:,} of them because it stopped)"} if back else {})
    told = [(int(summary.get(outcome, 0)), word) for outcome, word in words.items()]
    first, *others = [(n, word) for n, word in told if n] or [(0, SAID["changed"])]
    whole = f"{first[0]:,} of {total:,} {'server' if total == 1 else 'servers'} {first[1]}"
    return ", ".join([whole, *(f"{n:,} {word}" for n, word in others)])


def _ending(state: str, why: str, by: str) -> str:
    why = why.strip().rstrip(".")
    match state:
        case "done" | "failures":
            return ""
        case "stopped":
            return (
                f"; stopped by {why}" if why.startswith("gate ") else f"; stopped: {why or 'no reason given'}"
            )
        case "aborted":
            return f"; {why}" if why.startswith("aborted") else f"; aborted: {why or 'no reason given'}"
        case "paused":
            who = f" by {by}" if by else ""
            return f"; not finished, paused{who}: {why}"
    return f"; not finished: {why}" if why else "; not finished when this report was made"

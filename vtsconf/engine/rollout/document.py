"""How the servers of a run ended: as results, as journal entries, as the run document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vtsconf.core.outcome import RunOutcome
from vtsconf.core.rollout.state import Rollout
from vtsconf.engine.apply import HostResult

FORMAT = "vtsconf/run/1"


def entry_of(result: HostResult, run: str) -> dict[str, Any]:
    """A host's entry in the journal, and in the document of `run`."""
    return asdict(result) | {"run": result.run or run, "debts": list(result.debts)}


def result_of(host: str, entry: Mapping[str, Any]) -> HostResult:
    """The way back."""
    known = {key: value for key, value in entry.items() if key in HostResult.__dataclass_fields__}
    ended = {"host": host, "outcome": RunOutcome(known["outcome"]), "debts": tuple(known.get("debts", ()))}
    return HostResult(**(known | ended))


def results_of(rollout: Rollout) -> list[HostResult]:
    """Every server that has ended, in the order of the plan."""
    known = {outcome.value for outcome in RunOutcome}
    return [result_of(h, entry) for h, entry in rollout.seen.hosts.items() if entry.get("outcome") in known]


def summary(results: Iterable[HostResult]) -> dict[str, int]:
    """How many hosts ended in which outcome."""
    results = list(results)
    counts = {o.value: sum(1 for r in results if r.outcome is o) for o in RunOutcome}
    return {"hosts": len(results), **counts, "changes": sum(r.changes for r in results)}


def to_json(run: str, results: Sequence[HostResult]) -> dict[str, Any]:
    """The run document."""
    return {
        "format": FORMAT,
        "run": run,
        "hosts": [entry_of(r, run) for r in results],
        "summary": summary(results),
    }

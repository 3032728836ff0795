"""Finds what a run did, in the journal, and makes the plan that takes it back."""

from __future__ import annotations

from collections.abc import Collection

from vtsconf.core import plan as plans
from vtsconf.core.errors import Refused, Usage
from vtsconf.core.outcome import RunOutcome
from vtsconf.core.plan import HostPlan, Plan, reversed_host
from vtsconf.engine.journal import Journal, RunSeen

_KEPT = (RunOutcome.CHANGED, RunOutcome.WAITING)


def plan_to_undo(journal: Journal, wanted: str | None, hosts: Collection[str], *, now: int, by: str) -> Plan:
    """The reversed plan of a run (the last one that changed something, if none is named). Raises Usage or Refused."""
    run = _find(journal, wanted)
    documents = journal.plans(run.run)
    reversed_ = [
        reversed_host(_host(documents[name], name), run.run)
        for name, entry in run.hosts.items()
        if name in hosts and name in documents and entry.get("outcome") in _KEPT
    ]
    if not reversed_:
        raise Refused(
            f"run {run.run} changed none of these servers: there is nothing to take back",
            remedy=f"`vtsconf history {run.run}` shows how each host ended",
        )
    if stuck := [step for host in reversed_ for step in host.steps if _cannot(step)]:
        names = ", ".join(str(getattr(step, "name", step)) for step in stuck)
        raise Refused(
            f"commands without `revert` cannot be taken back: {names}",
            remedy="take it back by hand, or roll back the other hosts with --limit",
        )
    return Plan(made=now, by=by, reverses=run.run, hosts=tuple(reversed_))


def _find(journal: Journal, wanted: str | None) -> RunSeen:
    runs = journal.runs() if journal.exists else []
    if wanted:
        found = [run for run in runs if run.run.startswith(wanted)]
        if len(found) != 1:
            raise Usage(
                f"{len(found) or 'no'} runs in the journal begin with {wanted!r}",
                remedy="`vtsconf history` lists the runs",
            )
        return found[0]
    changed = [run for run in runs if any(e.get("outcome") in _KEPT for e in run.hosts.values())]
    if not changed:
        raise Usage("no run in the journal changed anything", remedy="`vtsconf history` lists the runs")
    return changed[-1]


def _host(document: str, name: str) -> HostPlan:
    return plans.load(document.encode(), f"the journal's plan for {name}").hosts[0]


def _cannot(step: object) -> bool:
    from vtsconf.core.step import RunCommand

    return isinstance(step, RunCommand) and step.undo and not step.revert

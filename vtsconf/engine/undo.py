"""Finds what a run did, in the journal, and makes the plan that takes it back."""

from __future__ import annotations

from collections.abc import Collection

from vtsconf.core import plan as plans
from vtsconf.core.errors import Invalid, Refused, Usage
from vtsconf.core.outcome import RunOutcome
from vtsconf.core.plan import HostPlan, Plan, reversed_host
from vtsconf.core.problem import Problem, errors
from vtsconf.engine.journal import Journal, RunSeen

_KEPT = (RunOutcome.CHANGED, RunOutcome.WAITING)


def plan_to_undo(
    journal: Journal,
    wanted: str | None,
    hosts: Collection[str],
    *,
    now: int,
    by: str,
    allowed: Collection[str] = (),
) -> Plan:
    """The reversed plan of a run (the last one that changed something on these hosts, if none is named).

    Raises Usage, Refused, or Invalid where it could make tapes erasable and nobody allowed that by name.
    """
    run = _find(journal, wanted, hosts)
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
    if wrong := errors(problem for host in reversed_ for problem in _erasing(host, allowed)):
        raise Invalid(wrong)
    return Plan(made=now, by=by, reverses=run.run, hosts=tuple(reversed_))


def _erasing(host: HostPlan, allowed: Collection[str]) -> list[Problem]:
    """Promise 11 holds backwards too: what was switched off would be switched on again."""
    from vtsconf.resources.lints.erase import changes_could_erase

    return changes_could_erase(host.changes, None, allowed, host=host.host)


def _find(journal: Journal, wanted: str | None, hosts: Collection[str]) -> RunSeen:
    runs = journal.runs() if journal.exists else []
    if wanted:
        found = [run for run in runs if run.run.startswith(wanted)]
        if len(found) != 1:
            raise Usage(
                f"{len(found) or 'no'} runs in the journal begin with {wanted!r}",
                remedy="`vtsconf history` lists the runs",
            )
        return found[0]
    changed = [
        run
        for run in runs
        if any(name in hosts and entry.get("outcome") in _KEPT for name, entry in run.hosts.items())
    ]
    if not changed:
        raise Usage(
            "no run in the journal changed anything on these servers",
            remedy="`vtsconf history` lists the runs",
        )
    return changed[-1]


def _host(document: str, name: str) -> HostPlan:
    return plans.load(document.encode(), f"the journal's plan for {name}").hosts[0]


def _cannot(step: object) -> bool:
    from vtsconf.core.step import RunCommand

    return isinstance(step, RunCommand) and step.undo and not step.revert

"""Finds what a run did, in the journal, and makes the plan that takes it back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from vtsconf.core import plan as plans
from vtsconf.core.errors import Invalid, Refused, Usage
from vtsconf.core.outcome import RunOutcome
from vtsconf.core.plan import HostPlan, Plan, reversed_host
from vtsconf.core.problem import Problem, errors
from vtsconf.core.runs import RunSeen, find
from vtsconf.engine.journal import Journal

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
    """The reversed plan of a run (the last one of which something is left on these hosts, if none is named).

    Raises Usage, Refused, or Invalid where it could make tapes erasable and nobody allowed that by name.
    """
    run = _find(journal, wanted, hosts)
    documents = journal.plans(run.run)
    reversed_ = [
        reversed_host(_host(documents[name], name), run.name_on(name))
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
    runs = journal.runs()
    if wanted:
        return find(runs, wanted)
    back = taken_back(runs)
    kept = [
        run
        for run in runs
        if not run.reverses and not run.is_strange and any(_is_kept(run, name, back) for name in hosts)
    ]
    if kept:
        last = kept[-1]
        return replace(last, hosts={n: e for n, e in last.hosts.items() if (last.run, n) not in back})
    again = [(run, by) for (run, name), by in back.items() if name in hosts]
    told = f"; run {again[0][0]} was already taken back by {again[0][1]}" if again else ""
    raise Usage(
        f"no run in the journal changed anything on these servers that is still there{told}",
        remedy=f"name it to do so again: `vtsconf rollback {again[0][0]}`"
        if again
        else "`vtsconf history` lists the runs",
    )


def _is_kept(run: RunSeen, host: str, back: Collection[tuple[str, str]]) -> bool:
    return run.hosts.get(host, {}).get("outcome") in _KEPT and (run.run, host) not in back


def taken_back(runs: Sequence[RunSeen]) -> dict[tuple[str, str], str]:
    """(run, host) to the later run that took it back there, where that one was not taken back itself; newest first."""
    back: dict[tuple[str, str], str] = {}
    for run in reversed(runs):
        for host in run.hosts if run.reverses else ():
            if _is_kept(run, host, back):
                back.setdefault((run.reverses, host), run.run)
    return back


def _host(document: str, name: str) -> HostPlan:
    return plans.load(document.encode(), f"the journal's plan for {name}").hosts[0]


def _cannot(step: object) -> bool:
    from vtsconf.core.step import RunCommand

    return isinstance(step, RunCommand) and step.undo and not step.revert

"""What will be done, host by host: shown, saved, sealed, loaded again, reversed. Nothing in it is a secret."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from vtsconf.core.change import Action, Change
from vtsconf.core.errors import Refused
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.probe import DebtSeen
from vtsconf.core.problem import Problem
from vtsconf.core.problem import to_json as flat
from vtsconf.core.step import Base, FileState, PutFile, RunCommand, Service, reverse

FORMAT = "vtsconf/plan/1"


@dataclass(frozen=True, kw_only=True)
class Health:
    """A site's own question before a change is kept; exit 0 is yes. `on`: where it is asked."""

    name: str
    run: tuple[str, ...]
    on: Literal["server", "controller"] = "server"


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """One host's part. `steps` and `restarts` are what apply does, in this order, and nothing else.

    `base` is what they were made from: apply compares it on the server before it touches anything.
    `endpoint` ("user@address:port") ties the part to one server: a plan is not carried to another.
    """

    host: str
    outcome: PlanOutcome
    reason: str = ""
    endpoint: str = ""
    state_dir: str = ""
    confirm_within: int = 120  # seconds
    base: tuple[Base, ...] = ()
    changes: tuple[Change, ...] = ()
    steps: tuple[PutFile | RunCommand, ...] = ()
    restarts: tuple[str, ...] = ()  # services that apply restarts, once each
    pending_restarts: tuple[DebtSeen, ...] = ()  # written but not loaded, found on the server
    services: tuple[Service, ...] = ()
    health: tuple[Health, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def has_work(self) -> bool:
        return bool(self.steps or self.restarts)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything one `plan` came to. `revision` is the Git commit of the documents, "" outside a checkout."""

    made: int  # seconds since 1970
    by: str  # user@controller
    revision: str = ""
    reverses: str = ""  # the run that this plan takes back
    hosts: tuple[HostPlan, ...] = field(default=())

    @property
    def summary(self) -> dict[str, int]:
        actions = Counter(c.action for h in self.hosts for c in h.changes)
        outcomes = Counter(h.outcome for h in self.hosts)
        return {
            "hosts": len(self.hosts),
            **{action.value: actions[action] for action in Action},
            **{outcome.value: outcomes[outcome] for outcome in PlanOutcome},
            "restarts": sum(len(h.restarts) for h in self.hosts),
        }


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Plan)


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as its JSON document, sealed."""
    document = {"format": FORMAT, **_adapter().dump_python(plan, mode="json"), "summary": plan.summary}
    for host, part in zip(document["hosts"], plan.hosts, strict=True):
        host["problems"] = [flat(problem) for problem in part.problems]
        for change in host["changes"]:
            change["address"] = f"{host['host']}/{change['address']}"
    document["seal"] = _seal(document)
    return document


def _seal(document: Mapping[str, Any]) -> str:
    """Makes an edit or a cut visible; it is no signature."""
    unsealed = {k: v for k, v in document.items() if k != "seal"}
    text = json.dumps(unsealed, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


_AGAIN = "make the plan again with `vtsconf plan --out FILE`"


def load(data: bytes, name: str) -> Plan:
    """Read a plan file. Raises Refused, with what is wrong with it, and nothing else."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name} is not a whole JSON document: {_brief(error)}", remedy=_AGAIN) from None
    if not isinstance(document, dict):
        raise Refused(f"{name} is not a plan: it holds a {type(document).__name__}", remedy=_AGAIN)
    _check_format(document, name)
    if document.get("seal") != _seal(document):
        raise Refused(f"{name} was changed after it was made", remedy=_AGAIN)
    try:
        return _open(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            f"{name} does not hold a plan that can be understood: {_brief(error)}", remedy=_AGAIN
        ) from None


def _check_format(document: Mapping[str, Any], name: str) -> None:
    format_ = str(document.get("format", ""))
    if format_ == FORMAT:
        return
    family, _, version = format_.rpartition("/")
    if family == "vtsconf/plan" and version.isdigit():
        raise Refused(
            f"{name} has the format {format_}; this vtsconf reads {FORMAT}",
            remedy="use the vtsconf that made it, or " + _AGAIN,
        )
    raise Refused(f"{name} is not a plan file: its format is {format_[:60] or 'not given'!r}", remedy=_AGAIN)


def _open(document: Mapping[str, Any]) -> Plan:
    wanted = {k: v for k, v in document.items() if k in Plan.__dataclass_fields__}
    if isinstance(wanted.get("hosts"), list):
        wanted["hosts"] = [_with_places(host) for host in wanted["hosts"]]
    plan: Plan = _adapter().validate_json(json.dumps(wanted), strict=False)
    hosts = tuple(
        replace(h, changes=tuple(replace(c, address=c.address.removeprefix(f"{h.host}/")) for c in h.changes))
        for h in plan.hosts
    )
    if len({h.host for h in hosts}) < len(hosts):
        raise ValueError("a host stands in it twice")
    return replace(plan, hosts=hosts)


def _with_places(host: dict[str, Any]) -> dict[str, Any]:
    """Its problems as `Problem` has them: `file`, `line` and `column` in one place."""
    return {**host, "problems": [_with_place(problem) for problem in host.get("problems", ())]}


def _with_place(problem: dict[str, Any]) -> dict[str, Any]:
    if problem.get("file") is None:
        return problem
    place = {key: problem[key] for key in ("file", "line", "column")}
    return {**problem, "place": place}


def _brief(error: Exception) -> str:
    findings = getattr(error, "errors", None)
    if callable(findings) and (first := findings(include_input=False, include_url=False)):
        return f"{'.'.join(map(str, first[0]['loc']))}: {first[0]['msg']}"[:200]
    return str(error).splitlines()[0][:200]


def reversed_host(plan: HostPlan, run: str) -> HostPlan:
    """The plan that takes `run` back on this host: live and desired swapped, last step first.

    Bytes that hold a secret are not in any plan: they come from the backup of `run` on the server.
    """
    steps = tuple(_reversed_step(step, run) for step in reversed(plan.steps))
    return replace(
        plan,
        base=tuple(_base_after(step) for step in plan.steps if isinstance(step, PutFile)),
        changes=tuple(change.reversed for change in plan.changes),
        steps=steps,
        pending_restarts=(),
        problems=(),
    )


def _reversed_step(step: PutFile | RunCommand, run: str) -> PutFile | RunCommand:
    back = reverse(step)
    if isinstance(back, PutFile) and back.after and back.after.content is None and not back.after.kept:
        return replace(back, after=replace(back.after, kept=run))
    return back


def _base_after(step: PutFile) -> Base:
    return base_of(step.path, step.after)


def base_of(path: str, state: FileState | None) -> Base:
    """What apply must find at `path` when it is to be `state`."""
    if state is None:
        return Base(path=path, digest="")
    return Base(
        path=path,
        digest=state.digest,
        keyed=state.keyed,
        owner=state.owner,
        group=state.group,
        mode=state.mode,
    )

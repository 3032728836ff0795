"""What was planned for a server, from the journal's plan document: without the bytes of files, with their digests."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vtsconf.core import plan as plans
from vtsconf.core.change import Change
from vtsconf.core.errors import Refused
from vtsconf.core.plan import HostPlan
from vtsconf.core.report import redaction
from vtsconf.core.step import FileState, PutFile, RunCommand


def planned(document: str, host: str) -> dict[str, Any]:
    """The host's part; {"problem": sentence} for a document that is not what it was when it was written."""
    import json

    try:
        plan = plans.load(document.encode(errors="surrogatepass"), f"the journal's plan for {host}")
    except Refused as error:
        return {"problem": str(error)}
    part = next((one for one in plan.hosts if one.host == host), None)
    if part is None:
        return {"problem": f"the journal's plan for {host} speaks of other servers"}
    seal = str(json.loads(document).get("seal", ""))
    return {"seal": seal, "made": plan.made, "by": plan.by, "revision": plan.revision, **_part(part)}


def _part(part: HostPlan) -> dict[str, Any]:
    return {
        "endpoint": part.endpoint,
        "changes": [_change(change) for change in part.changes],
        "files": [_file(step) for step in part.steps if isinstance(step, PutFile)],
        "commands": [_command(step) for step in part.steps if isinstance(step, RunCommand)],
        "restarts": list(part.restarts),
        "pending_restarts": [asdict(debt) for debt in part.pending_restarts],
        "health": [{"name": one.name, "run": list(one.run), "on": one.on} for one in part.health],
        "base": [{"path": one.path, "digest": one.digest, "keyed": one.keyed} for one in part.base],
    }


def _change(change: Change) -> dict[str, Any]:
    def shown(value: Any) -> Any:
        return redaction.value(change.address, value, secret=change.secret)

    return {
        "address": change.address,
        "action": change.action.value,
        "live": shown(change.live),
        "desired": shown(change.desired),
        "secret": change.secret,
    }


def _file(step: PutFile) -> dict[str, Any]:
    return {"path": step.path, "before": _state(step.before), "after": _state(step.after)}


def _state(state: FileState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {key: getattr(state, key) for key in ("digest", "keyed", "owner", "group", "mode")}


def _command(step: RunCommand) -> dict[str, Any]:
    words = {key: list(getattr(step, key)) for key in ("check", "run", "revert")}
    return {"name": step.name, **words, "undo": step.undo}

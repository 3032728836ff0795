"""What was planned: servers with the same changes together, each with the digests of its own files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vtsconf.core.change import Action, Change
from vtsconf.core.report.view.text import cut, names

_SETS = 60  # different sets of changes
_CHANGES = 80  # of one set
_LINES = 40  # of one change
_LONG = 300  # characters of a line
_DIGESTS = 200  # rows on the whole page


def change_sets(document: Mapping[str, Any]) -> dict[str, Any]:
    """{sets, more, problems}: the largest set of servers first; `more`: servers whose plan is in the JSON only."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    problems: list[dict[str, str]] = []
    for server in document["servers"]:
        plan = server["planned"]
        if plan and "problem" in plan:
            problems.append({"host": server["host"], "problem": cut(plan["problem"])})
        elif plan:
            groups.setdefault(_key(plan), []).append(server)
    ordered = sorted(groups.values(), key=len, reverse=True)
    left, sets = _DIGESTS, []
    for found in ordered[:_SETS]:
        sets.append(_set(found, left))
        left -= len(sets[-1]["digests"])
    more = sum(len(found) for found in ordered[_SETS:])
    return {"sets": sets, "more": more, "problems": problems[:_SETS], "damaged": len(problems)}


def _key(plan: Mapping[str, Any]) -> str:
    same = {key: plan[key] for key in ("changes", "commands", "restarts", "health")}
    return json.dumps(same, sort_keys=True)


def _set(found: Sequence[Mapping[str, Any]], room: int) -> dict[str, Any]:
    plan = found[0]["planned"]
    digests = [row for server in found for row in _digests(server)]
    return {
        "count": len(found),
        "names": names([server["host"] for server in found], 40),
        "changes": [_change(one) for one in plan["changes"][:_CHANGES]],
        "more_changes": max(0, len(plan["changes"]) - _CHANGES),
        "commands": [_command(one) for one in plan["commands"]],
        "restarts": plan["restarts"],
        "health": [one["name"] for one in plan["health"]],
        "digests": digests[:room],
        "more_digests": max(0, len(digests) - room),
    }


def _change(one: Mapping[str, Any]) -> dict[str, Any]:
    action = Action(one["action"])
    change = Change(
        address=one["address"], action=action, live=one["live"], desired=one["desired"], secret=one["secret"]
    )
    short = _is_short(change.live) and _is_short(change.desired)
    lines = [] if short else list(_lines(change))
    return {
        "address": change.address,
        "action": action.value,
        "symbol": action.symbol,
        "secret": change.secret,
        "live": _shown(change.live) if short else None,
        "desired": _shown(change.desired) if short else None,
        "lines": lines[:_LINES],
        "more": max(0, len(lines) - _LINES),
    }


def _is_short(value: Any) -> bool:
    return not isinstance(value, dict) and "\n" not in str(value) and len(str(value)) <= _LONG


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(change: Change) -> Iterator[dict[str, str]]:
    from vtsconf.core.diff import detail

    for line in detail(change):
        sign = {"+": "added", "-": "gone", "@": "hunk"}.get(line[:1], "")
        yield {"look": sign, "text": line if len(line) <= _LONG else line[:_LONG] + " …"}


def _command(one: Mapping[str, Any]) -> dict[str, str]:
    run = one["revert"] if one["undo"] else one["run"]
    return {"name": one["name"], "check": cut(" ".join(one["check"])), "run": cut(" ".join(run))}


def _digests(server: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    plan = server["planned"]
    for file in plan["files"]:
        yield {
            "host": server["host"],
            "path": file["path"],
            "before": _state(file["before"]),
            "after": _state(file["after"]),
        }
    written = {file["path"] for file in plan["files"]}
    for base in plan["base"]:
        if base["path"] not in written:
            seen = _state(base) if base["digest"] else _state(None)
            yield {"host": server["host"], "path": base["path"], "before": seen, "after": None}


def _state(state: Mapping[str, Any] | None) -> dict[str, Any]:
    if state is None:
        return {"digest": "", "keyed": False, "rights": ""}
    owner = ":".join(word for word in (state.get("owner"), state.get("group")) if word)
    rights = " ".join(word for word in (state.get("mode"), owner) if word)
    return {"digest": state["digest"], "keyed": state["keyed"], "rights": rights}

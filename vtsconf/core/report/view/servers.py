"""Every server with its one outcome: in a table, or, of thousands, by name under what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vtsconf.core.report.clock import Clock, length
from vtsconf.core.report.verdict import SHORT, look
from vtsconf.core.report.view.text import cut, names

ROWS = 300  # of the table
_FINE = ("changed", "unchanged")
_UNTRIED = ("skipped", "not tried")
_GROUPS = 24  # of what needs attention
_ITSELF = "[the server]"  # its name in its reason, so that servers with the same reason come together
_WORST_FIRST = (
    "in doubt",
    "failed",
    "reverted",
    "unreachable",
    "stale",
    "locked",
    "refused",
    "waiting",
    "skipped",
    "not tried",
    "unchanged",
    "changed",
)
_WRITTEN = "Written but not loaded on"
_BACK = "The old bytes are back, and it was not restarted on them, on"
_OUTPUT = 12  # lines of what a failing command printed


def attention(document: Mapping[str, Any]) -> dict[str, Any]:
    """Servers that are not as desired, together where outcome and reason are the same."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for server in document["servers"]:
        if server["outcome"] not in _FINE:
            reason = server["reason"].replace(server["host"], _ITSELF)
            groups.setdefault((server["outcome"], reason), []).append(server)
    ordered = sorted(groups.items(), key=lambda one: (_severity(one[0][0]), -len(one[1])))
    shown = [_group(outcome, reason, found) for (outcome, reason), found in ordered[:_GROUPS]]
    return {"groups": shown, "more": sum(len(found) for _, found in ordered[_GROUPS:])}


def _group(outcome: str, reason: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reason = reason if len(found) > 1 else found[0]["reason"]
    printed = next((one for one in found if one["detail"]), found[0])
    return {
        "look": look(outcome),
        "word": SHORT[outcome],
        "count": len(found),
        "names": names([one["host"] for one in found], 20),
        "reason": cut(reason),
        "remedy": cut(found[0]["remedy"], 800),
        "on": printed["host"] if len(found) > 1 else "",
        "lines": [line[:300] for line in printed["detail"].splitlines()[-_OUTPUT:]],
    }


def debts(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Services that do not run with what is on the disk: {service, what, names}."""
    owed: dict[tuple[str, str], list[str]] = {}
    for server in document["servers"]:
        what = _BACK if server["outcome"] == "reverted" else _WRITTEN
        for service in server["debts"]:
            owed.setdefault((service, what), []).append(server["host"])
    return [{"service": s, "what": what, "names": names(hosts, 40)} for (s, what), hosts in owed.items()]


def servers(document: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """{rows: the table, lists: the others by name, told: what was folded}."""
    found = list(document["servers"])
    if len(found) <= ROWS:
        return {"rows": [_row(one, clock) for one in found], "lists": [], "count": len(found)}
    told = [one for one in found if one["outcome"] not in (*_FINE, *_UNTRIED)]
    told = sorted(told, key=lambda one: _severity(one["outcome"]))[:ROWS]
    shown = {one["host"] for one in told}
    others = sorted((one for one in found if one["host"] not in shown), key=lambda one: one["wave"])
    return {"rows": [_row(one, clock) for one in told], "lists": list(_lists(others)), "count": len(found)}


def _row(server: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    tries = server["tries"]
    return {
        "host": server["host"],
        "wave": server["wave"] or "",
        "look": look(server["outcome"]),
        "word": SHORT[server["outcome"]],
        "changes": server["changes"],
        "started": clock.brief(tries[0]["started"]) if tries else None,
        "ended": clock.brief(tries[-1]["finished"]) if tries else None,
        "took": length(server["seconds"]) if tries and server["seconds"] is not None else "",
        "reason": cut(_reason(server)),
        "debts": server["debts"],
        "tries": len(tries),
    }


def _reason(server: Mapping[str, Any]) -> str:
    stays = "it was to be taken back and could not be: " if server["stays"] else ""
    return f"{stays}{server['reason']}"


def _severity(outcome: str) -> int:
    """What a person has to look at comes first."""
    return _WORST_FIRST.index(outcome)


def _lists(found: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    groups: dict[tuple[int, str, str], list[str]] = {}
    for server in found:
        why = server["reason"] if server["outcome"] in _UNTRIED else ""
        groups.setdefault((server["wave"], server["outcome"], why), []).append(server["host"])
    for (wave, outcome, why), hosts in groups.items():
        one = {"wave": wave, "word": SHORT[outcome], "look": look(outcome)}
        yield one | {"count": len(hosts), "names": hosts, "reason": cut(why)}

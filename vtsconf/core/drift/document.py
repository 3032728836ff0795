"""The document `vtsconf/drift/1`: the plan's document, with what drift adds to it."""

from __future__ import annotations

from typing import Any

from vtsconf.core import plan as plans
from vtsconf.core.drift.finding import Finding, FleetDrift, Hint, HostDrift, Rule

FORMAT = "vtsconf/drift/1"


def to_json(fleet: FleetDrift) -> dict[str, Any]:
    """The plan of every host as `plan --json` has it; each with its verdict, findings and hints."""
    document = plans.to_json(fleet.plan)
    for host, part in zip(document["hosts"], fleet.hosts, strict=True):
        host.update(_of_host(part, fleet.rule))
    summary = {"verdicts": fleet.outcomes, "findings": fleet.classes, "exit": int(fleet.exit)}
    return {
        **document,
        "format": FORMAT,
        "ignored": sorted(cls.value for cls in fleet.rule.ignored),
        "strict": fleet.rule.strict,
        "summary": {**document["summary"], **summary},
    }


def _of_host(host: HostDrift, rule: Rule) -> dict[str, Any]:
    return {
        "verdict": host.verdict(rule).value,
        "exit": int(host.exit(rule)),
        "findings": [_finding(host.name, finding, rule) for finding in host.told(rule)],
        "hints": [_hint(hint) for hint in host.hints],
    }


def _finding(host: str, finding: Finding, rule: Rule) -> dict[str, Any]:
    return {
        "class": finding.cls.value,
        "address": f"{host}/{finding.address}",
        "live": finding.live,
        "desired": finding.desired,
        "secret": finding.secret,
        "reason": finding.reason,
        "path": finding.path,
        "counts": rule.counts(finding),
    }


def _hint(hint: Hint) -> dict[str, Any]:
    return {"kind": hint.kind, "at": hint.at, "by": hint.by, "text": hint.text, "path": hint.path}

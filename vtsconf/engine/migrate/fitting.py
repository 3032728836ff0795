"""What of a VTSPolicy line the backup application can take: the rest is left, and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vtsconf.bma.contract import Migrator
from vtsconf.core.emsrules import Decision
from vtsconf.core.vtspolicy.line import Line
from vtsconf.core.vtspolicy.wish import Reason, wishes
from vtsconf.engine.migrate.yard import Place


def fitted(decision: Decision, place: Place) -> Decision:
    """The decision without those options of the line that the BMA would refuse: its job could only fail. Saving a tape
    without them loses nothing. What the site itself has written, in the rule or the policy, stays as it is.
    """
    line, wish = decision.line, decision.wish
    policy, rule = place.vts.policies.get(decision.policy), place.vts.rules.get(decision.rule)
    if line is None or wish is None or wish.action != "migrate":
        return decision
    migrator, _ = place.bmas.get(wish.bma or (policy and policy.bma) or "", (None, None))
    if migrator is None:
        return decision
    of_site = rule.options if rule else {}
    asked = {name: value for name, value in wishes(line).options.items() if name not in of_site}
    base = {**(policy.bma_options if policy else {}), **of_site}
    wrong = _refused(migrator, base, asked)
    words = {name: _word(line, name) for name in wrong}
    reasons = [Reason(part="left", says=f"`{words[name]}` is not acted on: {wrong[name]}") for name in wrong]
    fit = replace(
        wish,
        options={name: value for name, value in wish.options.items() if name not in wrong},
        left=(*wish.left, *words.values()),
        reasons=(*wish.reasons, *reasons),
    )
    said = (decision.reason, *(one.says for one in reasons))
    return replace(decision, wish=fit, reason="; ".join(said))


def _refused(migrator: Migrator, base: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, str]:
    """Each option that the BMA refuses beside those before it, and what it says."""
    taken, refused = dict(base), {}
    for name, value in asked.items():
        known = set(migrator.check_options(taken))
        said = [one for one in migrator.check_options({**taken, name: value}) if one not in known]
        if said:
            refused[name] = "; ".join(said)
        else:
            taken[name] = value
    return refused


def _word(line: Line, option: str) -> str:
    """How the line says it."""
    said = next((f"{one.name}={one.value}" for one in line.keywords if one.meaning == option), None)
    return said or line.type or option

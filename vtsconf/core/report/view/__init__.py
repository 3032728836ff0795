"""What the page shows, made from the document alone. It is bounded: what is folded is said, and is in the document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from vtsconf.core.report.clock import Clock
from vtsconf.core.report.picture import timeline
from vtsconf.core.report.strategy import words
from vtsconf.core.report.verdict import state_word, tone
from vtsconf.core.report.view.changes import change_sets
from vtsconf.core.report.view.gates import decisions, gates, questions, waves
from vtsconf.core.report.view.head import counts, facts
from vtsconf.core.report.view.servers import attention, debts, servers
from vtsconf.core.report.view.text import cut


def view(document: Mapping[str, Any], zone: tzinfo | None = None) -> dict[str, Any]:
    """The names that the page's template knows. `zone` None: the zone of this machine."""
    clock = Clock(zone=zone, day=document["started"])
    return {
        "run": document["run"],
        "state": state_word(document["state"]),
        "tone": tone(document["state"]),
        "verdict": cut(document["verdict"], 1200),
        "facts": facts(document, clock),
        "counts": counts(document["summary"]),
        "attention": attention(document),
        "debts": debts(document),
        "figures": timeline(document, clock),
        "idle": sum(1 for one in document["servers"] if not one["wave"] and not one["tries"]),
        "waves": waves(document, clock),
        "gates": gates(document, clock),
        "questions": questions(document),
        "decisions": decisions(document, clock),
        "strategy": words(document["strategy"]) if document["strategy"] else [],
        "servers": servers(document, clock),
        "changes": change_sets(document),
        "notes": document["notes"],
        "digest": document["digest"],
        "made": {**document["made"], "at": clock.full(document["made"]["at"])},
        "zone": clock.zone_word(document["started"]),
        "is_utc": clock.is_utc(document["started"]),
    }

"""The report as a JSON document, `vtsconf/rollout-report/1`: a pure fold of a run's events and its plans.

The page is made from this document alone, so that the two cannot tell different stories. Times are seconds since 1970.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from vtsconf.core.report import redaction
from vtsconf.core.report.planned import planned
from vtsconf.core.report.story import Story, Track
from vtsconf.core.report.verdict import SAID, verdict
from vtsconf.core.rollout.move import Approval, Wait, next_move
from vtsconf.core.rollout.state import FAILURES, Rollout
from vtsconf.core.rollout.strategy import Strategy
from vtsconf.core.rollout.strategy import to_json as strategy_json
from vtsconf.core.runs import Event

FORMAT = "vtsconf/rollout-report/1"
NOTES = {
    "names": "Names of people and controllers (user@host) are as the controllers reported them; nobody signed them.",
    "digests": "A digest is the SHA-256 of a file's bytes. A keyed digest is made with the controller's own key, because "
    "the file holds a secret: it can be compared with others of the same controller, not computed by anyone else.",
    "redaction": "Secrets stand here as references or keyed fingerprints. What looked like one in a message or a value is "
    "left out.",
    "digest": "The digest tells whether a page and a JSON document belong together and were left as they were made by "
    "accident. It is no signature: whoever changes the content can make the digest anew.",
}
_APART = ("made", "digest")  # of the document, what the digest does not speak of


def document(
    run: str, events: Iterable[Event], plans: Mapping[str, str], made: Mapping[str, Any]
) -> dict[str, Any]:
    """All that the journal knows of `run`. `plans`: plan documents by host; `made`: {at, by, version} of this report."""
    rollout, story = Rollout.of(run), Story()
    for event in events:
        rollout.feed(event)
        story.feed(event)
    waves = {name: number for number, names in enumerate(rollout.waves, 1) for name in names}
    hosts = rollout.seen.hosts
    servers = [_server(rollout, story, name, waves.get(name, 0), plans.get(name)) for name in hosts]
    told = redaction.sentences(_head(rollout, story, servers) | {"servers": servers}) | {"notes": NOTES}
    return {"format": FORMAT, **told, "made": dict(made), "digest": digest(told)}


def digest(told: Mapping[str, Any]) -> str:
    """Of a document's content: SHA-256 over its JSON with sorted keys, no blanks, in ASCII; `made` left out."""
    content = {key: value for key, value in told.items() if key not in (*_APART, "format")}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def text(told: Mapping[str, Any]) -> str:
    """The document as a file holds it: in ASCII, so that no name can make it invalid."""
    return json.dumps(told, indent=2, ensure_ascii=True) + "\n"


def _head(rollout: Rollout, story: Story, servers: list[dict[str, Any]]) -> dict[str, Any]:
    seen, summary = rollout.seen, _summary(servers)
    started = next((d["at"] for d in story.decisions if d["action"] == "run-started"), float(seen.started))
    finished = next((d["at"] for d in reversed(story.decisions) if d["action"] == "run-finished"), None)
    state, why = _state(rollout, summary, int(story.last))
    back = f"Takes back run {seen.reverses}: " if seen.reverses else ""
    said = verdict(state, summary, why, rollout.paused_by if state == "paused" else "")
    return {
        "run": rollout.run,
        "command": seen.command,
        "by": seen.by,
        "revision": seen.revision,
        "reverses": seen.reverses,
        "state": state,
        "why": why,
        "verdict": back + said,
        "started": started,
        "finished": finished,
        "as_of": story.last,
        "events": story.events,
        "strategy": strategy_json(rollout.strategy) if rollout.strategy != Strategy() else None,
        "budget": _budget(rollout, servers),
        "summary": summary,
        "controllers": list(story.controllers) or [seen.by],
        "waves": [_wave(rollout, story, number) for number in range(1, len(rollout.waves) + 1)],
        "gates": story.gates,
        "questions": _questions(story),
        "decisions": story.decisions,
    }


def _state(rollout: Rollout, summary: Mapping[str, int], now: int) -> tuple[str, str]:
    """How it stands after its last event, and why."""
    if rollout.is_finished:
        failed = any(summary.get(outcome.value) for outcome in FAILURES) or summary.get("in doubt")
        state = rollout.state or "done"
        return ("failures" if failed else "done", "") if state == "done" else (state, rollout.stopped)
    if rollout.paused and not rollout.stopped:
        return "paused", rollout.paused
    match next_move(rollout, now):
        case Approval(why=why):
            return "approval", why
        case Wait(why=why):
            return "waiting", why
    return "open", rollout.stopped and f"it is being stopped: {rollout.stopped}"


def _summary(servers: list[dict[str, Any]]) -> dict[str, int]:
    counts = Counter(server["outcome"] for server in servers)
    sums = {
        "changes": sum(server["changes"] for server in servers),
        "taken_back": sum(_is_taken_back(server) for server in servers),  # of those that are reverted
    }
    return {"servers": len(servers), **{word: counts[word] for word in SAID}, **sums}


def _budget(rollout: Rollout, servers: list[dict[str, Any]]) -> dict[str, Any]:
    """What was changed well and taken back only because it stopped did not spend it."""
    failures = sum(one["outcome"] in FAILURES and not _is_taken_back(one) for one in servers)
    tolerated = rollout.tolerated
    return {
        "failures": failures,
        "tolerated": tolerated,
        "spent": tolerated is not None and failures > tolerated,
    }


def _is_taken_back(server: Mapping[str, Any]) -> bool:
    tries = server["tries"]
    return server["outcome"] == "reverted" and bool(tries) and tries[-1]["outcome"] == "changed"


def _wave(rollout: Rollout, story: Story, number: int) -> dict[str, Any]:
    names, begun = rollout.waves[number - 1], story.waves.get(number, {})
    ends = [one.finished for name in names for one in story.tracks.get(name, Track()).tries if one.finished]
    is_canary = rollout.has_canary and number == 1
    approval = next(
        (d for d in story.decisions if d["action"] == "approved" and d.get("wave") == number), None
    )
    return {
        "wave": number,
        "canary": is_canary,
        "servers": list(names),
        "started": begun.get("started"),
        "ended": max(ends, default=None) if not rollout.open_hosts(number) else None,
        "by": begun.get("by", ""),
        "soak": rollout.strategy.canary_soak if is_canary else rollout.strategy.soak,
        "approved": approval,
        "outcomes": dict(Counter(_outcome(rollout, name) for name in names)),
    }


def _outcome(rollout: Rollout, name: str) -> str:
    """Exactly one, a word of `SAID`."""
    outcome = rollout.outcome(name)
    if not outcome:
        return "skipped" if rollout.is_finished else "not tried"
    return outcome if outcome in SAID else "failed"


def _server(rollout: Rollout, story: Story, name: str, wave: int, plan: str | None) -> dict[str, Any]:
    entry, track = rollout.seen.hosts[name], story.tracks.get(name, Track())
    outcome = _outcome(rollout, name)
    return {
        "host": name,
        "wave": wave,
        "outcome": outcome,
        "reason": str(entry.get("reason") or _untold(outcome)),
        "remedy": str(entry.get("remedy") or ""),
        "detail": redaction.output(str(entry.get("detail") or "")),
        "changes": int(entry.get("changes") or 0),
        "seconds": entry.get("seconds"),
        "debts": [str(service) for service in entry.get("debts") or ()],
        "stays": bool(entry.get("stays")),
        **track.to_json(),
        "planned": planned(plan, name) if plan is not None else None,
    }


def _untold(outcome: str) -> str:
    return {
        "skipped": "the journal gives no reason",
        "not tried": "its turn had not come when this report was made",
        "in doubt": "it was begun, and its end is not written down",
    }.get(outcome, "")


def _questions(story: Story) -> list[dict[str, Any]]:
    """What the gates ask, each question once, with the servers that it is asked of."""
    found: dict[str, dict[str, Any]] = {}
    for host, questions in story.questions.items():
        for question in questions:
            key = json.dumps(question, sort_keys=True)
            found.setdefault(key, {**question, "servers": []})["servers"].append(host)
    return list(found.values())

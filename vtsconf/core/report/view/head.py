"""The facts on top: which run, from what, by whom, when; and how many servers ended how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vtsconf.core.report.clock import Clock, length
from vtsconf.core.report.verdict import SAID, SHORT, look
from vtsconf.core.report.view.text import many, names

_SEALS = 1  # shown; a rollout keeps a plan for each server


def facts(document: Mapping[str, Any], clock: Clock) -> list[dict[str, Any]]:
    """{label, text} or {label, time} each."""
    finished, started = document["finished"], document["started"]
    ended = {"time": clock.full(finished)} if finished else {"text": "it has not ended"}
    end = finished or document["as_of"]
    found = [
        {"label": "Run", "text": document["run"]},
        {"label": "Command", "text": document["command"] or "unknown"},
        {"label": "Takes back", "text": document["reverses"]},
        {"label": "Git revision", "text": document["revision"] or "none: the documents were in no checkout"},
        {"label": "Started by", "text": document["by"] or "unknown"},
        {"label": "Controllers", "text": names(document["controllers"], 8)},
        {"label": "Started", "time": clock.full(started)},
        {"label": "Ended", **ended},
        {"label": "Duration" if finished else "So far", "text": length(end - started)},
        {"label": "Changes kept", "text": f"{document['summary']['changes']:,}"},
        {"label": "Failure budget", "text": _budget(document)},
        {"label": "Plan seals", "text": _seals(document)},
    ]
    return [fact for fact in found if fact.get("text") or fact.get("time")]


def _budget(document: Mapping[str, Any]) -> str:
    budget = document["budget"]
    if budget["tolerated"] is None:
        return f"{many(budget['failures'], 'failure')}; no limit was set"
    spent = "; spent" if budget["spent"] else ""
    return f"{many(budget['failures'], 'failure')} of {budget['tolerated']:,} tolerated{spent}"


def _seals(document: Mapping[str, Any]) -> str:
    seals = [
        one["planned"]["seal"] for one in document["servers"] if one["planned"] and "seal" in one["planned"]
    ]
    if len(seals) > _SEALS:
        return f"{len(seals):,}, one for each server's plan: below, and in the JSON document"
    return ", ".join(seals)


def counts(summary: Mapping[str, int]) -> list[dict[str, Any]]:
    """Each outcome that there is, with its share of all servers."""
    total = max(1, summary["servers"])
    return [
        {
            "count": summary[word],
            "word": SHORT[word],
            "look": look(word),
            "share": round(summary[word] / total * 100, 3),
        }
        for word in SAID
        if summary[word]
    ]

"""Waves, what their gates answered, and what people decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vtsconf.core.report.clock import Clock, length
from vtsconf.core.report.picture.canvas import DECISIONS
from vtsconf.core.report.verdict import SHORT
from vtsconf.core.report.view.text import cut, many, names

_WAVES = 200  # rows
_ASKS = 120  # times that gates were asked
_ALL = 24  # answers of one time; of more, those that passed are counted only
_NOT_PASSED = 60  # of one time
_DECISIONS = 300
_QUESTIONS = 60


def waves(document: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """{rows, more}: the waves in order."""
    found = document["waves"]
    verdicts = {(gate.get("wave"), gate.get("ask")): gate.get("verdict", "") for gate in document["gates"]}
    rows = [_wave(wave, clock, verdicts) for wave in found[:_WAVES]]
    return {"rows": rows, "more": max(0, len(found) - _WAVES)}


def _wave(wave: Mapping[str, Any], clock: Clock, verdicts: Mapping[tuple[Any, Any], str]) -> dict[str, Any]:
    started, ended, number = wave["started"], wave["ended"], wave["wave"]
    approved = wave["approved"] or {}
    return {
        "wave": number,
        "canary": wave["canary"],
        "servers": len(wave["servers"]),
        "names": names(wave["servers"], 6),
        "started": clock.brief(started),
        "ended": clock.brief(ended) if started else None,
        "took": length(ended - started) if started and ended else "",
        "outcomes": ", ".join(f"{count:,} {SHORT[word]}" for word, count in wave["outcomes"].items()),
        "first": verdicts.get((number, "first"), ""),
        "last": verdicts.get((number, "last"), ""),
        "soak": length(wave["soak"]) if wave["soak"] else "",
        "approved": approved.get("by", ""),
    }


def gates(document: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """{asks, more}: each time that the gates of a wave were asked, and its answers."""
    found = document["gates"]
    return {"asks": [_ask(gate, clock) for gate in found[:_ASKS]], "more": max(0, len(found) - _ASKS)}


def _ask(gate: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    answers = sorted(gate.get("answers", ()), key=lambda one: _VERDICTS.index(one["verdict"]))
    room = len(answers) if len(answers) <= _ALL else _NOT_PASSED
    shown = [one for one in answers[:room] if len(answers) <= _ALL or one["verdict"] != "pass"]
    return {
        "wave": gate.get("wave", ""),
        "ask": "after the soak time" if gate.get("ask") == "last" else "after the change",
        "verdict": gate.get("verdict", ""),
        "at": clock.brief(gate["at"]),
        "by": gate.get("by", ""),
        "answers": [
            {**one, "reason": cut(one.get("reason", "")), "took": length(one.get("seconds"))} for one in shown
        ],
        "folded": _folded(answers[len(shown) :]),
    }


_VERDICTS = ("fail", "inconclusive", "pass")


def _folded(left: Sequence[Mapping[str, Any]]) -> str:
    """How many more said what at which gate."""
    counts = Counter((one["verdict"], one.get("gate", "")) for one in left)
    told = [f"{many(count, 'server')} {verdict} {gate}" for (verdict, gate), count in counts.most_common(12)]
    return (
        f"{'; '.join(told)}{'; …' if len(counts) > len(told) else ''}. Each is in the JSON document."
        if left
        else ""
    )


def questions(document: Mapping[str, Any]) -> dict[str, Any]:
    """{rows, more}: what the gates ask, and of whom."""
    found = document["questions"]
    return {"rows": [_question(one) for one in found[:_QUESTIONS]], "more": max(0, len(found) - _QUESTIONS)}


def _question(one: Mapping[str, Any]) -> dict[str, Any]:
    where = {"server": "the server", "controller": "the controller, for each server"}
    hosts = [host for host in one["servers"] if host]
    return {
        "gate": one.get("gate", ""),
        "words": cut(" ".join(map(str, one.get("argv", ())))),
        "where": where.get(str(one.get("on")), "the controller, once a wave"),
        "pattern": one.get("pattern", ""),
        "timeout": length(one.get("timeout")),
        "servers": names(hosts, 4) if hosts else "all",
    }


def decisions(document: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """{rows, more}: who decided what, when and why."""
    found = document["decisions"]
    return {
        "rows": [_decision(one, document, clock) for one in found[:_DECISIONS]],
        "more": max(0, len(found) - _DECISIONS),
    }


def _decision(one: Mapping[str, Any], document: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    who = one.get("by") or (document["by"] if one["action"] == "run-started" else "")
    return {
        "at": clock.full(one["at"]),
        "sign": one["action"],
        "word": _word(one),
        "by": who or "vtsconf",
        "why": cut(str(one.get("why") or "")),
    }


def _word(one: Mapping[str, Any]) -> str:
    word = DECISIONS[one["action"]]
    if one["action"] == "approved":
        return f"approved wave {one.get('wave', '')}"
    if one["action"] == "paused" and one.get("cause") == "gate":
        return "paused, a gate was inconclusive"
    if one["action"] == "stopped":
        return (
            f"stopped; servers already changed {'are taken back' if one.get('revert') else 'keep the change'}"
        )
    return word

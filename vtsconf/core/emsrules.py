r"""EMS rules: what the executor does when an event comes. The first rule whose pattern matches the text decides.

The groups by which a pattern says what it is about: `(?P<path>…)` a whole path, or `(?P<vault>…)`, `(?P<pool>…)` and
`(?P<cartridge>…)`; `(?P<vtspolicy>…)` the VTSPolicy line where it is not found by itself.

Events are written by others. So: texts longer than the product's own (255 characters [6.03.42 Ops p.124]) are left
alone; patterns that could take very long are refused (`patterncost`); names are checked; what the log may have cut
(177 bytes [8.3 Config p.173]) names no tape; an erase needs a rule that says erase.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, Protocol

from vtsconf.core.eventlog import LogLine
from vtsconf.core.patterncost import too_slow
from vtsconf.core.printable import printable
from vtsconf.core.vtspolicy.facts import may_be_cut
from vtsconf.core.vtspolicy.find import find
from vtsconf.core.vtspolicy.line import Line
from vtsconf.core.vtspolicy.parse import parse
from vtsconf.core.vtspolicy.tapes import fault, is_vault, tapes_of
from vtsconf.core.vtspolicy.wish import Reason, Wish, wishes

LONGEST = 255  # characters; "the whole message up to 255" [8.3 Config p.173; 6.03.42 Ops p.124]
GROUPS = ("path", "vault", "pool", "cartridge", "vtspolicy")
Act = Literal["migrate", "restore", "erase", "ignore", "notify", "none"]


class Rule(Protocol):
    """One of vts.ems.rules: resources/policies.py."""

    @property
    def match(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def policy(self) -> str | None: ...
    @property
    def bma(self) -> str | None: ...
    @property
    def options(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to happen because of one event, and why. "none": nothing; `reason` says why.

    `rule` is the first that matched, "" for none. `wish` is there for migrate, restore and erase, its `bma` and
    `options` those of the rule before those of the line. `policy` is the rule's: for limits, and what the rest leaves open.
    """

    action: Act
    reason: str
    rule: str = ""
    policy: str = ""
    wish: Wish | None = None
    line: Line | None = None
    groups: Mapping[str, str] = field(default_factory=dict)


def decide(event: LogLine, rules: Mapping[str, Rule]) -> Decision:
    """The first rule, in the order in which they are written, whose pattern is found in the event's text."""
    if len(event.text) > LONGEST:
        reason = f"the text has more than {LONGEST} characters, which no event of the product has"
        return Decision(action="none", reason=reason)
    for name, rule in rules.items():
        pattern = compiled(rule.match)
        if isinstance(pattern, str):
            return Decision(action="none", rule=name, reason=f"its pattern is refused: {pattern}")
        if found := pattern.search(event.text):
            return _act(name, rule, event, found)
    return Decision(action="none", reason="no rule matches")


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> re.Pattern[str] | str:
    """A pattern ready for use, or why it is refused."""
    try:
        return too_slow(pattern) or re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"it is no regular expression: {error}"


def _act(name: str, rule: Rule, event: LogLine, found: re.Match[str]) -> Decision:
    groups = {key: value for key, value in found.groupdict().items() if key in GROUPS and value is not None}
    start = Decision(action="none", reason="", rule=name, policy=rule.policy or "", groups=groups)
    match rule.action:
        case "ignore":
            return replace(start, action="ignore", reason="the rule says to ignore it")
        case "notify":
            return replace(start, action="notify", reason="the rule says to tell people")
        case "vtspolicy":
            return _asked(start, rule, event)
        case "erase" if not {"path", "cartridge"} & groups.keys():
            return _asked(start, rule, event)
        case "migrate" | "restore" | "erase" as action:
            return _named(start, rule, action, event, found)
    return replace(start, reason=f"nobody knows the action `{printable(rule.action, 60)}`")


def _asked(start: Decision, rule: Rule, event: LogLine) -> Decision:
    """A VTSPolicy line in the text decides; a rule that says erase takes only Erase, and any other rule never does."""
    written = start.groups.get("vtspolicy") or find(event.text)
    if written is None:
        return replace(start, reason="its text holds no VTSPolicy line, or more than one that has no quotes")
    line = parse(written)
    if isinstance(line, tuple):
        return replace(start, reason=f"its VTSPolicy line cannot be understood: {printable(line[0].what)}")
    wish = wishes(line)
    start = replace(start, line=line)
    if wish.action == "none":
        return replace(start, reason=wish.why)
    if (wish.action == "erase") != (rule.action == "erase"):
        return replace(
            start, reason=f"its VTSPolicy line says {line.verb}: that needs a rule with another action"
        )
    if wish.action == "erase" and (reason := _cut(event) or _odd(event)):
        return replace(start, reason=reason)
    return _granted(start, rule, wish)


def _cut(event: LogLine) -> str:
    """Why the names in a line that erases are not sure to be whole; "" where they are."""
    if may_be_cut(event.kept):
        return "the event log may have cut its text, and with it the name of a tape to erase"
    return ""


def _odd(event: LogLine) -> str:
    """Why what is to be erased may be a part of a longer text only; "" where nothing says so."""
    if not event.has_program:
        return f"`{printable(event.program, 60)}` before its text is no name of a program: it may be a part of the text"
    return ""


def _named(
    start: Decision,
    rule: Rule,
    action: Literal["migrate", "restore", "erase"],
    event: LogLine,
    found: re.Match[str],
) -> Decision:
    """The pattern's groups name the tapes."""
    if may_be_cut(event.kept) and any(found.end(group) == len(event.text) for group in start.groups):
        return replace(start, reason="the event log may have cut its text, and with it the name of the tape")
    if action == "erase" and (reason := _odd(event)):
        return replace(start, reason=reason)
    tapes = _tapes(start.groups)
    if isinstance(tapes, str):
        return replace(start, reason=tapes)
    if action != "migrate" and tapes["cartridge"] is None:
        return replace(
            start, reason=f"its pattern names no cartridge, and only one at a time can be {action}d"
        )
    is_erase = action == "erase"
    wish = Wish(
        action=action,
        vault=tapes["vault"] or "",
        pool=tapes["pool"] or "",
        cartridge=None if is_erase else tapes["cartridge"],
        names=(tapes["cartridge"] or "",) if is_erase else (),
        reasons=(Reason(part="tapes", says="named by the groups " + ", ".join(start.groups)),),
    )
    return _granted(start, rule, wish)


def _tapes(groups: Mapping[str, str]) -> dict[str, str | None] | str:
    """Vault, pool and cartridge of the groups, each checked; a sentence where they name nothing, or nothing sound."""
    if "path" in groups:
        path = tapes_of(groups["path"])
        return path if isinstance(path, str) else dict(vars(path))
    parts = {name: groups.get(name) for name in ("vault", "pool", "cartridge")}
    if vault := parts["vault"]:
        parts["vault"] = vault.removeprefix("/")
    if not parts["cartridge"] and not (parts["vault"] and parts["pool"]):
        return "its pattern names neither a cartridge, nor a pool with its vault"
    if parts["vault"] and not is_vault(parts["vault"]):
        return f"`{printable(parts['vault'], 60)}` is no vault"
    for name in ("pool", "cartridge"):
        value = parts[name]
        if value is not None and (reason := fault(value)):
            return f"`{printable(value, 60)}` is no name of a {name}: {reason}"
    return parts


def _granted(start: Decision, rule: Rule, wish: Wish) -> Decision:
    """What the site has written goes before what an event says."""
    wish = replace(wish, bma=rule.bma or wish.bma, options={**wish.options, **rule.options})
    asked = "its VTSPolicy line asks for it" if start.line else "the rule says so"
    action: Act = wish.action
    return replace(start, action=action, wish=wish, reason=asked)

"""A strategy as it is written in `rollouts/NAME.yaml`: the words, what they may hold, and what they mean."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from vtsconf.core import duration, hours
from vtsconf.core.document import read_document
from vtsconf.core.fields import (
    Argv,
    Listed,
    Named,
    Path,
    Settings,
    Wait,
    found,
    refusal,
    unprintable,
)
from vtsconf.core.problem import Place, Problem
from vtsconf.core.rollout import strategy
from vtsconf.core.rollout.gate import Question
from vtsconf.core.rollout.strategy import Approval, Share, Strategy
from vtsconf.core.tree import Map, empty, place_of, plain
from vtsconf.core.tree import Path as TreePath
from vtsconf.core.validation import validated

_ROOT = "strategy"
LONGEST_SOAK = 30 * 86_400  # seconds
_SHARE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%?$"}]
}
# What other tools call it, and what it is called here.
_ELSEWHERE = {
    "serial": "`waves: [1, 10%, 100%]` says how many servers change together",
    "batch_size": "`waves: [1, 10%, 100%]` says how many servers change together",
    "max_fail_percentage": "write `max_failures: 5%`; at exactly so many it still goes on",
    "any_errors_fatal": "write `max_failures: 0`, which it is anyway",
    "throttle": "`vtsconf rollout start --parallel` says how many servers are worked on at once",
    "forks": "`vtsconf rollout start --parallel` says how many servers are worked on at once",
    "order": "servers go in the order of the inventory",
    "hosts": "the plan says which servers are changed: `vtsconf plan --limit`",
    "pause": "write `soak: 10m` to wait after each wave, or `approve: [each]` to wait for a person",
    "rollback": "write `on_failure: revert`",
}


@dataclass(frozen=True)
class Short:
    """The map may also be written in a shorter form; this is its JSON schema."""

    form: dict[str, Any]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [self.form, handler(core)]}


def _soak(value: Any) -> int:
    example = "30s, 10m, 4h or 2d"
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise refusal(f"{found(value)} stands where a duration is wanted", remedy=f"write {example}")
    if isinstance(value, int) and value:
        raise refusal(
            f"{found(value)} has no unit",
            why="seconds or minutes make a difference",
            remedy=f"write {example}",
        )
    try:
        seconds = duration.seconds(value)
    except ValueError as error:
        raise refusal(str(error), remedy=f"write {example}") from None
    if seconds > LONGEST_SOAK:
        raise refusal(f"`{value}` is longer than {duration.spelled(LONGEST_SOAK)}", remedy=f"write {example}")
    return seconds


Soak = Annotated[
    int,
    BeforeValidator(_soak),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["30s", "10m", "4h"]}),
]


def _share(value: Any) -> Share:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise refusal(
            f"{found(value)} stands where a number of servers is wanted", remedy="write for example 5 or 10%"
        )
    try:
        return Share.parse(str(value))
    except ValueError as error:
        raise refusal(str(error), remedy="write for example 5 or 10%") from None


def _size(value: Any) -> Share:
    share = _share(value)
    if share != Share():
        return share
    raise refusal("a wave of no servers", why="it would never end", remedy="write for example 1 or 10%")


def _budget(value: Any) -> Share | None:
    return None if value == "unlimited" else _share(value)


def _sizes(value: Any) -> Any:
    """One size alone, and `1, 10%, 100%` as one text, are lists too."""
    if value == []:
        raise refusal("no waves", why="nothing would be changed", remedy="write for example [1, 10%, 100%]")
    if isinstance(value, str):
        return [size.strip() for size in value.split(",")]
    return [value] if isinstance(value, int) else value


def _canary(value: Any) -> Any:
    """A number or a pattern alone is a map with nothing but `hosts`."""
    return value if isinstance(value, dict) or value is None else {"hosts": value}


def _first(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and value.strip() and not unprintable(value) and not value.endswith("%"):
        return value.strip()
    raise refusal(
        f"{found(value)} does not say which servers go first",
        why="a canary is a few servers that one knows",
        remedy="write a number, such as 1, or a host pattern, such as vts1",
    )


def _event_log(value: Any) -> Any:
    return ({} if value else None) if isinstance(value, bool) else value


def _severities(value: Any) -> Any:
    if value == []:
        raise refusal("no severity", why="no line would count", remedy="write `event_log: false`")
    return value


def _gates(value: Any) -> Any:
    """False: none at all; nothing behind the key is an empty map, as everywhere."""
    return None if value is False else {} if value is None else value


def _word(value: Any) -> str:
    if isinstance(value, str) and value and not unprintable(value):
        return value
    raise refusal(
        f"{found(value)} stands where a name or a glob is wanted", remedy='write for example "pair_*"'
    )


_CLASS = re.compile(r"\[:[a-z]+:\]")


def _ignored(value: Any) -> str:
    """The server's own grep reads it, so it must be a POSIX extended regular expression."""
    text = _word(value)
    wrong = "it holds a `(?`" if "(?" in text else "it holds a `\\d`" if re.search(r"\\[dD]", text) else ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(_CLASS.sub("a", text))
    except re.error as error:
        wrong = str(error)
    if wrong:
        raise refusal(
            f"{text!r:.60} is not an extended regular expression: {wrong}",
            why="`grep -E` on the server reads it",
            remedy="write [0-9] for a digit, and a backslash before ( [ * + ? . to mean it",
        )
    return text


Size = Annotated[Share, BeforeValidator(_size), WithJsonSchema(_SHARE_SCHEMA)]
Sizes = Annotated[Listed[Size], BeforeValidator(_sizes), Short(_SHARE_SCHEMA)]
Budget = Annotated[
    Share | None,
    BeforeValidator(_budget),
    WithJsonSchema({"anyOf": [*_SHARE_SCHEMA["anyOf"], {"const": "unlimited"}]}),
]
First = Annotated[str, BeforeValidator(_first), WithJsonSchema({"type": ["string", "integer"], "minimum": 1})]
Glob = Annotated[str, BeforeValidator(_word), WithJsonSchema({"type": "string", "minLength": 1})]
Ignored = Annotated[str, BeforeValidator(_ignored), WithJsonSchema({"type": "string", "minLength": 1})]
Severity = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]


class Canary(Settings):
    """The servers that go first, alone."""

    hosts: First = Field(description="How many, or a host pattern.", examples=[1, "vts1"])
    soak: Soak | None = Field(default=None, description="Not set: as after every wave.")


class EventLog(Settings):
    """Which new lines of the VTS event log are a fault."""

    path: Path = Field(default=strategy.Gates.event_log_path)
    severities: Annotated[Listed[Severity], BeforeValidator(_severities)] = ("ERROR", "CRITICAL")
    ignore: Listed[Ignored] = Field(
        default=(),
        description="Extended regular expressions: lines that do not count.",
        examples=[["LOGROTATE"]],
    )


class Check(Settings):
    """A question of the site's own. Exit 0 is yes, one of `unsure` is neither, anything else is no."""

    run: Argv = Field(description="It must change nothing.")
    on: Literal["server", "controller", "once"] = Field(
        default="server", description="Where; `once`: on the controller, once a wave."
    )
    timeout: Wait = Field(default=60, json_schema_extra={"default": "60s"})
    unsure: Listed[Annotated[int, Field(ge=1, le=255)]] = Field(
        default=(), description="Exit codes that pause the rollout for a person.", examples=[[75]]
    )


class Gates(Settings):
    """What is asked after each wave, besides that all of it is verified and confirmed."""

    health: bool = Field(default=True, description="`vts.health`, again.")
    services: bool = Field(default=True, description="The status command of every service that has one.")
    bma: bool = Field(default=False, description="Whether each backup client reaches its server.")
    event_log: Annotated[
        EventLog | None,
        BeforeValidator(_event_log),
        Short({"type": "boolean"}),
    ] = Field(default=None, description="No new line of these severities since the change.")
    checks: Named[Check] = Field(default_factory=dict, description="The site's own.")

    @property
    def meant(self) -> strategy.Gates:
        log = self.event_log or EventLog()
        return strategy.Gates(
            health=self.health,
            services=self.services,
            bma=self.bma,
            event_log=self.event_log is not None,
            event_log_path=log.path,
            severities=log.severities,
            ignore=log.ignore,
            checks=tuple(_question(name, check) for name, check in self.checks.items()),
        )


def _question(name: str, check: Check) -> Question:
    return Question(
        gate=f"checks/{name}", argv=check.run, on=check.on, timeout=check.timeout, unsure=check.unsure
    )


class Written(Settings):
    """How a fleet is changed: in which waves, what must hold after each, what is done on a failure."""

    canary: Annotated[Canary | None, BeforeValidator(_canary), Short({"type": ["integer", "string"]})] = (
        Field(default=None, description="Which servers go first, alone.", examples=[1, "vts1"])
    )
    waves: Sizes = Field(
        default=(Share(percent=100.0),),
        description="How many change together; the last repeats. Percents are of all servers with work.",
        examples=[[1, "10%", "100%"]],
        json_schema_extra={"default": ["100%"]},
    )
    soak: Soak = Field(default=0, description="How long after each wave its gates are asked once more.")
    apart: Listed[Glob] = Field(
        default=(),
        description="Groups of the inventory, names or globs: of each at most one server changes in a wave.",
        examples=[["pair_*"]],
    )
    max_failures: Budget = Field(
        default=Share(),
        description="How many may fail, be unreachable or refuse; or `unlimited`.",
        json_schema_extra={"default": 0},
    )
    on_failure: Literal["keep", "revert"] = Field(
        default="keep", description="What happens to servers that were changed already."
    )
    window: hours.Window | None = Field(
        default=None, description="Waves begin only inside it; not set: always."
    )
    approve: Listed[Approval] = Field(default=(), description="Points at which a person approves.")
    four_eyes: bool = Field(default=False, description="Whoever approves is not who started.")
    gates: Annotated[
        Gates | None,
        BeforeValidator(_gates),
        Short({"enum": [False, None]}),
    ] = Field(default=Gates(), description="What must hold after each wave; false: nothing is asked.")

    def meant(self, name: str) -> Strategy:
        """The strategy that these words stand for."""
        canary = self.canary
        soak = self.soak if canary is None or canary.soak is None else canary.soak
        return Strategy(
            name=name,
            canary=canary.hosts if canary else "",
            canary_soak=soak if canary else 0,
            waves=self.waves,
            soak=self.soak,
            apart=self.apart,
            max_failures=self.max_failures,
            on_failure=self.on_failure,
            window=self.window.meant if self.window else None,
            approve=self.approve,
            four_eyes=self.four_eyes,
            gates=self.gates.meant if self.gates else None,
        )


def read(text: bytes | str, file: str, name: str) -> tuple[Strategy | None, list[Problem]]:
    """The strategy of a file's text, or every problem with it. An empty file is the default strategy."""
    root, problems = read_document(text, file)
    if problems:
        return None, problems
    root = root or empty(Place(file))
    if not isinstance(root, Map):
        what = f"a strategy is a map, not {found(plain(root))}"
        return None, [
            Problem(what=what, remedy="write `waves: [1, 100%]`", code="strategy", place=root.place)
        ]
    written, problems = validated(Written, plain(root), path=(_ROOT,), locate=_Places(root))
    if written is None:
        return None, [_explained(problem) for problem in problems]
    problems = list(_contradictions(written, _Places(root)))
    return (None if problems else written.meant(name)), problems


@dataclass(frozen=True)
class _Places:
    """Where the words of a document stand; a path begins with the word for the document."""

    root: Map

    def __call__(self, path: TreePath, *, key: bool = False) -> Place:
        return place_of(self.root, path[1:], key=key)


def _explained(problem: Problem) -> Problem:
    """With the word that is used here, when it is another tool's."""
    word = problem.address.rpartition(".")[2]
    known = problem.code == "unknown-key" and problem.address == f"{_ROOT}.{word}"
    return replace(problem, remedy=_ELSEWHERE[word]) if known and word in _ELSEWHERE else problem


def _contradictions(written: Written, places: _Places) -> Iterator[Problem]:
    """What each word allows, and all of them together do not."""
    if "canary" in written.approve and written.canary is None:
        yield Problem(
            what=f"{_ROOT}.approve: `canary`, and there is no canary",
            why="nobody would ever be asked",
            remedy="add `canary: 1`, or write `start` or `each`",
            code="strategy",
            place=places((_ROOT, "approve")),
        )
    if written.gates is None and (written.soak or (written.canary and written.canary.soak)):
        yield Problem(
            what=f"{_ROOT}.gates: false, and there is a soak time",
            why="what is waited for is the gates' second answer, and none is asked",
            remedy="take `soak` out, or `gates: false`",
            code="strategy",
            place=places((_ROOT, "gates")),
        )
    if written.four_eyes and not written.approve:
        yield Problem(
            what=f"{_ROOT}.four_eyes: true, and nobody is asked to approve",
            why="a second person only comes in at a point of approval",
            remedy="add `approve: [start]`, or `canary` or `each`",
            code="strategy",
            place=places((_ROOT, "four_eyes")),
        )

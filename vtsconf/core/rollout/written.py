"""A strategy as it is written in `rollouts/NAME.yaml`: the words, what they may hold, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from vtsconf.core import hours
from vtsconf.core.document import read_document
from vtsconf.core.fields import Argv, Listed, Named, Path, Settings, Wait, found, refusal
from vtsconf.core.problem import Place, Problem
from vtsconf.core.rollout import strategy
from vtsconf.core.rollout.gate import Question
from vtsconf.core.rollout.strategy import Approval, Share, Strategy
from vtsconf.core.rollout.words import FIRST_SCHEMA, Budget, First, Glob, Ignored, Short, Sizes, Soak
from vtsconf.core.tree import Map, empty, place_of, plain
from vtsconf.core.tree import Path as TreePath
from vtsconf.core.validation import validated

_ROOT = "strategy"
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


Severity = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]


def _canary(value: Any) -> Any:
    """A number or a pattern alone is a map with nothing but `hosts`."""
    return value if isinstance(value, dict) or value is None else {"hosts": value}


def _switch(value: Any) -> Any:
    """`false`: none. `true`, and nothing behind the key, are an empty map."""
    return {} if value is True or value is None else None if value is False else value


def _severities(value: Any) -> Any:
    if value == []:
        raise refusal("no severity", why="no line would count", remedy="write `event_log: false`")
    return value


class Canary(Settings):
    """The servers that go first, alone."""

    hosts: First = Field(description="How many, or a host pattern.", examples=[1, "vts1"])
    soak: Soak | None = Field(default=None, description="Not set: as after every wave.")


class EventLog(Settings):
    """Which new lines of the VTS event log are a fault."""

    path: Path = Field(default=strategy.Gates.event_log_path)
    severities: Annotated[Listed[Severity], BeforeValidator(_severities)] = Field(
        default=("ERROR", "CRITICAL"), json_schema_extra={"minItems": 1}
    )
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
    event_log: Annotated[EventLog | None, BeforeValidator(_switch), Short({"type": "boolean"})] = Field(
        default=None, description="No new line of these severities since the change."
    )
    checks: Named[Check] = Field(
        default_factory=dict,
        description="The site's own.",
        json_schema_extra={"type": ["object", "null"], "additionalProperties": False},
    )

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

    canary: Annotated[Canary | None, BeforeValidator(_canary), Short(FIRST_SCHEMA)] = Field(
        default=None, description="Which servers go first, alone.", examples=[1, "vts1"]
    )
    waves: Sizes = Field(
        default=(Share(percent=100.0),),
        description="How many change together; the last repeats. Percents are of all servers with work.",
        examples=[[1, "10%", "100%"]],
        json_schema_extra={"default": ["100%"], "minItems": 1},
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
    gates: Annotated[Gates | None, BeforeValidator(_switch), Short({"type": "boolean"})] = Field(
        default=Gates(), description="What must hold after each wave; false: nothing is asked."
    )

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
    soaks = written.soak or (written.canary and written.canary.soak)
    for is_so, key, what, why, remedy in (
        (
            "canary" in written.approve and written.canary is None,
            "approve",
            "`canary`, and there is no canary",
            "nobody would ever be asked",
            "add `canary: 1`, or write `start` or `each`",
        ),
        (
            written.gates is None and soaks,
            "gates",
            "false, and there is a soak time",
            "what is waited for is the gates' second answer, and none is asked",
            "take `soak` out, or `gates: false`",
        ),
        (
            written.four_eyes and not written.approve,
            "four_eyes",
            "true, and nobody is asked to approve",
            "a second person only comes in at a point of approval",
            "add `approve: [start]`, or `canary` or `each`",
        ),
    ):
        if is_so:
            place = places((_ROOT, key))
            yield Problem(what=f"{_ROOT}.{key}: {what}", why=why, remedy=remedy, code="strategy", place=place)

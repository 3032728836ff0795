"""What stands in `bmas/NAME.yaml`, a backup application that a site defines itself: the words, and what they may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from vtsconf.bma.own import Exits, Judged, Meaning, Regex, Text
from vtsconf.bma.site import placeholders
from vtsconf.bma.words import WORD, deletes, removes
from vtsconf.core.fields import Argv, Listed, Named, NothingIsEmpty, Seconds, Settings, found, refusal


def _meaning(value: Any) -> Any:
    """`4: partial` for `4: {verdict: partial}`."""
    return {"verdict": value} if isinstance(value, str) else value


def _no_proof(value: Any) -> Any:
    if value is True or value is None:
        raise refusal(
            f"{found(value)} stands where a proof is wanted",
            remedy="write the pattern of the text that a good run prints, or false where it prints none",
        )
    return value


def _line(value: Any) -> Any:
    if isinstance(value, str) and "{path}" not in value:
        raise refusal(
            "the line of a list holds no {path}", remedy="write for example '{path}' or '\"{path}\"'"
        )
    return value


Word = Annotated[Meaning, BeforeValidator(_meaning)]
Found = Annotated[
    Regex, Field(description="One line of the answer, whole, with the groups path, size, token, when, media.")
]
Text_ = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class Value(Settings):
    """A value that a person may choose: an option of a policy, or a setting of a server."""

    help: str = ""
    source: str = ""
    values: Listed[str] = Field(default=(), description="The only ones that are allowed.")
    pattern: Regex = Field(
        default=WORD, description="What the whole value must match, where `values` is not given."
    )
    default: str | None = Field(default=None, description="Not set: it must be given.")


class Run(Settings):
    """One command, as a list of words; no shell reads it."""

    run: Argv
    stdin: Text_ = Field(default="", description="What the command reads; nothing else is ever there.")
    env: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$")], str] = Field(
        default_factory=dict
    )
    timeout: Seconds | None = None
    exits: Annotated[dict[Exits, Word], NothingIsEmpty] = Field(
        default_factory=dict, description="What exit codes mean. Not set: 0 is success, the others unknown."
    )
    messages: Named[Text] = Field(
        default_factory=dict, description="What texts in the output mean; before the exit code."
    )

    def texts(self) -> Iterator[str]:
        """Everything with placeholders."""
        yield from self.run
        yield self.stdin

    @field_validator("run")
    @classmethod
    def _is_safe(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if word := deletes(words) or removes(words):
            raise refusal(
                f"`{word:.60}` would let the command delete the tape",
                why="VTS empties a tape itself, and a file that is gone is no erased tape",
                remedy="take it out",
            )
        if word := placeholders.read_again(words):
            raise refusal(
                f"a shell would read `{word:.60}` once more, and a tape's name could be a command",
                remedy='give it as a word of its own: [sh, -c, \'program "$1"\', sh, "{path}"]',
            )
        return words


class Moving(Run):
    """Archive or restore."""

    proof: Annotated[Regex | Literal[False], BeforeValidator(_no_proof)] = Field(
        description="The text that a good run prints: exit 0 is never enough. A group `count` must be at least the number of "
        "tapes. false: the program prints none."
    )


class Asking(Run):
    """The question to the catalogue."""

    found: Found
    nothing: Regex | None = Field(default=None, description="The text that says: there is no such copy.")


class Ending(Run):
    """How a run is ended."""

    job: Regex = Field(description="What in the output of the run names it, with a group `job`.")


class Probe(Settings):
    """A question that moves no data and ends by itself."""

    run: Argv
    found: Regex = Field(description="The text that answers it; its groups are what is shown.")


class Written(Settings):
    """A backup application: its commands, and how their ends are judged."""

    title: Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,80}$")] | None = None
    options: Named[Value] = Field(default_factory=dict, description="Of a policy.")
    settings: Named[Value] = Field(default_factory=dict, description="Of a server, under vts.bma.NAME.")
    list_line: Annotated[str, BeforeValidator(_line)] = Field(
        default="{path}", description="One line of {list}."
    )
    refuse: str = Field(
        default="",
        description="Characters that no tape's name may hold: those that the BMA takes for a pattern.",
    )
    archive: Moving
    restore: Moving
    locate: Asking
    cancel: Ending | None = None
    version: Probe | None = None
    reachable: Probe | None = None

    @field_validator("options", "settings")
    @classmethod
    def _are_fit(cls, values: dict[str, Value]) -> dict[str, Value]:
        for name, value in values.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise refusal(f"`{name}` cannot be filled in", remedy="use small letters, digits and `_`")
            if value.default is not None and value.values and value.default not in value.values:
                raise refusal(f"the default of `{name}` is none of its values", remedy="add it to `values`")
        return values

    @field_validator("settings")
    @classmethod
    def _are_its_own(cls, values: dict[str, Value]) -> dict[str, Value]:
        for name in values:
            if name in Judged.model_fields:
                raise refusal(
                    f"`{name}` is a setting that every backup application has",
                    why="it could not be told which of the two is meant",
                    remedy="call this one otherwise",
                )
        return values

    @model_validator(mode="after")
    def _hangs_together(self) -> Written:
        known = {
            *placeholders.FIXED,
            *(f"option.{n}" for n in self.options),
            *(f"setting.{n}" for n in self.settings),
        }
        for name, run in self.runs():
            _known(name, run, known if name == "cancel" else known - {"job"})
        for name in ("archive", "restore", "locate"):
            _speaks_of(name, getattr(self, name))
        if "job" not in re.compile(self.cancel.job if self.cancel else "(?P<job>)").groupindex:
            raise refusal(
                "`cancel.job` has no group `job`", remedy="write for example 'started as (?P<job>[0-9]+)'"
            )
        return self

    def runs(self) -> Iterator[tuple[str, Run]]:
        yield from (("archive", self.archive), ("restore", self.restore), ("locate", self.locate))
        if self.cancel:
            yield "cancel", self.cancel


def _known(name: str, run: Run, known: set[str]) -> None:
    from vtsconf.core.problem import suggestion

    for text in run.texts():
        for word in placeholders.names(text):
            if word not in known:
                raise refusal(
                    f"`{name}` holds {{{word}}}, which stands for nothing",
                    remedy=suggestion(word, known)
                    or f"there are {', '.join(f'{{{k}}}' for k in sorted(known))}",
                )
    if any("{paths}" in word and word != "{paths}" for word in run.run) or "{paths}" in run.stdin:
        raise refusal(
            f"in `{name}` {{paths}} is not a word of its own", remedy="write it alone, or take {list}"
        )


def _speaks_of(name: str, run: Run) -> None:
    said = {word for text in run.texts() for word in placeholders.names(text)}
    if "token" not in said and name != "restore":
        raise refusal(
            f"`{name}` holds no {{token}}",
            why="without its mark a copy cannot be told from another of the same tape",
            remedy="put it into a description, a comment or a folder's name",
        )
    if not said & {"path", "paths", "list", "token"}:
        raise refusal(f"`{name}` does not say which tape", remedy="put {path}, {paths} or {list} into it")
    if name == "archive" and not said & {"path", "paths", "list"}:
        raise refusal("`archive` does not say which tape", remedy="put {path}, {paths} or {list} into it")

"""A site's own rows of the tables by which a BMA is judged, as they are written under `vts.bma.NAME`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from vtsconf.bma.contract import Verdict
from vtsconf.bma.judging import EVERY, Code, Message, Proof, Tables, exits
from vtsconf.core.fields import Listed, Named, NothingIsEmpty, Seconds, Settings, found, refusal

Action = Literal["archive", "restore", "locate"]
Word = Literal["success", "partial", "transient", "permanent", "unknown"]
_EXITS = re.compile(r"\d{1,3}(-\d{1,3})?(, *\d{1,3}(-\d{1,3})?)*")


def _exits(value: Any) -> str:
    text = str(value)
    if not _EXITS.fullmatch(text) or max(map(int, re.findall(r"\d+", text))) > 255:
        raise refusal(f"`{text:.60}` is no exit code", remedy='write for example 4, or "21-26, 40"')
    return text


def _regex(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise refusal(f"{found(value)} is no pattern", remedy="write a regular expression in single quotes")
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise refusal(
            f"{value!r:.60} is not a regular expression: {error}",
            remedy="put a backslash before ( [ * + ? . to mean it",
        ) from None
    from vtsconf.core.patterncost import too_slow  # costs time, so only where there is a pattern

    if reason := too_slow(value):
        raise refusal(
            f"{value!r:.60} can take very long: {reason}",
            why="what a backup application prints holds the names of tapes, and may be large",
            remedy="write [^ ]+ instead of .*, or begin the pattern with ^",
        )
    return value


Exits = Annotated[str, BeforeValidator(_exits), Field(json_schema_extra={"pattern": _EXITS.pattern})]
Regex = Annotated[str, BeforeValidator(_regex)]


class Meaning(Settings):
    """What an exit code means."""

    verdict: Word = Field(description="What became of the run. A success must still be proven.")
    reason: str = Field(default="", description="A sentence for whoever reads it.")
    actions: Listed[Action] = Field(default=(), description="Not set: all of them.")


class Text(Meaning):
    """What a text in the output means, whatever the exit code."""

    match: Regex = Field(description="A regular expression; ^ and $ are those of a line.")


class Limited(Settings):
    """What the settings of every BMA have."""

    drives: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None,
        description="How many tape drives it may use at once for all servers together: the site's own figure. With "
        "limits.per_drive (1 where no policy says so) it bounds how many of its jobs run at once. Not set: no bound.",
    )


class Judged(Limited):
    """What the settings of a BMA that moves tapes have: the site's rows, which go before the built-in ones."""

    codes: Annotated[dict[Exits, Meaning], NothingIsEmpty] = Field(
        default_factory=dict, description="Exit codes: the site's own reading of them."
    )
    messages: Named[Text] = Field(
        default_factory=dict, description="Texts in the output: the site's own reading of them."
    )
    proofs: Annotated[dict[Action, Regex], NothingIsEmpty] = Field(
        default_factory=dict,
        description="The text that a good run prints; a group (?P<count>…) must be at least the number of tapes.",
    )
    timeouts: Annotated[dict[Action, Seconds], NothingIsEmpty] = Field(
        default_factory=dict, description="How long a run may take. Not set: a day; to ask the catalogue 10m."
    )

    def timeout(self, action: Action) -> int:
        """Seconds."""
        return self.timeouts.get(action, 600 if action == "locate" else 86400)

    def tables(self) -> Tables:
        """The site's rows as tables."""
        return tables(self.codes, self.messages, self.proofs, source="the site's own row")


def tables(
    codes: Mapping[str, Meaning],
    messages: Mapping[str, Text],
    proofs: Mapping[Any, str],
    *,
    source: str,
    actions: tuple[str, ...] = (),
) -> Tables:
    """Rows from what a person wrote; `actions`: where a row names none."""
    return Tables(
        codes=tuple(
            Code(exits=exits(code), **_row(row, f"exit {code}", source, actions))
            for code, row in codes.items()
        ),
        messages=tuple(
            Message(
                pattern=row.match,
                exits=EVERY,
                is_answer=(row.actions or actions) == ("locate",),
                **_row(row, name, source, actions),
            )
            for name, row in messages.items()
        ),
        proofs=tuple(
            Proof(action=action, pattern=pattern, source=source, sure="site")
            for action, pattern in proofs.items()
        ),
    )


def _row(row: Meaning, name: str, source: str, actions: tuple[str, ...]) -> dict[str, Any]:
    return {
        "verdict": Verdict(row.verdict),
        "reason": row.reason or name,
        "source": source,
        "sure": "site",
        "actions": row.actions or actions,
    }

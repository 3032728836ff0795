"""What a person writes under `vts`, apart from parameters, policies and BMAs: the words and what they may hold."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from vtsconf.core.fields import (
    Argv,
    Listed,
    Mode,
    Name,
    Named,
    NothingIsEmpty,
    Path,
    Settings,
    Wait,
    refusal,
)

_RESTART = "Services to restart after a change, by name."
Vault = Annotated[str, Field(pattern=r"^/?VAULT[A-Za-z0-9_]{1,30}$")]


class Service(Settings):
    """How a service of the server is restarted and asked for its state; nothing of it is documented."""

    restart: Argv | None = Field(
        default=None, description="The command that restarts it, as a list of words."
    )
    status: Argv | None = Field(default=None, description="Exit 0 says that it runs; asked after a restart.")


class File(Settings):
    """A whole file on the server, with literal content or from a template."""

    content: str | None = Field(default=None, description="The text itself, or secret://… for all of it.")
    template: str | None = Field(
        default=None,
        description="A file of templates/, the site's before the built-in ones.",
        examples=["motd.j2"],
    )
    owner: Name | None = Field(default=None, description="Not set: it stays as it is.")
    group: Name | None = Field(default=None, description="Not set: it stays as it is.")
    mode: Mode = Field(default="0644", description="Four octal digits, in quotes.", examples=["0644", "0600"])
    validate_with: Argv | None = Field(
        default=None,
        alias="validate",
        description="Run on the staged file before it is taken; {} stands for its path; exit 0 lets it pass.",
        examples=[["visudo", "-cf", "{}"]],
    )
    restart: Listed[Name] = Field(default=(), description=_RESTART)

    @model_validator(mode="after")
    def _has_one_content(self) -> File:
        if (self.content is None) == (self.template is None):
            both = self.content is not None
            raise refusal(
                "a file has both content and template" if both else "a file has neither content nor template",
                why="its bytes come from exactly one of them",
                remedy="take one out" if both else "add `content: |` or `template: NAME.j2`",
            )
        return self


class Command(Settings):
    """A command that is run only where its check fails."""

    check: Argv = Field(description="Exit 0 says that there is nothing to do. It must change nothing.")
    run: Argv = Field(description="What to do where the check fails; afterwards the check must pass.")
    revert: Argv | None = Field(default=None, description="What takes it back when the change is taken back.")
    restart: Listed[Name] = Field(default=(), description=_RESTART)


class Health(Settings):
    """A question asked before a change is confirmed; exit 0 is yes."""

    run: Argv = Field(description="Exit 0 says that the server is well.")
    on: Literal["server", "controller"] = Field(default="server", description="Where the question is asked.")


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise refusal(
            f"`{text:.80}` is not a regular expression: {error}", remedy="write one as Python knows them"
        ) from None
    return text


class Drift(Settings):
    """What `vtsconf drift` cannot know by itself."""

    edit_events: Listed[Annotated[str, AfterValidator(_regex)]] = Field(
        default=(),
        description="Regular expressions for texts of the event log that tell of an edited configuration file. That there "
        "are such events is documented, their text is not: without this a heuristic looks for them.",
        examples=[["Configuration file .* (edited|saved)"]],
    )


class VtsPolicyCommand(Settings):
    """The server's own VTSPolicy command; the line is given to it as one further word."""

    command: Argv = Field(
        description="The command; its name is in no manual we know, so there is no default."
    )
    waits: bool = Field(
        default=False,
        description="It ends when the backup application has ended, with 0 only if that did: then its exit code is a "
        "witness. Not documented, so not assumed.",
    )
    within: Wait = Field(
        default=4 * 3600,
        json_schema_extra={"default": "4h"},
        description="How long the catalogue is asked for a tape that was handed over.",
    )


class Written(Settings):
    """The desired state of one server. Parameter families (ems, hsm, cleanup, …) stand beside these keys."""

    release: str | None = Field(
        default=None, description="The VTS release of the server, in quotes.", examples=["8.3", "6.04.03"]
    )
    config_file: Path | None = Field(
        default=None,
        description="The VTS configuration file. No manual we know says where it is; `vtsconf doctor` looks for it.",
    )
    confirm_within: Wait = Field(
        default=120,
        json_schema_extra={"default": "120s"},
        description="How long the server waits to be told that a change is good, before it takes it back.",
    )
    state_dir: Path = Field(
        default="/var/lib/vtsconf", description="Where the lock and the old bytes are kept there."
    )
    services: Named[Service] = Field(default_factory=dict, description="Services of the server, by name.")
    files: Annotated[dict[Path, File], NothingIsEmpty] = Field(
        default_factory=dict, description="Whole files that we own, by their paths."
    )
    commands: Named[Command] = Field(
        default_factory=dict,
        description="What no file can say: commands that run only where their check fails.",
    )
    health: Named[Health] = Field(
        default_factory=dict, description="Questions asked before a change is confirmed."
    )
    drift: Annotated[Drift, NothingIsEmpty] = Field(
        default_factory=Drift, description="What `vtsconf drift` goes by."
    )
    bma: Annotated[dict[str, Any], NothingIsEmpty] = Field(
        default_factory=dict, description="Backup applications: the client's files, by name."
    )
    vtspolicy: VtsPolicyCommand | None = Field(
        default=None, description="The server's own VTSPolicy command; the line is one further word."
    )
    tape_is_free: Argv | None = Field(
        default=None,
        description="Exit 0 says that a tape is neither mounted nor locked; its path is one further word. No manual we know "
        "says how to ask. Without it no tape is erased; with it none is touched while it is in use.",
        examples=[["/opt/site/bin/tape-is-free"]],
    )
    vaults: Listed[Vault] = Field(
        default=(), description="The vaults of the server, for checks.", examples=[["VAULT01", "VAULT02"]]
    )
    allow_erase: Listed[str] = Field(
        default=(),
        description="What may erase data, each by its name: a parameter, a policy, commands/NAME, files//PATH.",
        examples=[["cleanup_autoerase"]],
    )

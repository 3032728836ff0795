"""What stands under `vts`: the desired state of one server, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field, model_validator

from vtsconf.core import validation
from vtsconf.core.fields import (
    Argv,
    Listed,
    Mode,
    Name,
    Named,
    Path,
    Seconds,
    Settings,
    refusal,
)
from vtsconf.core.problem import Place, Problem
from vtsconf.resources.policies import Policy, Rule


class Service(Settings):
    """How a service of the server is restarted and asked for its state; nothing of it is documented."""

    restart: Argv | None = None
    status: Argv | None = None


class File(Settings):
    """A whole file on the server, with literal content or from a template."""

    content: str | None = None
    template: str | None = None
    owner: Name | None = None
    group: Name | None = None
    mode: Mode = "0644"
    validate_with: Argv | None = Field(default=None, alias="validate")
    restart: Listed[Name] = ()

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

    check: Argv
    run: Argv
    revert: Argv | None = None
    restart: Listed[Name] = ()


class Health(Settings):
    """A question asked before a change is confirmed; exit 0 is yes."""

    run: Argv
    on: Literal["server", "controller"] = "server"


class VtsPolicyCommand(Settings):
    """The server's own VTSPolicy command; the line is given to it as one further word."""

    command: Argv


class Vts(Settings):
    """The desired state of one server.

    `families` holds the parameter families (ems, hsm, cleanup, and those of the site) as they were
    written; `vtsconf.resources.wanted.wanted` turns them and `parameters` into parameters. `bma` holds
    the `Settings` of each BMA's own module.
    """

    release: str | None = None
    config_file: Path | None = None
    confirm_within: Seconds = 120
    state_dir: Path = "/var/lib/vtsconf"
    services: Named[Service] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    files: dict[Path, File] = Field(default_factory=dict)
    commands: Named[Command] = Field(default_factory=dict)
    health: Named[Health] = Field(default_factory=dict)
    bma: Named[Any] = Field(default_factory=dict)
    policies: Named[Policy] = Field(default_factory=dict)
    vtspolicy: VtsPolicyCommand | None = None
    vaults: Listed[str] = ()
    allow_erase: Listed[str] = ()
    rules: Named[Rule] = Field(default_factory=dict)
    families: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Host(Protocol):
    """What is needed of a host of the fleet (core/fleet.Host)."""

    @property
    def name(self) -> str: ...
    @property
    def variables(self) -> Mapping[str, Any]: ...
    def locate(self, path: tuple[str | int, ...]) -> Place | None: ...


def read(host: Host) -> tuple[Vts | None, list[Problem]]:
    return validation.validated(
        Vts, host.variables.get("vts"), path=("vts",), locate=host.locate, host=host.name
    )

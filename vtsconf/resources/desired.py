"""What stands under `vts`: the desired state of one server, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from vtsconf.core.fields import (
    Argv,
    Listed,
    Mode,
    Name,
    Named,
    NothingIsEmpty,
    Path,
    Seconds,
    Settings,
    found,
    refusal,
)
from vtsconf.core.problem import Place, Problem, errors
from vtsconf.core.tables import OTHER, Tables
from vtsconf.core.tree import Path as TreePath
from vtsconf.core.validation import Locate, unknown_key, validated
from vtsconf.core.wanted import WantedParameter, gather
from vtsconf.resources.policies import Policy, Rule

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


class VtsPolicyCommand(Settings):
    """The server's own VTSPolicy command; the line is given to it as one further word."""

    command: Argv = Field(
        description="The command; its name is in no manual we know, so there is no default."
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
    confirm_within: Seconds = Field(
        ge=1,
        le=86400,
        default=120,
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
    bma: Annotated[dict[str, Any], NothingIsEmpty] = Field(
        default_factory=dict, description="Backup applications: the client's files, by name."
    )
    policies: Named[Policy] = Field(
        default_factory=dict, description="Which tapes are migrated, restored or erased."
    )
    vtspolicy: VtsPolicyCommand | None = Field(
        default=None, description="The server's own VTSPolicy command; the line is one further word."
    )
    vaults: Listed[Vault] = Field(
        default=(), description="The vaults of the server, for checks.", examples=[["VAULT01", "VAULT02"]]
    )
    allow_erase: Listed[str] = Field(
        default=(),
        description="What may erase data, each by its name: a parameter, a policy, commands/NAME, files//PATH.",
        examples=[["cleanup_autoerase"]],
    )


class Rules(Settings):
    """The one key of `ems` that is no parameter."""

    rules: Named[Rule] = Field(
        default_factory=dict, description="What an EMS event makes the executor do (`migrate run --follow`)."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vts:
    """The desired state of one server, checked.

    `families` (ems, hsm, cleanup, and those of the site's tables) and `parameters` are as they were written;
    `wanted` makes parameters of them. `bma` holds the `Settings` of each BMA's own module.
    """

    release: str | None = None
    config_file: str | None = None
    confirm_within: int = 120  # seconds
    state_dir: str = "/var/lib/vtsconf"
    services: Mapping[str, Service] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    commands: Mapping[str, Command] = field(default_factory=dict)
    health: Mapping[str, Health] = field(default_factory=dict)
    bma: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    vtspolicy: VtsPolicyCommand | None = None
    vaults: tuple[str, ...] = ()
    allow_erase: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    families: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Host(Protocol):
    """What is needed of a host of the fleet (core/fleet.Host)."""

    @property
    def name(self) -> str: ...
    @property
    def variables(self) -> Mapping[str, Any]: ...
    @property
    def locate(self) -> Locate: ...


def read(host: Host, tables: Tables) -> tuple[Vts | None, list[Problem]]:
    """The desired state of a host, None when it has errors; and all problems, warnings and notes among them.

    A host without `vts` is an empty desired state.
    """
    written = host.variables.get("vts", {})
    if written is None:
        written = {}
    if not isinstance(written, Mapping):
        what = f"vts: {found(written)} stands where a map is wanted"
        return None, [
            Problem(
                what=what,
                remedy="write keys below it",
                code="value",
                place=host.locate(("vts",)),
                host=host.name,
                address="vts",
            )
        ]
    sections = {str(key): value for key, value in written.items()}
    families = {family: sections.pop(family) for family in tables.families if family in sections}
    return _assembled(host, tables, sections, families)


def _assembled(
    host: Host, tables: Tables, sections: dict[str, Any], families: dict[str, Any]
) -> tuple[Vts | None, list[Problem]]:
    parameters = families.pop(OTHER, {})
    families, rules, problems = _without_rules(host, families)
    model, wrong = validated(
        Written, sections, path=("vts",), locate=host.locate, host=host.name, more_keys=tables.families
    )
    problems += wrong
    bma, wrong = _bma(host, sections.get("bma"))
    problems += wrong
    _, wrong = gather(families, parameters, tables=tables, locate=host.locate, host=host.name)
    problems += wrong
    if model is None or errors(problems):
        return None, problems
    known = {name: getattr(model, name) for name in Written.model_fields} | {"bma": bma}
    return Vts(**known, rules=rules, families=families, parameters=parameters or {}), problems


def _without_rules(
    host: Host, families: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Rule], list[Problem]]:
    """The families, their parameters only, and the rules that stood in `ems`."""
    ems = families.get("ems")
    if not isinstance(ems, Mapping) or "rules" not in ems:
        return families, {}, []
    rest = {key: value for key, value in ems.items() if key != "rules"}
    rules, problems = validated(
        Rules, {"rules": ems["rules"]}, path=("vts", "ems"), locate=host.locate, host=host.name
    )
    return families | {"ems": rest}, (rules.rules if rules else {}), problems


def _bma(host: Host, written: Any) -> tuple[dict[str, Any], list[Problem]]:
    """The settings of each backup application, checked by its own module."""
    if not isinstance(written, Mapping) or not written:  # the model says so of what is no map
        return {}, []
    from vtsconf import bma

    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, values in written.items():
        path = ("vts", "bma", name)
        if name not in bma.ALL:
            problems.append(
                unknown_key(name, bma.ALL, path=path[:-1], place=host.locate(path, key=True), host=host.name)
            )
            continue
        settings[name], wrong = validated(
            bma.ALL[name].Settings,
            {} if values is None else values,
            path=path,
            locate=host.locate,
            host=host.name,
        )
        problems += wrong
    return settings, problems


def nowhere(path: TreePath, *, key: bool = False) -> Place | None:  # noqa: ARG001 the shape of Locate
    """Where something is that was not read from a file."""
    return None


def wanted(vts: Vts, tables: Tables, locate: Locate = nowhere) -> dict[str, WantedParameter]:
    """The parameters that a checked document asks for, by full name."""
    parameters, _ = gather(vts.families, vts.parameters, tables=tables, locate=locate)
    return parameters

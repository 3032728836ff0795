"""The desired state of one server: everything under `vts`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from vtsconf.core.fields import found
from vtsconf.core.problem import Place, Problem, errors
from vtsconf.core.tables import OTHER, Tables
from vtsconf.core.tree import Path
from vtsconf.core.validation import Locate, unknown_key, validated
from vtsconf.core.wanted import WantedParameter, gather
from vtsconf.resources.written import Command, Drift, File, Health, Service, VtsPolicyCommand, Written

if TYPE_CHECKING:
    from vtsconf.resources.policies import Policy, Rule

PEERS = "ems_InterSystemCommunication_hosts"  # "other VTS systems" [6.04.01 Ops p.44; 6.03.42 Ops p.44]


@dataclass(frozen=True, kw_only=True)
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
    drift: Drift = field(default_factory=Drift)
    bma: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    vtspolicy: VtsPolicyCommand | None = None
    tape_is_free: tuple[str, ...] | None = None
    vaults: tuple[str, ...] = ()
    allow_erase: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    families: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    # What `read` made of families and parameters, so that it is made once.
    gathered: Mapping[str, WantedParameter] | None = field(default=None, compare=False, repr=False)


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
    """Each part is judged whatever is wrong with the others, so that all is said at once."""
    parameters = families.pop(OTHER, None)
    ems = families.get("ems")
    rules = ems.get("rules") if isinstance(ems, Mapping) else None
    if isinstance(ems, Mapping):
        families["ems"] = {key: value for key, value in ems.items() if key != "rules"}
    policies, policies_wrong = _policies(host, sections.pop("policies", None), rules)
    bma, bma_wrong = _bma(host, sections.get("bma"), tables.applications)
    if policies:
        policies_wrong += _options(host, policies["policies"], bma)
    model, model_wrong = validated(
        Written,
        sections,
        path=("vts",),
        locate=host.locate,
        host=host.name,
        more_keys=[*tables.families, "policies"],
    )
    gathered, wrong = gather(families, parameters, tables=tables, locate=host.locate, host=host.name)
    problems = [*model_wrong, *policies_wrong, *bma_wrong, *wrong]
    if model is None or errors(problems):
        return None, problems
    known = {name: getattr(model, name) for name in Written.model_fields} | {"bma": bma} | policies
    return Vts(**known, families=families, parameters=parameters or {}, gathered=gathered), problems


def _policies(host: Host, policies: Any, rules: Any) -> tuple[dict[str, Any], list[Problem]]:
    """The policies, and the rules that stand under `ems`, where there are any."""
    if policies is None and rules is None:
        return {}, []
    from vtsconf.resources.policies import Policies, Rules  # costs time, so only where it is needed

    checked, wrong = validated(
        Policies, {"policies": policies}, path=("vts",), locate=host.locate, host=host.name
    )
    following, more = validated(
        Rules, {"rules": rules}, path=("vts", "ems"), locate=host.locate, host=host.name
    )
    if checked is None or following is None:
        return {}, [*wrong, *more]
    return {"policies": checked.policies, "rules": following.rules}, []


def _bma(host: Host, written: Any, of_site: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The settings of each backup application, checked by its own module."""
    if not isinstance(written, Mapping) or not written:  # the model says so of what is no map
        return {}, []
    from vtsconf import bma

    known = {**bma.ALL, **of_site}
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, values in written.items():
        path = ("vts", "bma", name)
        if name not in known:
            problems.append(
                unknown_key(name, known, path=path[:-1], place=host.locate(path, key=True), host=host.name)
            )
            continue
        settings[name], wrong = validated(
            known[name].Settings,
            {} if values is None else values,
            path=path,
            locate=host.locate,
            host=host.name,
        )
        problems += wrong
    return settings, problems


def _options(host: Host, policies: Mapping[str, Policy], settings: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the options that a policy has for its backup application; the words of a VTSPolicy line are none."""
    from vtsconf import bma

    problems: list[Problem] = []
    for name, policy in policies.items():
        of = settings.get(policy.bma or "")
        migrator = bma.migrator(policy.bma or "", of) if of else None
        path = ("vts", "policies", name, "options")
        problems += [
            Problem(
                what=f"{'.'.join(path)}: {sentence}",
                code="value",
                place=host.locate(path),
                host=host.name,
                address=".".join(path),
            )
            for sentence in (migrator.check_options(policy.bma_options) if migrator else ())
        ]
    return problems


def nowhere(path: Path, *, key: bool = False) -> Place | None:  # noqa: ARG001 the shape of Locate
    """Where something is that was not read from a file."""
    return None


def is_cluster(vts: Vts) -> bool:
    """The documents name peers of this server: each of them gets the same lines, and may act on the same vaults."""
    peers = (vts.gathered or {}).get(PEERS)
    return bool(peers and peers.text)


def wanted(vts: Vts, tables: Tables, locate: Locate = nowhere) -> dict[str, WantedParameter]:
    """The parameters that a checked document asks for, by full name."""
    if vts.gathered is not None:
        return dict(vts.gathered)
    parameters, _ = gather(vts.families, vts.parameters, tables=tables, locate=locate)
    return parameters

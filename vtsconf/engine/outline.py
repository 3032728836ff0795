"""What can be known of a host although its documents may be wrong or unfinished: enough to look at its server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vtsconf.bma import application_of
from vtsconf.core.connection import Target, secret_refs_of, target_of
from vtsconf.core.errors import Invalid
from vtsconf.core.fleet import Host
from vtsconf.core.problem import Problem, errors
from vtsconf.core.tables import Tables
from vtsconf.engine.project import Project
from vtsconf.engine.secrets import resolve
from vtsconf.resources import desired


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A host that can be connected to. `vts` holds the sections that make sense; the others are at their defaults."""

    host: Host
    target: Target
    vts: desired.Vts
    tables: Tables

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def root(self) -> str:
        """What stands before the paths that we assume: "" on a real server, a folder in a lab (`vts_root`)."""
        root = self.host.variables.get("vts_root")
        return root.rstrip("/") if isinstance(root, str) and root.startswith("/") else ""

    @property
    def managed(self) -> tuple[str, ...]:
        """The files that the documents speak of."""
        return tuple(dict.fromkeys(_managed(self.vts)))

    @property
    def lacking(self) -> tuple[str, ...]:
        """Services that must learn of changed parameters and that nobody said how to restart."""
        wanted = desired.wanted(self.vts, self.tables).values()
        named = dict.fromkeys(service for parameter in wanted for service in parameter.restart)
        described = {name for name, service in self.vts.services.items() if service.restart}
        return tuple(name for name in named if name not in described)


def _managed(vts: desired.Vts) -> Iterator[str]:
    if vts.config_file:
        yield vts.config_file
    yield from vts.files
    for name, settings in vts.bma.items():
        yield from (file.path for file in application_of(name, settings).files(settings))


def outline(host: Host, project: Project) -> Outline:
    """Raises Invalid when the connection variables, or the secrets that they name, are wrong."""
    known = resolve({ref: [host.name] for ref in secret_refs_of(host.variables)}, project.root)
    target, problems = target_of(host.name, host.variables, known, host.locate)
    if wrong := [*_of_connection(host), *errors(problems)]:
        raise Invalid(wrong)
    return Outline(host=host, target=target, vts=salvaged(host, project.tables), tables=project.tables)


def _of_connection(host: Host) -> list[Problem]:
    """Templates of connection variables that could not be rendered: without them we might go somewhere else."""
    places = {
        (node.place.file, node.place.line)
        for name, node in host.tree.entries.items()
        if name.startswith(("ansible_", "vts_ssh_"))
    }
    return [p for p in errors(host.problems) if p.place and (p.place.file, p.place.line) in places]


def salvaged(host: Host, tables: Tables) -> desired.Vts:
    """The desired state without the sections that have errors."""
    vts, _ = desired.read(host, tables)
    written = host.variables.get("vts")
    if vts is None and isinstance(written, Mapping):
        sound = {key: value for key, value in written.items() if _read(host, {key: value}, tables)}
        vts = _read(host, sound, tables)
    return vts or desired.Vts()


def _read(host: Host, sections: Mapping[Any, Any], tables: Tables) -> desired.Vts | None:
    vts, _ = desired.read(replace(host, variables={**host.variables, "vts": sections}), tables)
    return vts

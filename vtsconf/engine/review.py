"""What one host's document asks for, and everything that can be said against it without asking the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vtsconf.core.errors import Invalid
from vtsconf.core.fleet import Host
from vtsconf.core.problem import Problem, errors
from vtsconf.core.resource import Keys, Resource
from vtsconf.engine.project import Project

if TYPE_CHECKING:
    from vtsconf.core.wanted import WantedParameter
    from vtsconf.resources.desired import Vts


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A host as it was read. `vts` is None when it has errors; `resources` are without their secrets."""

    host: Host
    vts: Vts | None = None
    wanted: Mapping[str, WantedParameter] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    problems: tuple[Problem, ...] = ()


def review(host: Host, project: Project) -> Review:
    """Read a host's `vts`, and make its resources to see whether they can be made. Nothing is raised."""
    from vtsconf.resources import desired

    if errors(host.problems):
        # What could not be rendered is missing now, and would only be complained about a second time.
        return Review(host=host, problems=host.problems)
    vts, problems = desired.read(host, project.tables)
    problems = [*host.problems, *problems]
    if vts is None:
        return Review(host=host, problems=tuple(problems))
    wanted = desired.wanted(vts, project.tables, host.locate)
    resources, wrong = _resources(host, project, vts, wanted)
    problems += wrong
    problems += _linted(host, project, vts, wanted)
    return Review(host=host, vts=vts, wanted=wanted, resources=resources, problems=tuple(problems))


def _resources(
    host: Host, project: Project, vts: Vts, wanted: Mapping[str, WantedParameter]
) -> tuple[tuple[Resource, ...], list[Problem]]:
    from dataclasses import replace

    from vtsconf.resources.build import resources_of

    try:
        made = resources_of(vts, host.variables, wanted.values(), Keys(), project.render, locate=host.locate)
    except Invalid as error:
        return (), [replace(problem, host=problem.host or host.name) for problem in error.problems]
    return made, []


def _linted(host: Host, project: Project, vts: Vts, wanted: Mapping[str, WantedParameter]) -> list[Problem]:
    from vtsconf.resources.lints import Subject, lint
    from vtsconf.resources.lints.erase import could_erase

    subject = Subject(
        vts=vts,
        wanted=wanted,
        tables=project.tables,
        host=host.name,
        address=str(host.variables.get("ansible_host") or ""),
        locate=host.locate,
    )
    return [*lint(subject), *could_erase(vts, wanted, None, (), host.locate, host=host.name)]

"""From what is written down to what can be asked of a server: checked, complete, and nothing contacted yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vtsconf.bma import application_of
from vtsconf.core.connection import Target, secret_refs_of, target_of
from vtsconf.core.errors import Invalid
from vtsconf.core.fleet import Host
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.problem import Problem, errors
from vtsconf.core.resource import Keys, Resource
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.core.tables import Tables
from vtsconf.core.wanted import WantedParameter
from vtsconf.engine.project import Project
from vtsconf.engine.render import renderer
from vtsconf.resources import build, desired
from vtsconf.resources.files import File
from vtsconf.resources.lints import Subject, lint
from vtsconf.resources.lints.erase import could_erase


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A host whose documents are in order. `problems` are warnings and notes."""

    host: Host
    vts: desired.Vts
    wanted: dict[str, WantedParameter]
    tables: Tables
    resources: tuple[Resource, ...]
    target: Target
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        return self.host.name

    def subject(self, live: dict[str, str] | None = None) -> Subject:
        """What the lints judge; with `live`, against the server."""
        return Subject(
            vts=self.vts,
            wanted=self.wanted,
            tables=self.tables,
            live=live,
            host=self.host.name,
            address=self.target.address,
            locate=self.host.locate,
        )


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """All selected hosts: those that are ready, and those whose documents are wrong."""

    ready: tuple[Ready, ...] = ()
    invalid: tuple[HostPlan, ...] = ()
    secrets: dict[SecretRef, Secret] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Draft:
    host: Host
    vts: desired.Vts
    wanted: dict[str, WantedParameter]
    resources: tuple[Resource, ...]
    problems: tuple[Problem, ...]

    @property
    def references(self) -> tuple[SecretRef, ...]:
        return (*build.secrets_of(self.resources), *secret_refs_of(self.host.variables))


def references_of(host: Host, project: Project) -> frozenset[SecretRef]:
    """The secrets that a host's documents speak of; none where they cannot be understood."""
    vts, _ = desired.read(host, project.tables)
    if vts is None:
        return frozenset()
    wanted = desired.wanted(vts, project.tables, host.locate).values()
    try:
        made = build.resources_of(vts, host.variables, wanted, Keys(), renderer(project), locate=host.locate)
    except Invalid:
        return frozenset()
    return frozenset(build.secrets_of(made))


def judge(host: Host, project: Project, allowed: Collection[str] = ()) -> list[Problem]:
    """Every problem of one host's documents, without a server and without a secret.

    A plan asks the lints later, once, when it has seen the server too.
    """
    draft = _draft(host, project, renderer(project))
    if not isinstance(draft, _Draft):
        return list(draft)
    subject = Subject(
        vts=draft.vts, wanted=draft.wanted, tables=project.tables, host=host.name, locate=host.locate
    )
    return [*draft.problems, *lint(subject), *erasing(subject, allowed, draft.resources)]


def _draft(host: Host, project: Project, render: build.Render) -> _Draft | tuple[Problem, ...]:
    vts, problems = desired.read(host, project.tables)
    problems = [*host.problems, *problems, *_connection(host)]
    if vts is None or errors(problems):
        return tuple(problems)
    problems += _client_lints(vts, host)
    wanted = desired.wanted(vts, project.tables, host.locate)
    resources: tuple[Resource, ...] = ()
    try:
        resources = build.resources_of(
            vts, host.variables, wanted.values(), Keys(), render, locate=host.locate
        )
    except Invalid as error:
        problems += [replace(p, host=host.name) for p in error.problems]
    return _Draft(host=host, vts=vts, wanted=wanted, resources=resources, problems=tuple(problems))


def _connection(host: Host) -> list[Problem]:
    """What is wrong with the connection variables; their secrets are not needed to tell."""
    pretended = {ref: Secret(b"-") for ref in secret_refs_of(host.variables)}
    return target_of(host.name, host.variables, pretended, host.locate)[1]


def _client_lints(vts: desired.Vts, host: Host) -> Iterator[Problem]:
    """What the backup applications' own modules warn of."""
    for name, settings in vts.bma.items():
        for problem in application_of(name, settings).lints(settings, vts.vaults):
            place = problem.place or host.locate(("vts", "bma", name))
            yield replace(problem, host=host.name, place=place)


def erasing(subject: Subject, allowed: Collection[str], resources: Iterable[Resource] = ()) -> list[Problem]:
    """Promise 11: errors for what could make a tape erasable, unless it is allowed by name."""
    texts = {r.path: r.content.redacted().decode(errors="replace") for r in resources if isinstance(r, File)}
    return could_erase(
        subject.vts,
        subject.wanted,
        subject.live,
        allowed,
        subject.locate,
        rendered=texts,
        host=subject.host,
    )


def prepare(project: Project, hosts: Sequence[Host]) -> Preparation:
    """Read every host's documents; resolve the secrets of those that are in order, all at once."""
    render = renderer(project)
    good: list[_Draft] = []
    invalid: list[HostPlan] = []
    for host in hosts:
        draft = _draft(host, project, render)
        problems = draft.problems if isinstance(draft, _Draft) else draft
        if isinstance(draft, _Draft) and not errors(problems):
            good.append(draft)
        else:
            invalid.append(_invalid(host.name, problems))
    secrets, unresolved = resolved(good, project.root)
    ready: list[Ready] = []
    for draft in good:
        wrong = [p for ref, p in unresolved.items() if ref in draft.references]
        if wrong:
            invalid.append(_invalid(draft.host.name, [*draft.problems, *wrong]))
            continue
        target, _ = target_of(draft.host.name, draft.host.variables, secrets, draft.host.locate)
        ready.append(
            Ready(
                host=draft.host,
                vts=draft.vts,
                wanted=draft.wanted,
                tables=project.tables,
                resources=draft.resources,
                target=target,
                problems=draft.problems,
            )
        )
    return Preparation(ready=tuple(ready), invalid=tuple(invalid), secrets=secrets)


def resolved(
    drafts: Iterable[_Draft], root: Path
) -> tuple[dict[SecretRef, Secret], dict[SecretRef, Problem]]:
    """Every secret once, whoever uses it; what cannot be had stops only the hosts that need it."""
    uses: dict[SecretRef, list[str]] = {}
    for draft in drafts:
        for ref in draft.references:
            uses.setdefault(ref, []).append(draft.host.name)
    secrets: dict[SecretRef, Secret] = {}
    unresolved: dict[SecretRef, Problem] = {}
    for ref, places in uses.items():
        from vtsconf.engine.secrets import resolve

        try:
            secrets |= resolve({ref: places}, root)
        except Invalid as error:
            unresolved[ref] = error.problems[0]
    return secrets, unresolved


def _invalid(host: str, problems: Sequence[Problem]) -> HostPlan:
    first = errors(problems)
    more = f" (and {len(first) - 1} more)" if len(first) > 1 else ""
    return HostPlan(
        host=host,
        outcome=PlanOutcome.INVALID,
        reason=f"{first[0].what}{more}" if first else "",
        problems=tuple(problems),
    )

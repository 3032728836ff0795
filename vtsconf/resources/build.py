"""From the desired state of one server to its resources: who owns what, and in which order it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vtsconf.core.content import Content
from vtsconf.core.errors import Invalid
from vtsconf.core.problem import Problem
from vtsconf.core.resource import Keys, Resource
from vtsconf.core.secret import SecretRef
from vtsconf.core.step import Service
from vtsconf.core.validation import Locate
from vtsconf.core.wanted import WantedParameter
from vtsconf.resources import desired
from vtsconf.resources.commands import Command
from vtsconf.resources.files import File
from vtsconf.resources.parameters import Parameters
from vtsconf.resources.services import ServiceStatus

# A template's name ("tsm/dsm.sys.j2") and the variables; the text may hold marks for secrets.
Render = Callable[[str, Mapping[str, Any]], str]


def resources_of(
    vts: desired.Vts,
    variables: Mapping[str, Any],
    parameters: Iterable[WantedParameter],
    keys: Keys,
    render: Render,
    *,
    locate: Locate = desired.nowhere,
) -> tuple[Resource, ...]:
    """Everything that is managed on one host, in the order in which it is changed.

    `variables` are the host's, for the templates. `keys` may come later (`with_keys`): which secrets are needed is
    known only from the result (`secrets_of`). Raises Invalid when two resources own one path, or parameters are
    wanted and nobody said where the configuration file is; and whatever `render` raises.
    """
    files = (*_files(vts, variables, render, locate), *_client_files(vts, variables, render))
    wanted = tuple(parameters)
    problems = [*_double_owners(vts, files, locate), *_homeless(vts, wanted, locate)]
    if problems:
        raise Invalid(problems)
    shared = (Parameters(path=vts.config_file, wanted=wanted),) if vts.config_file and wanted else ()
    return with_keys((*files, *shared, *_commands(vts), *_services(vts)), keys)


def _files(vts: desired.Vts, variables: Mapping[str, Any], render: Render, locate: Locate) -> Iterator[File]:
    for path, file in vts.files.items():
        try:
            content = _content(render(file.template, variables) if file.template else file.content or "")
        except Invalid as error:
            place = locate(("vts", "files", path, "template"))
            raise Invalid([replace(p, place=p.place or place) for p in error.problems]) from error
        yield File(
            path=path,
            content=content,
            owner=file.owner or "",
            group=file.group or "",
            mode="0600" if content.secrets and "mode" not in file.model_fields_set else file.mode,
            validate=file.validate_with or (),
            restart=file.restart,
        )


def _content(text: str) -> Content:
    reference = SecretRef.parse(text)
    return Content((reference,)) if reference else Content.from_marked(text.encode())


def _client_files(vts: desired.Vts, variables: Mapping[str, Any], render: Render) -> Iterator[File]:
    if not vts.bma:
        return
    from vtsconf.bma import application_of

    for name, settings in vts.bma.items():
        for file in application_of(name, settings).files(settings):
            yield File(
                path=file.path,
                content=_content(render(file.template, {**variables, **file.variables})),
                owner=file.owner,
                group=file.group,
                mode=file.mode,
                validate=file.validate,
                restart=file.restart,
                kind=name,
                secrets=file.secrets,
            )


def _commands(vts: desired.Vts) -> Iterator[Command]:
    for name, command in vts.commands.items():
        yield Command(
            name=name,
            check=command.check,
            run=command.run,
            revert=command.revert or (),
            restart=command.restart,
        )


def _services(vts: desired.Vts) -> Iterator[ServiceStatus]:
    for name, service in vts.services.items():
        yield ServiceStatus(name=name, status=service.status or (), restart=service.restart or ())


def _double_owners(vts: desired.Vts, files: Sequence[File], locate: Locate) -> Iterator[Problem]:
    owners: dict[str, str] = {vts.config_file: "vts.config_file"} if vts.config_file else {}
    for file in files:
        owner = f"vts.files.{file.path}" if file.kind == "files" else f"vts.bma.{file.kind}"
        if file.path in owners:
            yield Problem(
                what=f"{file.path} is managed twice, by {owners[file.path]} and by {owner}",
                why="each would undo what the other wrote",
                remedy="take one of the two out, or give it another path",
                code="two-owners",
                place=locate(
                    ("vts", "files", file.path) if file.kind == "files" else ("vts", "bma", file.kind)
                ),
                address=file.address,
            )
        owners.setdefault(file.path, owner)


def _homeless(vts: desired.Vts, wanted: Sequence[WantedParameter], locate: Locate) -> Iterator[Problem]:
    if wanted and not vts.config_file:
        yield Problem(
            what="vts.config_file is not set, and parameters are to be written into it",
            why="the manuals do not say where the configuration file is, so there is no default",
            remedy="let `vtsconf doctor` look for it, then add `config_file: /…`",
            code="config-file",
            place=wanted[0].place or locate(("vts",)),
            address="vts.config_file",
        )


def secrets_of(resources: Iterable[Resource]) -> tuple[SecretRef, ...]:
    """The secrets that must be known before these resources can answer; each once, in order."""
    return tuple(dict.fromkeys(_references(resources)))


def _references(resources: Iterable[Resource]) -> Iterator[SecretRef]:
    for resource in resources:
        if isinstance(resource, File):
            yield from resource.content.secrets
        elif isinstance(resource, Parameters):
            yield from (w.text for w in resource.wanted if isinstance(w.text, SecretRef))


def with_keys(resources: Iterable[Resource], keys: Keys) -> tuple[Resource, ...]:
    """The same resources, able to tell these secrets apart."""
    return tuple(replace(r, keys=keys) if isinstance(r, File | Parameters) else r for r in resources)


def services_of(vts: desired.Vts) -> Mapping[str, Service]:
    """How each named service is restarted and asked. A service that is named nowhere here cannot be restarted."""
    return {
        name: Service(name=name, restart=service.restart or (), status=service.status or ())
        for name, service in vts.services.items()
    }

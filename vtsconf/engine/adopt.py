"""Adopts a server: reads it, and writes the document that describes it; then lets the front door judge that document."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vtsconf.core import vtsfile
from vtsconf.core.document import read_document
from vtsconf.core.document.emission import emit
from vtsconf.core.errors import Failed, Refused, Usage
from vtsconf.core.fleet import Host, assemble
from vtsconf.core.probe import FileKind, FileSeen, ReadFile, Reading
from vtsconf.core.problem import Problem, errors, suggestion
from vtsconf.core.tree import Map, at
from vtsconf.engine.outline import Outline, salvaged
from vtsconf.engine.prepare import erasing, judge
from vtsconf.engine.project import Project
from vtsconf.engine.reach import Reach
from vtsconf.resources import desired
from vtsconf.resources.adoption.draft import Adoption, Inherited, described, protected
from vtsconf.resources.adoption.files import adopt_file
from vtsconf.resources.adoption.parameters import adopt_parameters
from vtsconf.resources.lints import Subject, lint

_NAME = "adopted"  # what the document is called while it is judged


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """The YAML for host_vars, and what a person should know of it."""

    text: str
    problems: tuple[Problem, ...] = ()  # of the documents with this one among them
    left_out: int = 0


def adopt(
    outline: Outline,
    project: Project,
    reach: Reach,
    *,
    only: Collection[str] = (),
    files: Sequence[str] = (),
) -> Adopted:
    """Read the server in one round trip and describe it. Raises Unreachable, Usage, Refused and Failed."""
    _known_families(only, project)
    config_file = outline.vts.config_file
    if config_file is None and not files:
        raise Usage(
            f"{outline.name}: vts.config_file is not set, and no --file is named: there is nothing to adopt",
            remedy="let `vtsconf doctor` look for the configuration file, then set it",
        )
    if config_file in files:
        raise Usage(f"{config_file} is the shared configuration file: it is adopted by its parameters")
    server = reach(outline.target)
    try:
        paths = dict.fromkeys([*([config_file] if config_file else []), *files])
        reading = server.read([ReadFile(path) for path in paths], outline.vts.state_dir)
    finally:
        server.close()
    return described_by(outline.host, project, config_file, reading, only=only, files=files)


def _known_families(only: Collection[str], project: Project) -> None:
    for family in only:
        if family not in project.tables.families:
            hint = suggestion(family, project.tables.families)
            raise Usage(
                f"there is no family `{family}`",
                remedy=hint or f"there are: {', '.join(project.tables.families)}",
            )


def described_by(
    host: Host,
    project: Project,
    config_file: str | None,
    reading: Reading,
    *,
    only: Collection[str] = (),
    files: Sequence[str] = (),
) -> Adopted:
    """Pure: the document for what was read. What the checks refuse is left out, and said to be."""
    data = _readable(config_file, reading)
    without = _with_own(host, project, None)
    inherited = Inherited(wanted=desired.wanted(salvaged(without, project.tables), project.tables))
    refused: dict[str, str] = {}
    while True:  # each round leaves out at least one name more
        adoption = Adoption(host=host.name, tables=project.tables, inherited=inherited)
        if config_file and _config_file_of(without) != config_file:
            adoption.put(("vts", "config_file"), protected(config_file))
        if data is not None:
            adopt_parameters(adoption, data, only=only, refused=refused)
        for path in files:
            adopt_file(adoption, path, reading.files[path])
        text = emit(adoption.document(), adoption.comments, _header(host, config_file, adoption))
        problems, wrong = _judged(host, project, adoption, text, data)
        if not wrong.keys() - refused.keys():
            return Adopted(text=text, problems=tuple(problems), left_out=len(adoption.left_out))
        refused |= wrong


def _readable(config_file: str | None, reading: Reading) -> bytes | None:
    if config_file is None:
        return None
    seen = reading.files.get(config_file, FileSeen(kind=FileKind.ABSENT))
    if seen.data is None:
        raise Failed(
            f"{config_file}: {seen.kind.value.replace('_', ' ')}",
            remedy="`vtsconf doctor` looks for the configuration file; an unreadable one may need ansible_become",
        )
    if b"\0" in seen.data or (b"\r" in seen.data and b"\n" not in seen.data):
        raise Refused(
            f"{config_file} is not a text file with lines", remedy="look at the file and put it right by hand"
        )
    return seen.data


def _header(host: Host, config_file: str | None, adoption: Adoption) -> str:
    source = f" from {config_file}" if config_file else ""
    return "\n".join([f"{host.name} as it is{source}; for host_vars/{host.name}.yaml.", *described(adoption)])


def _config_file_of(host: Host) -> object:
    vts = host.variables.get("vts")
    return vts.get("config_file") if isinstance(vts, dict) else None


def _with_own(host: Host, project: Project, document: Map | None) -> Host:
    """The host with `document` in place of the `vts` of its own variables."""
    own = project.host_vars.get(host.name)
    entries = {k: v for k, v in own.entries.items() if k != "vts"} if own else {}
    places = own.key_places if own else {}
    if document is not None:
        entries |= document.entries
    place = own.place if own else host.place
    variables = {**project.host_vars, host.name: Map(entries, places, place)}
    return assemble(
        project.inventory,
        [host.name],
        group_vars=project.group_vars,
        host_vars=variables,
        extra=project.extra,
    )[0]


def _judged(
    host: Host, project: Project, adoption: Adoption, text: str, data: bytes | None
) -> tuple[list[Problem], dict[str, str]]:
    """The problems of the documents with this one among them; the parameters in it that are refused, and why."""
    tree, problems = read_document(text, _NAME)
    if not isinstance(tree, Map):
        return problems, {}
    adopted = _with_own(host, project, tree)
    problems = [*problems, *judge(adopted, project)]
    if not errors(problems):
        problems += _against(adopted, project, vtsfile.values(data or b""))
    lines = {at(tree, path).place.line: name for path, name in adoption.paths.items() if at(tree, path)}  # type: ignore[union-attr]  # asked in the same line
    wrong = {
        lines[p.place.line]: f"{p.what}: {p.remedy}" if p.remedy else p.what
        for p in errors(problems)
        if p.place and p.place.file == _NAME and p.place.line in lines
    }
    return problems, wrong


def _against(host: Host, project: Project, live: Mapping[str, str]) -> list[Problem]:
    """What the checks say of the document when they know the server too, as `plan` does."""
    vts, problems = desired.read(host, project.tables)
    if vts is None:
        return problems
    wanted = desired.wanted(vts, project.tables, host.locate)
    subject = Subject(
        vts=vts, wanted=wanted, tables=project.tables, live=live, host=host.name, locate=host.locate
    )
    return [*lint(subject), *erasing(subject, ())]

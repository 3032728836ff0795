"""`vtsconf policy render`: VTSPolicy lines, or the TACL macro that sends them, for a policy of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from vtsconf.cli import options
from vtsconf.cli.policy.parse import release_option
from vtsconf.core.errors import Usage
from vtsconf.core.fleet import Host
from vtsconf.core.outcome import Exit
from vtsconf.core.printable import printable
from vtsconf.core.problem import Level, Problem, errors, suggestion, to_json
from vtsconf.core.vtspolicy import tacl
from vtsconf.core.vtspolicy.render import Rendered, render
from vtsconf.core.vtspolicy.write import write
from vtsconf.engine.project import Project
from vtsconf.resources import desired
from vtsconf.resources.desired import Vts


@dataclass(frozen=True, kw_only=True)
class _Page:
    """The lines of one server."""

    host: str
    release: str | None
    texts: tuple[str, ...]
    problems: tuple[Problem, ...]
    is_cluster: bool = False


@click.command(
    epilog="Examples: `vtsconf policy render nightly -l vts1`, `vtsconf policy render nightly --tacl > NIGHTLY`, "
    "`vtsconf policy render nightly --release 6.03.41`."
)
@click.argument("name")
@options.project
@release_option
@click.option("--tacl", "as_macro", is_flag=True, help="The macro that sends the lines, a file for TACL.")
@options.allow_erase
@options.show
def command(
    *,
    name: str,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    release: str | None,
    as_macro: bool,
    allow_erase: tuple[str, ...],
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Write the VTSPolicy lines of the policy NAME, for the NonStop side; no server is asked.

    What a line cannot say is told or refused: then nothing is written, and the exit is 3.
    """
    from vtsconf.cli.problems import show_problems

    options.set_color(color)
    project = Project.load(inventory, extra=extra)
    pages = _pages(name, project, limit, release, allow_erase)
    texts = list(dict.fromkeys(text for page in pages for text in page.texts))
    problems = [*project.problems, *(problem for page in pages for problem in page.problems)]
    problems += tacl.faults(texts) if as_macro else []
    problems += _twice(name, pages)
    is_wrong = bool(errors(problems))
    macro = tacl.macro(texts) if as_macro and texts and not is_wrong else None
    if as_json:
        from vtsconf.cli.show import print_json

        print_json(_document(name, pages, macro, problems))
    else:
        show_problems(problems, verbose=verbose)
        if not is_wrong:
            click.echo(macro if macro is not None else "\n".join(texts), nl=macro is None)
    return Exit.INVALID if is_wrong else Exit.DONE


def _pages(
    name: str, project: Project, limit: str | None, release: str | None, allowed: Sequence[str]
) -> list[_Page]:
    """Of each server that has the policy. Raises Usage where none has it."""
    pages: list[_Page] = []
    known: set[str] = set()
    for host in project.hosts(limit):
        vts, problems = desired.read(host, project.tables)
        if vts is None:
            pages.append(
                _Page(host=host.name, release=release, texts=(), problems=(*host.problems, *problems))
            )
        elif name in vts.policies:
            pages.append(_page(name, host, vts, release, allowed))
        else:
            known |= set(vts.policies)
    if not pages:
        raise Usage(
            f"no server here has a policy `{printable(name, 60)}`",
            remedy=suggestion(name, known) or "write it under vts.policies",
        )
    return pages


def _page(name: str, host: Host, vts: Vts, release: str | None, allowed: Sequence[str]) -> _Page:
    is_cluster = desired.is_cluster(vts)
    rendered = render(name, vts, release, host.name, is_cluster=is_cluster, allowed=allowed)
    return _Page(
        host=host.name,
        release=rendered.release,
        texts=tuple(write(line) for line in rendered.lines),
        problems=(*host.problems, *_placed(rendered, host, name)),
        is_cluster=is_cluster,
    )


def _twice(name: str, pages: Sequence[_Page]) -> list[Problem]:
    """In a cluster every server sees the same vaults: one is enough."""
    members = [page.host for page in pages if page.is_cluster and page.texts]
    if len(members) < 2:
        return []
    what = f"the policy {name} is written for {len(members)} servers of a cluster: {', '.join(members[:5])}"
    return [
        Problem(
            what=what,
            why="servers that share vaults would each save the same tapes",
            remedy="name one server of each cluster: --limit HOST",
            level=Level.WARNING,
            code="cluster",
            address=f"policies/{name}",
        )
    ]


def _placed(rendered: Rendered, host: Host, name: str) -> list[Problem]:
    place = host.locate(("vts", "policies", name))
    return [replace(problem, place=place, host=host.name) for problem in rendered.problems]


def _document(
    name: str, pages: Sequence[_Page], macro: str | None, problems: Sequence[Problem]
) -> dict[str, Any]:
    return {
        "format": "vtsconf/policy-lines/1",
        "policy": name,
        "hosts": [{"host": page.host, "release": page.release, "lines": list(page.texts)} for page in pages],
        "macro": macro,
        "problems": [to_json(problem) for problem in problems],
    }

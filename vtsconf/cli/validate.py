"""`vtsconf validate`: check every document, offline, and say all that is wrong at once."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from vtsconf.cli import options
from vtsconf.cli.options import set_color
from vtsconf.cli.problems import count, gathered, show_problems, summary, to_json
from vtsconf.core.outcome import Exit
from vtsconf.core.problem import Problem, errors
from vtsconf.engine.prepare import judge
from vtsconf.engine.project import Project
from vtsconf.engine.rollout import strategies


@click.command(epilog="Examples: `vtsconf validate`, `vtsconf validate -i site/inventory.yaml --json`.")
@options.project
@options.show
def command(
    *,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Check inventory, variables, templates, tables and strategies, and say all that is wrong, with file, line and column.

    No server is asked. Exit 3 when there is an error.
    """
    set_color(color)
    project = Project.load(inventory, extra=extra)
    problems = [*project.problems, *strategies.problems(project)]
    # Without any host the documents' own problems say why; the limit would only complain once more.
    hosts = project.hosts(limit) if project.inventory.hosts else []
    for host in hosts:
        problems += judge(host, project)
    if as_json:
        click.echo(_document(problems, len(hosts)))
    else:
        show_problems(problems, verbose=verbose)
        click.echo(f"{len(hosts)} host{'' if len(hosts) == 1 else 's'}: {summary(problems)}")
    return Exit.INVALID if errors(problems) else Exit.DONE


def _document(problems: Sequence[Problem], hosts: int) -> str:
    document = {
        "format": "vtsconf/validation/1",
        "problems": [to_json(finding) for finding in gathered(problems)],
        "summary": {"hosts": hosts, **count(problems)},
    }
    return json.dumps(document, indent=2, ensure_ascii=False)

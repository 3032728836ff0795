"""`vtsconf schema`: the JSON Schemas of vars files and of strategies, for editors."""

from __future__ import annotations

import json
from typing import Any

import click

from vtsconf.core.errors import Invalid, Usage
from vtsconf.core.problem import errors


@click.command(epilog="Example: `vtsconf schema -i inventory.yaml > vts.schema.json`.")
@click.option(
    "-i",
    "--inventory",
    default=None,
    metavar="FILE",
    help="Add the site's own parameters, from parameters/ beside this inventory.",
)
@click.option("--rollout", is_flag=True, help="That of strategies, the files of rollouts/.")
def command(*, inventory: str | None, rollout: bool) -> None:
    """Print the JSON Schema (draft 2020-12) of group_vars and host_vars files, or of strategies.

    An editor completes and checks `vts:` with it: write it to a file and begin a vars file with
    `# yaml-language-server: $schema=PATH`. What is merged from several files is checked by `validate`.
    """
    from vtsconf.resources.schema import rollout_schema

    if rollout and inventory is not None:
        raise Usage("the schema of strategies is the same everywhere", remedy="leave --inventory out")
    document = rollout_schema() if rollout else _of_vars(inventory)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _of_vars(inventory: str | None) -> dict[str, Any]:
    from vtsconf.core.tablefile import read_tables
    from vtsconf.engine import share
    from vtsconf.resources.schema import schema

    if inventory is None:
        tables, problems = read_tables(share.parameter_tables(), {})
    else:
        from vtsconf.engine.project import Project

        project = Project.load(inventory)
        tables, problems = read_tables(share.parameter_tables(), project.site_tables)
    if errors(problems):
        raise Invalid(problems)
    return schema(tables)

"""`vtsconf schema`: the JSON Schema of vars files, for editors."""

from __future__ import annotations

import json

import click

from vtsconf.core.errors import Invalid
from vtsconf.core.problem import errors


@click.command(epilog="Example: `vtsconf schema -i inventory.yaml > vts.schema.json`.")
@click.option(
    "-i",
    "--inventory",
    default=None,
    metavar="FILE",
    help="Add the site's own parameters, from parameters/ beside this inventory.",
)
def command(inventory: str | None) -> None:
    """Print the JSON Schema (draft 2020-12) of group_vars and host_vars files.

    An editor completes and checks `vts:` with it: write it to a file and begin a vars file with
    `# yaml-language-server: $schema=PATH`. What is merged from several files is checked by `validate`.
    """
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
    click.echo(json.dumps(schema(tables), indent=2, ensure_ascii=False))

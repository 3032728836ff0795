"""`vtsconf version`."""

import click

from vtsconf import __version__


@click.command(epilog="Example: `vtsconf version`.")
def command() -> None:
    """Print the version."""
    click.echo(f"vtsconf {__version__}")

"""`vtsconf completion SHELL`: click's own completion scripts."""

import click
from click.shell_completion import get_completion_class


@click.command(epilog='Example: eval "$(vtsconf completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL; put it where your shell looks for them."""
    from vtsconf.cli.main import vtsconf

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(made(vtsconf, {}, "vtsconf", "_VTSCONF_COMPLETE").source())

"""How an error is told to a person: one sentence, what to do, and the exit code."""

from __future__ import annotations

import os
import traceback

import click

from vtsconf.core.errors import Invalid, VtsconfError, bug
from vtsconf.core.outcome import Exit


def explain(error: Exception) -> Exit:
    """Print the error on stderr and return its exit code."""
    if isinstance(error, Invalid):
        from vtsconf.cli.problems import show_problems

        show_problems(error.problems)
        return error.exit
    if isinstance(error, VtsconfError):
        click.echo(f"{click.style('error:', fg='red', bold=True)} {error}", err=True)
        if error.remedy:
            click.echo(f"  to do: {error.remedy}", err=True)
        return error.exit
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {name}{error.strerror or error}", err=True)
        return Exit.ERROR
    return _bug(error)


def _bug(error: Exception) -> Exit:
    """An error that nobody foresaw is our bug: say so; the traceback, which may hold values, only on demand."""
    click.echo(f"error: {bug(error)}", err=True)
    if os.environ.get("VTSCONF_TRACEBACK"):
        traceback.print_exception(error)
    else:
        click.echo("  to do: run it again with VTSCONF_TRACEBACK=1 for the traceback", err=True)
    return Exit.ERROR

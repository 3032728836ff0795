"""How an error is told: to a person on stderr, with `--json` as a document on stdout too, and by the exit code."""

from __future__ import annotations

import json
import os
import traceback
from typing import Any

import click

from vtsconf.core.errors import Invalid, VtsconfError, bug
from vtsconf.core.outcome import Exit

FORMAT = "vtsconf/error/1"
_TRACEBACK = "VTSCONF_TRACEBACK"


def explain(error: BaseException, *, as_json: bool = False) -> Exit:
    """Print the error and return its exit code."""
    ending, remedy = _exit(error), _remedy(error)
    if isinstance(error, click.ClickException):
        error.show()
    elif isinstance(error, Invalid):
        from vtsconf.cli.problems import show_problems

        show_problems(error.problems)
    elif ending is Exit.INTERRUPTED:
        click.echo("interrupted", err=True)
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {_sentence(error)}", err=True)
        if remedy:
            click.echo(f"  to do: {remedy}", err=True)
        elif not _is_foreseen(error):
            traceback.print_exception(error)
    if as_json:
        # In ASCII: a name on the command line may hold bytes that are no text.
        click.echo(json.dumps(_document(error, ending, remedy), indent=2))
    return ending


def _document(error: BaseException, ending: Exit, remedy: str) -> dict[str, Any]:
    problems: list[dict[str, Any]] = []
    if isinstance(error, Invalid):
        from vtsconf.cli.problems import gathered, to_json

        problems = [to_json(finding) for finding in gathered(error.problems)]
    return {
        "format": FORMAT,
        "exit": int(ending),
        "what": _sentence(error),
        "remedy": remedy,
        "problems": problems,
    }


def _exit(error: BaseException) -> Exit:
    match error:
        case VtsconfError():
            return error.exit
        case click.UsageError():
            return Exit.USAGE
        case click.Abort() | KeyboardInterrupt():
            return Exit.INTERRUPTED
    return Exit.ERROR


def _sentence(error: BaseException) -> str:
    match error:
        case click.exceptions.NoArgsIsHelpError():
            return "no command was given"
        case click.ClickException():
            return error.format_message()
        case click.Abort() | KeyboardInterrupt():
            return "interrupted"
        case OSError():
            name = f"{error.filename}: " if error.filename else ""
            return f"{name}{error.strerror or error}"
        case Exception() if not isinstance(error, VtsconfError):
            return bug(error)  # nobody foresaw it: our bug, and its text may hold a value
    return str(error)


def _remedy(error: BaseException) -> str:
    match error:
        case VtsconfError():
            return error.remedy
        case click.UsageError(ctx=click.Context() as context):
            return f"`{context.command_path} --help` says what it takes"
    if _is_foreseen(error) or os.environ.get(_TRACEBACK):
        return ""
    return f"run it again with {_TRACEBACK}=1 for the traceback"  # which may hold values: only on demand


def _is_foreseen(error: BaseException) -> bool:
    ours = (VtsconfError, OSError, click.ClickException, click.Abort, KeyboardInterrupt)
    return isinstance(error, ours)

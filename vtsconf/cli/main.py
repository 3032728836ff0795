"""The command line's front door: finds the command, loads only that, turns errors into sentences and exit codes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from vtsconf import __version__
from vtsconf.cli.lazy import LazyGroup
from vtsconf.core.outcome import Exit

# What `vtsconf --help` prints; a command's module is imported only when it is called.
COMMANDS: dict[str, dict[str, str]] = {
    "Write and check (offline)": {
        "init": "Write a small commented project to start from.",
        "validate": "Check every document and say all that is wrong at once.",
        "explain": "Show where each value comes from and what it overrode.",
        "inventory": "List hosts and groups, and what a limit selects.",
        "schema": "Print the JSON Schema for editors.",
        "config": "Show the project settings and which source won.",
    },
    "Look at servers (read only)": {
        "doctor": "Check one server and say what to put into the YAML.",
        "facts": "Show what a server says about itself.",
        "plan": "Show what apply would do, and save it.",
        "drift": "Exit 2 when a server is not what the documents say.",
        "adopt": "Print the YAML that describes a server as it is now.",
    },
    "Change servers": {
        "apply": "Carry out a plan: all or nothing, and back unless confirmed.",
        "confirm": "Keep an armed change, after the health checks.",
        "rollback": "Take a run back: the same plan with live and desired swapped.",
        "history": "Show who changed what, when, and how it ended.",
        "unlock": "Remove the lock of a run that died.",
    },
    "Change a fleet": {
        "rollout": "Wave by wave: canary, gates, approval, pause, resume, abort.",
    },
    "Move tapes": {
        "migrate": "To physical tape and back, by policies, proven by two witnesses.",
        "policy": "VTSPolicy lines: explain one, write those of a policy.",
    },
    "Try it": {
        "lab": "Servers to play with, on this machine, without root.",
        "completion": "Print the completion script for bash, zsh or fish.",
        "version": "Print the version.",
    },
}


@click.command(
    cls=LazyGroup,
    sections=COMMANDS,
    package="vtsconf.cli",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": None},
    epilog="Start with `vtsconf lab up` (servers to play with) or `vtsconf init` (a project of your own).",
)
@click.version_option(__version__, prog_name="vtsconf", message="%(prog)s %(version)s")
def vtsconf() -> None:
    """Declarative configuration and safe change for fleets of HPE NonStop Virtual TapeServers."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code. Never a traceback for what a person did."""
    gc.set_threshold(50_000)  # a short life: looking for garbage every 700 objects is a tenth of a small plan
    code = run(arguments)
    gc.freeze()  # the process ends: one last search through everything would be another quarter
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _run(words)
    except BrokenPipeError:
        # The reader of stdout has gone (`| head`); there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR


def _run(words: list[str]) -> int:
    try:
        result: Any = vtsconf.main(args=words, prog_name="vtsconf", standalone_mode=False)
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 anything of ours may end here: the last line of defence
        from vtsconf.cli.failure import explain

        return explain(error, as_json="--json" in words)
    return int(result) if isinstance(result, int) else Exit.DONE


if __name__ == "__main__":
    main()

"""`vtsconf migrate …`: tapes to physical tape and back."""

from __future__ import annotations

import click

from vtsconf.cli.lazy import LazyGroup

COMMANDS = {
    "Look (read only)": {
        "plan": "Show which tapes would be moved now, and why each is taken or left.",
        "status": "Show where the jobs stand.",
        "failed": "List what did not come out well, and why.",
        "report": "Write the evidence of a run as one HTML page and JSON.",
    },
    "Move": {
        "run": "Carry out what the policies call for.",
        "restore": "Bring an erased tape back.",
    },
    "Decide": {
        "retry": "Try again what ended badly.",
        "abandon": "Let a job be.",
        "cancel": "End jobs that wait or run.",
    },
}


@click.group(
    cls=LazyGroup,
    sections=COMMANDS,
    package="vtsconf.cli.migrate",
    epilog="Example: `vtsconf migrate plan -l frankfurt`.",
)
def command() -> None:
    """Move virtual tapes to physical tape and back, as the policies under `vts.policies` say.

    A tape counts as migrated when two witnesses have said so: the backup application, and its catalogue.
    """

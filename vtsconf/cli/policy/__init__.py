"""`vtsconf policy …`: the lines by which a NonStop host asks for migrations."""

from __future__ import annotations

import click

from vtsconf.cli.lazy import LazyGroup

COMMANDS = {
    "VTSPolicy lines (offline)": {
        "parse": "Explain a VTSPolicy line word by word.",
        "render": "Write the lines, or the TACL macro, for a policy.",
    },
}


@click.group(
    cls=LazyGroup,
    sections=COMMANDS,
    package="vtsconf.cli.policy",
    epilog="""Example: `vtsconf policy parse "VTSPolicy Erase - X00001 s=vts1.bank.example"`.""",
)
def command() -> None:
    """Read and write VTSPolicy lines: the requests that a NonStop host sends to a VTS server in an event."""

"""`vtsconf rollout …`: a plan over a fleet, wave by wave."""

from __future__ import annotations

import click

from vtsconf.cli.lazy import LazyGroup

COMMANDS = {
    "Carry out": {
        "start": "Carry a saved plan out, wave by wave, as a strategy says.",
        "resume": "Go on after a pause, or after the controller was killed.",
        "join": "Take servers of its waves too, from another controller.",
    },
    "Decide": {
        "pause": "Finish the servers in flight, begin nothing more.",
        "approve": "Let the next wave begin.",
        "abort": "End it; take back what was changed, or keep it.",
    },
    "Look": {
        "status": "Show where rollouts stand, and what they wait for.",
        "report": "Write the evidence: one HTML page and a JSON document.",
    },
}


@click.group(
    cls=LazyGroup,
    sections=COMMANDS,
    package="vtsconf.cli.rollout",
    epilog="Example: `vtsconf plan --out friday.json`, `vtsconf rollout start friday.json --strategy canary`.",
)
def command() -> None:
    """Change a fleet wave by wave: a canary first, gates after each wave, a budget for failures.

    Where a rollout stands is in the store: it survives its controller, and every controller with the same store can
    show, pause, approve, resume or abort it.
    """

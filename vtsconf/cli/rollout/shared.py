"""What the commands of a rollout share: finding it, its options, how it is shown when nobody is at work on it any more."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from vtsconf.cli import show
from vtsconf.core.errors import Usage
from vtsconf.core.rollout.state import Rollout

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop
    from vtsconf.engine.rollout.ledger import Ledger

run_argument = click.argument("run", required=False)
why_option = click.option(
    "--why", default="", metavar="TEXT", help="For the journal and the report: a reason, a ticket."
)
wait_option = click.option(
    "--wait/--no-wait",
    default=True,
    help="Stay while it waits for an approval or for a window to open, or leave with exit 9.  [default: stay]",
)
lines_option = click.option(
    "--lines", "as_lines", is_flag=True, help="Each event as one line of JSON, as it happens."
)


def ledger_of(shop: Shop, run: str) -> Ledger:
    from vtsconf.engine.rollout.ledger import Ledger

    return Ledger(run=run, journal=shop.journal, now=time.time)


def rollouts(shop: Shop) -> list[str]:
    """The names of all rollouts in the store, oldest first."""
    if not shop.journal.exists:
        return []
    return [event.run for event in shop.journal.beginnings() if event.body.get("command") == "rollout"]


def find(shop: Shop, wanted: str | None) -> str:
    """The rollout of that name, or that begins so; without a name the only one that has not ended. Raises Usage."""
    if wanted:
        names = [name for name in rollouts(shop) if name.startswith(wanted)]
        found = [wanted] if wanted in names else names
        what = f"{len(found) or 'no'} rollouts in the journal begin with {wanted[:80]!r}"
    else:
        known = set(rollouts(shop))
        found = [name for name in shop.journal.open_runs() if name in known] if known else []
        what = f"{len(found)} rollouts have not ended" if found else "no rollout is under way"
    if len(found) != 1:
        raise Usage(what, remedy="`vtsconf rollout status` lists them; name one")
    return found[0]


def wake(shop: Shop, ledger: Ledger) -> None:
    """Whoever leads it waits perhaps for soak time to pass: it looks into the journal now."""
    from vtsconf.engine.durable import Client
    from vtsconf.engine.rollout.lead import leg_of

    with Client(shop.settings.store) as client, contextlib.suppress(LookupError):
        client.signal(leg_of(ledger))


def say(shop: Shop, run: str | None, word: Callable[[Ledger], object], *, as_json: bool) -> int:
    """Say a word to a rollout, wake whoever leads it, and tell how it stands then."""
    ledger = ledger_of(shop, find(shop, run))
    word(ledger)
    wake(shop, ledger)
    conclude(ledger.read(), as_json=as_json)
    return 0


def form(*, as_json: bool, as_lines: bool) -> str:
    """How events are told while it goes on."""
    return "lines" if as_lines else "none" if as_json else "people"


def conclude(rollout: Rollout, *, as_json: bool, as_lines: bool = False) -> int:
    """The last words, and the exit code."""
    from vtsconf.engine.rollout import status

    now = int(time.time())
    if as_json:
        show.print_json(status.to_json(rollout, now))
    elif not as_lines:
        for line in status.sentences(rollout, now):
            click.echo(line)
    return status.exit_of(rollout)

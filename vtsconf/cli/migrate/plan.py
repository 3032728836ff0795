"""`vtsconf migrate plan`: list the tapes, ask the policies, show what would be done and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vtsconf.cli import options

if TYPE_CHECKING:
    from vtsconf.cli.migrate.writing import Writer
    from vtsconf.cli.wiring import Shop
    from vtsconf.core.migrate.judge import Judge
    from vtsconf.core.migrate.plan import MigrationPlan
    from vtsconf.core.migrate.tape import Tape
    from vtsconf.engine.migrate.planning import Question
    from vtsconf.engine.prepare import Preparation


def _rate(_context: click.Context, _parameter: click.Parameter, written: str | None) -> int:
    from vtsconf.core.duration import octets

    try:
        rate = octets((written or "0").removesuffix("/s"))
    except ValueError as error:
        raise click.BadParameter(str(error).replace("a size", "a rate")) from None
    if written and not rate:
        raise click.BadParameter("nothing is ever moved at this rate: write for example 150MB/s")
    return rate


def _at(_context: click.Context, _parameter: click.Parameter, written: str | None) -> int | None:
    from datetime import datetime

    from vtsconf.core.migrate.at import at

    try:
        return None if written is None else at(written, datetime.now().astimezone())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    epilog="Examples: `vtsconf migrate plan -l frankfurt`, `vtsconf migrate plan --at 'mon 22:00' --rate 150MB/s`, "
    "`vtsconf migrate plan --explain /VAULT01/POOL1/TAPE001`."
)
@options.project
@click.option(
    "--policy", "only", multiple=True, metavar="NAME", help="Only this policy, as if it were alone."
)
@click.option(
    "--at",
    "moment",
    metavar="TIME",
    callback=_at,
    help="As of then: an ISO time with its zone, or `mon 22:00` on this machine's clock.",
)
@click.option("--explain", metavar="CARTRIDGE", help="What every policy says of this tape: its path or name.")
@click.option(
    "--rate",
    metavar="BYTES/s",
    callback=_rate,
    help="What one tape drive is assumed to take, to estimate when it ends: 150MB/s. No default: nobody knows yours.",
)
@click.option(
    "--decisions",
    "which",
    type=click.Choice(["all", "tapes", "none"]),
    default="all",
    help="In the document: what every policy says of every tape, one decision for each tape, or none.  [default: all]",
)
@options.out
@options.parallel
@options.allow_erase
@options.show
def command(
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    only: tuple[str, ...],
    moment: int | None,
    explain: str | None,
    rate: int,
    which: str,
    out: str | None,
    parallel: int | None,
    allow_erase: tuple[str, ...],
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Show which tapes the policies would migrate, restore or erase now, and why each is taken or left.

    Tapes are listed, and nothing is changed. `--out` and `--json` write every decision as it is made, however many
    tapes there are.
    """
    from vtsconf.cli.migrate import planned
    from vtsconf.cli.migrate.writing import Writer, opened
    from vtsconf.cli.planning import prepared
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.errors import Usage
    from vtsconf.core.migrate import document
    from vtsconf.core.migrate.plan import MigrationPlan
    from vtsconf.core.outcome import Exit, worst
    from vtsconf.engine.migrate.book import Book
    from vtsconf.engine.migrate.budget import spent_of
    from vtsconf.engine.migrate.planning import Question

    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    preparation = prepared(shop, limit)
    known(only, preparation)
    now = shop.now
    then = now if moment is None else moment
    book = Book(shop.settings.store)
    servers = {ready.name: ready.vts for ready in preparation.ready}
    question = Question(
        made=now,
        now=then,
        only=only,
        allowed=allow_erase,
        rate=rate,
        proofs=book.newest,
        spent=spent_of(book, servers, then, follows=False),
        parallel=shop.settings.parallel,
    )
    explained: list[dict[str, Any]] = []
    with opened(Path(out) if out else None, to_stdout=as_json) as files:
        head = document.head(MigrationPlan(made=now, now=question.now, parts=[], rate=rate))
        writer = Writer(files, head) if files else None
        plan = _made(shop, preparation, question, _listener(writer, explain, which, explained), quiet=as_json)
        if writer:
            writer.end(plan)
    if explain and not explained and any(part.judge for part in plan.parts):
        if as_json:
            return Exit.USAGE  # the one document is out already, and has no decisions
        raise Usage(
            f"no tape that was seen is called {explain!r:.200}", remedy="write /VAULT01/POOL1/TAPE001"
        )
    if explain and not as_json:
        planned.show_decisions(sorted(explained, key=lambda row: (row["host"], row["cartridge"])))
    elif not as_json:
        planned.show(plan, verbose=verbose)
    if out and not as_json:
        click.echo(f"Saved: {out}")
    return worst(exit_of(part.outcome, part.reason) for part in plan.parts)


def exit_of(outcome: str, reason: str) -> Any:
    """A host's part in the exit code, as `plan` has it; one that was judged, with a policy that is refused: invalid."""
    from vtsconf.core.outcome import Exit

    if outcome == "judged":
        return Exit.INVALID if reason else Exit.DONE
    return {"unreachable": Exit.UNREACHABLE, "invalid": Exit.INVALID}.get(outcome, Exit.ERROR)


def known(only: tuple[str, ...], preparation: Preparation) -> None:
    """A misspelt policy must not look like one that takes nothing."""
    from vtsconf.core.errors import Usage
    from vtsconf.core.problem import suggestion

    names = {name for ready in preparation.ready for name in ready.vts.policies}
    for name in only:
        if name not in names and preparation.ready:
            raise Usage(
                f"no selected host has a policy {name!r:.80}",
                remedy=suggestion(name, names) or "vts.policies has them",
            )


def _listener(writer: Writer | None, explain: str | None, which: str, explained: list[dict[str, Any]]) -> Any:
    """Who is told of each tape: the document, or whoever asked about one; nobody where nobody asked."""
    from vtsconf.core.migrate.document import decisions

    if explain is None and (writer is None or which == "none"):
        return None
    is_path = explain is not None and explain.startswith("/")

    def listen(judge: Judge, tape: Tape, host: str) -> None:
        if explain is not None and explain != (tape.path if is_path else tape.cartridge):
            return
        rows = list(decisions(judge, tape, host, each=which != "tapes"))
        if explain is not None:
            explained.extend(rows)
        if writer:
            writer.decisions(rows)

    return listen


def _made(
    shop: Shop, preparation: Preparation, question: Question, listen: Any, *, quiet: bool
) -> MigrationPlan:
    from dataclasses import replace

    from vtsconf.cli.progress import Progress
    from vtsconf.engine.migrate.planning import plan_migrations

    with Progress("listing tapes", len(preparation.ready), quiet=quiet) as progress:
        return plan_migrations(preparation, shop.reach, replace(question, on_tape=listen), done=progress.done)

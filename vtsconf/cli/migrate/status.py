"""`vtsconf migrate status`: where the jobs stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vtsconf.cli import options

if TYPE_CHECKING:
    from vtsconf.engine.migrate.book import Book, Entry


@click.command(
    epilog="Examples: `vtsconf migrate status`, `vtsconf migrate status 3fa9 -v`, `vtsconf migrate status --json`."
)
@click.argument("job", required=False)
@options.documents
@options.show
def command(
    job: str | None,
    inventory: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Show all jobs that have not ended, and how many stand where; or one JOB (the first letters of its id)."""
    from vtsconf.cli import show
    from vtsconf.cli.migrate import working
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.migrate import progress
    from vtsconf.core.migrate.job import Status
    from vtsconf.core.migrate.words import lasting
    from vtsconf.engine.migrate.book import Book
    from vtsconf.engine.migrate.bounds import parked_of
    from vtsconf.engine.migrate.pace import seen

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    open_ = [status for status in Status if not status.is_final]
    entries = _called(book, job) if job else list(book.entries(statuses=() if verbose or as_json else open_))
    counts = book.counts()
    course = seen(book, shop.now)
    if as_json:
        working.print_jobs(entries, counts, progress=course.to_json())
        return 0
    for entry in entries:
        working.tell(entry, working.standing(entry, shop.now))
        for name, word in entry.detail.get("witnesses", {}).items() if job or verbose else ():
            click.echo(f"      {name}: {show.reason(word)}")
        if (job or verbose) and entry.detail.get("checksum"):
            click.echo(f"      checksum: {show.reason(entry.detail['checksum'])}")
        if job and entry.detail.get("said"):
            click.echo(f"      said: {show.reason(entry.detail['said'])}")
    if not course.is_over:
        click.echo(
            f"{course.jobs_done}/{course.jobs_total} jobs have ended; {progress.told(course, shop.now)}"
        )
    click.echo(", ".join(f"{n} {status}" for status, n in sorted(counts.items())) or "No jobs yet.")
    troubles = book.troubles()
    for kind, name, _, since, reason in troubles:
        if kind == "host":
            click.echo(f"! {name} is left alone, since {lasting(shop.now - since)}: {show.reason(reason)}")
    for parked in parked_of(troubles, shop.settings.failures_in_a_row):
        click.echo(f"! {parked.told(shop.now)}")
        click.echo(f"      to do: {parked.remedy}")
    return 0


def _called(book: Book, job: str) -> list[Entry]:
    """Those whose ids begin so. Raises Usage for none."""
    from vtsconf.core.errors import Usage

    found = book.get(job)
    if not found:
        raise Usage(f"no job begins with {job[:40]!r}", remedy="`vtsconf migrate status -v` lists them")
    return found

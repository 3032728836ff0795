"""`vtsconf doctor`: is everything in place to manage this server, and what does the YAML still lack?"""

from __future__ import annotations

from collections.abc import Iterator

import click

from vtsconf.cli import options
from vtsconf.core.outcome import worst
from vtsconf.engine.doctor import Examination
from vtsconf.engine.doctor.check import Check, Verdict


@click.command(
    epilog="Examples: `vtsconf doctor vts1`, `vtsconf doctor vts1 --look-in /opt/tape`, `vtsconf doctor all --json`."
)
@click.argument("hosts", nargs=-1, required=True)
@options.inventory
@options.extra
@click.option(
    "--look-in",
    "look_in",
    multiple=True,
    metavar="FOLDER",
    help="Where on the server to look for the configuration file.  [default: /usr/local/tape]",
)
@options.parallel
@options.show
def command(
    hosts: tuple[str, ...],
    inventory: str | None,
    extra: tuple[str, ...],
    look_in: tuple[str, ...],
    parallel: int | None,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Check connection, rights, programs, disk, clock, configuration file, services and backup client of servers.

    Says for each what is wrong, why it matters and what to do, and prints the YAML that the documents still lack.
    Works with unfinished documents, as long as the connection variables are in order. One connection and one
    command for each server; a small folder is made and removed again in the state directory or in /tmp.
    """
    import time

    from vtsconf.cli import show
    from vtsconf.cli.looking import look_at
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.doctor import examine, refused, to_json
    from vtsconf.engine.prepare import judge

    for folder in look_in:
        if not folder.startswith("/") or not folder.isprintable():
            raise click.BadParameter(f"`{folder!a}` is not an absolute path", param_hint="--look-in")
    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    results = look_at(
        shop,
        ":".join(hosts),
        work=lambda outline: examine(
            outline,
            [*shop.project.problems, *judge(outline.host, shop.project)],
            reach=shop.reach,
            clock=time.time,
            key=shop.fingerprints,
            look_in=look_in,
        ),
        invalid=refused,
        quiet=as_json,
    )
    if as_json:
        show.print_json(to_json(results))
    else:
        for result in results:
            for line in _lines(result, verbose):
                click.echo(line)
    return worst(result.exit for result in results)


def _lines(result: Examination, verbose: int) -> Iterator[str]:
    yield click.style(result.host, bold=True)
    for check in result.checks:
        yield from _check_lines(check, verbose)
    if result.snippet:
        yield f"  for host_vars/{result.host}.yaml:"
        yield ""
        yield from result.snippet.splitlines()
        yield ""


def _check_lines(check: Check, verbose: int) -> Iterator[str]:
    from vtsconf.cli.show import paint
    from vtsconf.core.printable import printable

    level = "" if check.verdict is Verdict.OK else f"{check.verdict}: "
    yield f"  {paint(check.verdict.symbol)} {check.name}: {level}{printable(check.what, 600)}"
    if check.why and (check.verdict is not Verdict.OK or verbose):
        yield f"      why: {printable(check.why, 600)}"
    if check.remedy:
        yield f"      to do: {printable(check.remedy, 2000)}"

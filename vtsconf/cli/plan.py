"""`vtsconf plan`: read the servers, show what apply would do, save it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click

from vtsconf.cli import options
from vtsconf.core.errors import VtsconfError


@click.command(
    epilog="Examples: `vtsconf plan`, `vtsconf plan -l frankfurt --out change.json`, "
    "`vtsconf plan --target ems -l vts1`."
)
@options.project
@options.target
@options.out
@options.parallel
@options.allow_erase
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@options.show
def command(
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    addresses: tuple[str, ...],
    out: str | None,
    parallel: int | None,
    allow_erase: tuple[str, ...],
    detailed_exitcode: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Read the servers and show what `apply` would do there. Changes nothing.

    The plan that `--out` writes is what `vtsconf apply FILE` carries out, to the letter; it refuses when a
    server was changed meanwhile.
    """
    from vtsconf.cli import show
    from vtsconf.cli.planning import make_plan, plan_exit
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core import plan as plans

    if out and not Path(out).parent.is_dir():
        raise _unwritable(Path(out), "there is no such folder")
    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    plan, _ = make_plan(shop, limit, addresses=addresses, allowed=allow_erase, quiet=as_json)
    document = plans.to_json(plan) if out or as_json else {}
    if out:
        save(Path(out), document)
    if as_json:
        show.print_json(document)
    else:
        show.show_plan(plan, verbose=verbose)
        if out:
            click.echo(f"Saved: vtsconf apply {out}")
    return plan_exit(plan, detailed=detailed_exitcode)


def save(path: Path, document: object) -> None:
    """Write it whole or not at all, readable by its owner only: it shows what the servers hold."""
    import os

    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(document, file, indent=1, ensure_ascii=False)
        draft.replace(path)
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _unwritable(path: Path, why: str) -> VtsconfError:
    return VtsconfError(
        f"the plan cannot be written to {path}: {why}", remedy="name a file that you can write with --out"
    )

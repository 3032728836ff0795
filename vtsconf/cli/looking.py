"""What `facts` and `doctor` share: look at several servers at once, whatever their documents are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vtsconf.cli.progress import Progress
from vtsconf.cli.wiring import Shop
from vtsconf.core.errors import Invalid
from vtsconf.core.fleet import Host
from vtsconf.engine.fan import fan
from vtsconf.engine.outline import Outline, outline

Result = TypeVar("Result")


def look_at(
    shop: Shop,
    limit: str | None,
    *,
    work: Callable[[Outline], Result],
    invalid: Callable[[str, Invalid], Result],
    quiet: bool = False,
) -> list[Result]:
    """`work` for every host that can be connected to, `invalid` for the others; in the inventory's order."""
    hosts = shop.project.hosts(limit)

    def one(host: Host) -> Result:
        try:
            return work(outline(host, shop.project))
        except Invalid as error:
            return invalid(host.name, error)

    results: dict[str, Result] = {}
    with Progress("reading", len(hosts), quiet=quiet) as progress:
        for host, result in fan(hosts, one, parallel=shop.settings.parallel):
            results[host.name] = result
            progress.done(host.name)
    return [results[host.name] for host in hosts]

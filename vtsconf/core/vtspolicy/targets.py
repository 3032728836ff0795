"""The tapes of a policy, each by its exact name: a line knows no globs, ages or sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from vtsconf.core.problem import Level, errors
from vtsconf.core.vtspolicy.line import Tapes
from vtsconf.core.vtspolicy.task import Task

_UNSAID = ("min_age", "max_age", "min_size", "max_size", "state", "migrated")


def tell_unsaid(task: Task) -> None:
    """A line takes every tape of the pool: it knows nothing of ages and sizes."""
    unsaid = [name for name in _UNSAID if getattr(task.policy.select, name, None) not in {None, "any"}]
    if unsaid:
        task.warn("unsaid", f"selects by {', '.join(unsaid)}, which a VTSPolicy line cannot say",
                  why="the server takes every tape that the line names",
                  remedy="`vtsconf migrate run` keeps to it")  # fmt: skip
    if task.policy.window is not None:
        task.say(Level.NOTE, "window", "has a window, which whoever sends the line has to keep")


def tapes_of(task: Task) -> Iterator[Tapes]:
    """Every pool, or every cartridge, by its exact name."""
    select = task.policy.select
    vaults = list(_vaults(task))
    whole = not select.cartridges or "*" in select.cartridges
    names = [None] if whole else [*select.cartridges]
    refuse_globs(task, "pools", select.pools or ("*",))
    refuse_globs(task, "cartridges", () if whole else select.cartridges)
    if errors(task.found):
        return
    for vault in vaults:
        for pool in select.pools:
            for name in names:
                yield Tapes(vault=vault, pool=pool, cartridge=name)


def _vaults(task: Task) -> Iterator[str]:
    known = [vault.removeprefix("/") for vault in task.vts.vaults]
    written = [vault.removeprefix("/") for vault in task.policy.select.vaults] or known
    if not written:
        task.refuse(
            "vaults", "names no vault", remedy="write select.vaults, or vts.vaults for all of the server"
        )
    for one in written:
        if not _is_glob(one):
            yield one
            continue
        fits = [vault for vault in known if fnmatchcase(vault, one)]
        if not fits:
            task.refuse("vaults", f"selects the vaults `{one[:60]}`, and vts.vaults has none like that",
                        why="a line names a vault exactly", remedy="write vts.vaults: [VAULT01, …]")  # fmt: skip
        yield from fits


def _is_glob(name: str) -> bool:
    return any(char in name for char in "*?[")


def refuse_globs(task: Task, what: str, patterns: Collection[str]) -> None:
    """An error for each that is no exact name."""
    for pattern in patterns:
        if _is_glob(pattern):
            task.refuse(what, f"selects {what} by `{pattern[:60]}`", source="8.2 Config p.77",
                        why="a VTSPolicy line names a pool or a cartridge exactly",
                        remedy=f"write the names under select.{what}")  # fmt: skip

"""Strategies by name: the site's in `rollouts/`, a file, or a built-in; and the waves that one makes of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from vtsconf.core.document import read_document
from vtsconf.core.errors import Invalid, Usage
from vtsconf.core.inventory import Inventory
from vtsconf.core.pattern import select
from vtsconf.core.plan import Plan
from vtsconf.core.problem import Place, Problem, suggestion
from vtsconf.core.rollout.strategy import Strategy
from vtsconf.core.rollout.waves import waves
from vtsconf.core.tree import place_of
from vtsconf.engine import share
from vtsconf.engine.project import Project
from vtsconf.engine.textfile import read_bytes

FOLDER = "rollouts"
_SUFFIXES = (".yaml", ".yml")


def find(wanted: str, project: Project) -> Strategy:
    """The strategy of that name, the site's before the built-in one, or that of a file.

    A word with a `/` or the ending of YAML is a file. Raises Usage when there is none, Invalid when it has errors.
    """
    if "/" in wanted or wanted.endswith(_SUFFIXES):
        return _read(Path(wanted))
    own = _own(project)
    if wanted in own:
        return _read(own[wanted])
    return _built_in(wanted, [*own, *share.strategies()])


def names(project: Project) -> list[str]:
    """All that `find` finds by name, sorted."""
    return sorted({*_own(project), *share.strategies()})


def problems(project: Project) -> list[Problem]:
    """All that is wrong with the site's strategies, also where they name no host or group of the inventory."""
    found: list[Problem] = []
    for path in _own(project).values():
        strategy, wrong = _understood(path)
        found += wrong
        if strategy is not None:
            found += _lost(strategy, project.inventory, path)
    return found


def plan_waves(plan: Plan, strategy: Strategy, project: Project) -> tuple[tuple[tuple[str, ...], ...], bool]:
    """The waves over the hosts of a plan that have work, in the inventory's order; and whether the first is a canary.

    Raises Usage when the canary is no host with work, or when a group to be kept apart is not in the inventory.
    """
    work = {host.host for host in plan.hosts if host.has_work}
    hosts = [name for name in project.inventory.hosts if name in work]
    hosts += [host.host for host in plan.hosts if host.host in work - {*hosts}]  # the inventory was cut since
    groups = _apart(strategy, project.inventory)
    canary = _canary(strategy, project.inventory, hosts) if hosts else ()
    return waves(hosts, strategy, groups, canary), bool(canary)


def _own(project: Project) -> dict[str, Path]:
    """The files of the project's strategies, by name; .yaml goes before .yml."""
    folder = project.root / FOLDER
    return {path.stem: path for suffix in reversed(_SUFFIXES) for path in sorted(folder.glob(f"*{suffix}"))}


def _read(path: Path) -> Strategy:
    strategy, wrong = _understood(path)
    if strategy is None:
        raise Invalid(wrong)
    return strategy


def _understood(path: Path) -> tuple[Strategy | None, list[Problem]]:
    from vtsconf.core.rollout.written import read  # pydantic's models cost time

    data = read_bytes(path, str(path))
    return (None, [data]) if isinstance(data, Problem) else read(data, str(path), path.stem)


def _built_in(wanted: str, known: Iterable[str]) -> Strategy:
    from vtsconf.core.rollout.written import read

    text = share.strategies().get(wanted)
    if text is None:
        there = f"There are {', '.join(sorted({*known}))}; your own are {FOLDER}/NAME.yaml"
        raise Usage(
            f"there is no strategy `{wanted[:200]}`", remedy=f"{suggestion(wanted, known)} {there}".strip()
        )
    strategy, wrong = read(text, f"{FOLDER}/{wanted}.yaml", wanted)
    if strategy is None:
        raise ValueError("; ".join(map(str, wrong)))
    return strategy


def _canary(strategy: Strategy, inventory: Inventory, hosts: Sequence[str]) -> Sequence[str]:
    """Those of `hosts` that may go first."""
    if not strategy.canary or strategy.canary_number:
        return hosts if strategy.canary else ()
    chosen = set(_selected(strategy.canary, inventory))
    canary = [host for host in hosts if host in chosen]
    if not canary:
        raise Usage(
            f"no server of the canary `{strategy.canary[:200]}` has anything to do in this plan",
            remedy=f"servers with work: {_first(hosts)}; or write `canary: 1`, the first that has work",
        )
    return canary


def _selected(pattern: str, inventory: Inventory) -> Sequence[str]:
    try:
        return select(pattern, inventory)
    except Usage as error:
        raise Usage(f"the canary `{pattern[:200]}` names no server", remedy=error.remedy) from None


def _apart(strategy: Strategy, inventory: Inventory) -> dict[str, list[str]]:
    """The groups that are kept apart, with their members."""
    listing = inventory.listing() if strategy.apart else {}
    return {name: listing[name] for glob in strategy.apart for name in _groups(glob, inventory)}


def _groups(glob: str, inventory: Inventory) -> Sequence[str]:
    named = [name for name in inventory.groups if name == glob or fnmatchcase(name, glob)]
    if not named:
        raise Usage(
            f"no group of the inventory is called `{glob[:200]}`",
            remedy=suggestion(glob.strip("*?"), inventory.groups) or "`vtsconf inventory` shows the groups",
        )
    return named


def _lost(strategy: Strategy, inventory: Inventory, path: Path) -> Iterator[Problem]:
    """What it names and the inventory does not have."""
    asked: list[tuple[tuple[str | int, ...], Callable[[], object]]] = [
        (("apart", at), partial(_groups, glob, inventory)) for at, glob in enumerate(strategy.apart)
    ]
    if strategy.canary and not strategy.canary_number:
        asked.append((("canary", "hosts"), partial(_selected, strategy.canary, inventory)))
    for at, ask in asked:
        try:
            ask()
        except Usage as error:
            yield Problem(what=str(error), remedy=error.remedy, code="strategy", place=_place(path, at))


def _place(path: Path, inner: Sequence[str | int]) -> Place:
    root, _ = read_document(path.read_bytes(), str(path))
    return place_of(root, inner) if root else Place(str(path))


def _first(hosts: Sequence[str], most: int = 5) -> str:
    return ", ".join(hosts[:most]) + (f" and {len(hosts) - most} more" if len(hosts) > most else "")

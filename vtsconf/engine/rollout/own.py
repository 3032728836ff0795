"""The commands that this controller's own documents have it run: whoever can write into the store adds none to them."""

from __future__ import annotations

from vtsconf.core.rollout.strategy import Strategy
from vtsconf.engine.project import Project
from vtsconf.engine.rollout.strategies import find, names
from vtsconf.resources import desired

Commands = frozenset[tuple[str, ...]]  # each a list of words


def health_of(name: str, project: Project) -> Commands:
    """The health checks of a host that run on the controller; none where its documents are wrong, or it is not there."""
    host = project.host(name)
    vts = desired.read(host, project.tables)[0] if host else None
    return (
        frozenset(health.run for health in vts.health.values() if health.on == "controller")
        if vts
        else frozenset()
    )


def checks_of(strategy: Strategy) -> Commands:
    """The checks of a strategy that run on the controller."""
    checks = strategy.gates.checks if strategy.gates else ()
    return frozenset(check.argv for check in checks if check.on != "server")


def checks_named(name: str, project: Project) -> Commands:
    """The same, of the project's or built-in strategy of that name, and of no other file. Raises Invalid."""
    return checks_of(find(name, project)) if name in names(project) else frozenset()

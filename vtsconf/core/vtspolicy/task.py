"""A policy that is to be written as VTSPolicy lines, and what is found on the way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from vtsconf.core.problem import Level, Problem


class Select(Protocol):
    """Which tapes: resources/policies.py."""

    @property
    def vaults(self) -> tuple[str, ...]: ...
    @property
    def pools(self) -> tuple[str, ...]: ...
    @property
    def cartridges(self) -> tuple[str, ...]: ...


class Policy(Protocol):
    """What shall happen to them: resources/policies.py."""

    @property
    def action(self) -> str: ...
    @property
    def bma(self) -> str | None: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def select(self) -> Select: ...
    @property
    def window(self) -> Any: ...


class Vts(Protocol):
    """The desired state of one server: resources/desired.py."""

    @property
    def release(self) -> str | None: ...
    @property
    def vaults(self) -> tuple[str, ...]: ...
    @property
    def policies(self) -> Mapping[str, Policy]: ...
    @property
    def allow_erase(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """One policy to be written, and what is found on the way."""

    name: str
    policy: Policy
    vts: Vts
    release: str | None
    host: str
    is_cluster: bool
    allowed: Collection[str]
    found: list[Problem] = field(default_factory=list)

    def say(self, level: Level, code: str, what: str, **more: str) -> None:
        """`what` begins with a verb; `more`: why, remedy, source."""
        where = {"what": f"the policy {self.name} {what}", "address": f"policies/{self.name}"}
        self.found.append(Problem(level=level, code=code, place=None, **where, **more))

    def refuse(self, code: str, what: str, **more: str) -> None:
        """There will be no lines."""
        self.say(Level.ERROR, code, what, **more)

    def warn(self, code: str, what: str, **more: str) -> None:
        """There will be, and they are less than the policy."""
        self.say(Level.WARNING, code, what, **more)

"""The difference between a server and what it should be, as small ordered values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Keyed by address without the host ("ems/ems_enable", "files//etc/motd"). A value is plain JSON data or
# a Secret; an address that is absent is not there (live) or must not be there (desired).
State = Mapping[str, Any]


class Action(StrEnum):
    """What happens to an address."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"

    @property
    def symbol(self) -> str:
        return {"create": "+", "update": "~", "delete": "-"}[self.value]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One address that differs. `live` and `desired` are None where there is nothing on that side.

    With `secret` they are keyed fingerprints, never values.
    """

    address: str
    action: Action
    live: Any = None
    desired: Any = None
    secret: bool = False

    @property
    def reversed(self) -> Change:
        """The change that takes this one back."""
        back = {Action.CREATE: Action.DELETE, Action.DELETE: Action.CREATE}.get(self.action, self.action)
        return Change(
            address=self.address, action=back, live=self.desired, desired=self.live, secret=self.secret
        )

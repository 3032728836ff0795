"""What runs of ours left on a server: the answer to "did anybody touch this since?"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vtsconf.core import vtsfile
from vtsconf.core.change import Change
from vtsconf.core.plan import HostPlan
from vtsconf.core.secret import FingerprintKey
from vtsconf.core.step import FileState, PutFile


@dataclass(frozen=True, kw_only=True)
class Past:
    """One host's part in one run. `confirmed`: the journal knows that the server kept it."""

    run: str
    plan: HostPlan
    confirmed: bool = True

    def put(self, path: str) -> FileState | None:
        """How this run left the file at `path`; None when it did not write it."""
        puts = (step for step in self.plan.steps if isinstance(step, PutFile) and step.path == path)
        return next((step.after for step in puts), None)

    def change(self, address: str) -> Change | None:
        return next((change for change in self.plan.changes if change.address == address), None)


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a run left at an address. `exact`: it wrote that address; else it wrote only the file around it."""

    run: str
    value: Any
    same: bool  # as what is there now
    exact: bool = True
    confirmed: bool = True


def left(
    pasts: Iterable[Past], address: str, live: Any, *, name: str = "", path: str = "", key: FingerprintKey
) -> Left | None:
    """What the last run that is known to have touched this address left there; None when none is.

    `pasts` come newest first. `name`: of a parameter in the file at `path`. A run whose end nobody knows counts
    only where it explains exactly what is there now.
    """
    for past in pasts:
        found = _exact(past, address, path) or _around(past, name, path)
        if found is None:
            continue
        value, exact = found
        same = _same(live, value, key)
        if same or past.confirmed:
            return Left(run=past.run, value=value, same=same, exact=exact, confirmed=past.confirmed)
    return None


def _exact(past: Past, address: str, path: str) -> tuple[Any, bool] | None:
    change = past.change(address)
    if change is None:
        return None
    state = past.put(path)
    if not isinstance(change.desired, Mapping) or state is None:
        return change.desired, True
    dress = {"owner": state.owner, "group": state.group, "mode": state.mode}
    return {**{key: value for key, value in dress.items() if value}, **change.desired}, True


def _around(past: Past, name: str, path: str) -> tuple[Any, bool] | None:
    """The parameter's value in the whole file as that run left it; a value with a secret in it tells nothing."""
    state = past.put(path) if name else None
    if state is None or state.content is None:
        return None
    value = vtsfile.values(state.content.redacted()).get(name)
    if state.content.secrets and (value is None or "‹" in value):
        return None
    return value, False


def _same(live: Any, value: Any, key: FingerprintKey) -> bool:
    """Mappings are compared by what is looked at today; a fingerprint also with the value it was made from."""
    if live == value:
        return True
    if isinstance(live, Mapping) and isinstance(value, Mapping):
        known = (name in value and _same(inner, value[name], key) for name, inner in live.items())
        return bool(live) and all(known)  # nothing is not the same as something
    if isinstance(live, str) and live.startswith("keyed:") and isinstance(value, str):
        return live in (key.fingerprint(value.encode()), key.fingerprint(repr(value).encode()))
    return False

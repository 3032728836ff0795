"""How two states differ, and how to show that. The only module that knows deepdiff."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from vtsconf.core.change import Action, Change, State
from vtsconf.core.resource import Keys
from vtsconf.core.secret import Secret

_CONTEXT = 2  # lines around a difference


def changes(live: State, desired: State, keys: Keys) -> tuple[Change, ...]:
    """What must happen for `live` to become `desired`, by address. Secrets become keyed fingerprints."""
    return tuple(
        _change(address, live.get(address), desired.get(address), keys)
        for address in sorted({*live, *desired})
        if address not in live or address not in desired or live[address] != desired[address]
    )


def _change(address: str, live: Any, desired: Any, keys: Keys) -> Change:
    action = Action.CREATE if live is None else Action.DELETE if desired is None else Action.UPDATE
    shown_live, shown_desired = _shown(live, desired, keys), _shown(desired, live, keys)
    secret = _has_secret(live) or _has_secret(desired)
    return Change(address=address, action=action, live=shown_live, desired=shown_desired, secret=secret)


def _shown(value: Any, other: Any, keys: Keys) -> Any:
    """`value` with a fingerprint wherever it, or `other` in the same place, is a secret."""
    match value:
        case Secret():
            return keys.fingerprints.fingerprint(value.reveal())
        case None:
            return None
        case _ if isinstance(other, Secret):
            return keys.fingerprints.fingerprint(repr(value).encode())
        case Mapping():
            others = other if isinstance(other, Mapping) else {}
            return {key: _shown(inner, others.get(key), keys) for key, inner in value.items()}
    return value


def _has_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_secret(inner) for inner in value.values())
    return isinstance(value, Secret)


def detail(change: Change) -> tuple[str, ...]:
    """The lines that show a person what differs: `- old`, `+ new`, `@@` hunks for text of several lines."""
    if isinstance(change.live, Mapping) or isinstance(change.desired, Mapping):
        return tuple(_mapping_lines(change.live or {}, change.desired or {}))
    return tuple(_value_lines("", change.live, change.desired))


def _mapping_lines(live: Mapping[str, Any], desired: Mapping[str, Any]) -> Iterator[str]:
    for key in _differing(live, desired):
        yield from _value_lines(f"{key}: ", live.get(key), desired.get(key))


def _differing(live: Mapping[str, Any], desired: Mapping[str, Any]) -> list[str]:
    """The keys whose values differ, in the order of `desired`."""
    if not (live and desired):
        return [*desired, *live]
    from deepdiff import DeepDiff

    # Threshold 0: mappings that have little in common are still compared key by key.
    delta = DeepDiff(dict(live), dict(desired), view="tree", threshold_to_diff_deeper=0)
    touched = {level.path(output_format="list")[0] for levels in delta.values() for level in levels}
    return [key for key in dict.fromkeys((*desired, *live)) if key in touched]


def _value_lines(label: str, live: Any, desired: Any) -> Iterator[str]:
    if isinstance(live, str) and isinstance(desired, str) and ("\n" in live or "\n" in desired):
        yield from _hunks(label, live, desired)
        return
    if live is not None:
        yield from _side("-", label, live)
    if desired is not None:
        yield from _side("+", label, desired)


def _side(sign: str, label: str, value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else repr(value)
    if "\n" not in text:
        yield f"{sign} {label}{text}"
        return
    yield f"{sign} {label.rstrip()}"
    yield from (f"{sign}   {line}".rstrip() for line in text.splitlines())


def _hunks(label: str, live: str, desired: str) -> Iterator[str]:
    old, new = live.split("\n"), desired.split("\n")
    if label:
        yield f"~ {label.rstrip()}"
    lines = difflib.unified_diff(old, new, n=_CONTEXT, lineterm="")
    yield from list(lines)[2:]  # without the two names

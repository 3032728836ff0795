"""Which hosts a limit selects, in Ansible's words: `group`, `host`, globs, `!x`, `a:&b`, `vts[1:3]`, `~regex`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from vtsconf.core.errors import Usage
from vtsconf.core.inventory import Inventory
from vtsconf.core.problem import suggestion

# A subscript counts from 0, its end is included, and -1 is the last: all as in Ansible.
_SUBSCRIPT = re.compile(r"(.+)\[(?:(-?[0-9]{1,6})|([0-9]{1,6})[:-]([0-9]{0,6}))\]")
_TERMS = re.compile(r"(?:[^,:\[\]]|\[[^\]]*\])+")


def select(pattern: str | None, inventory: Inventory) -> tuple[str, ...]:
    """The hosts that a limit selects, in the inventory's order; all of them for None.

    Raises Usage when a part of it names nothing, or when nothing is left: a misspelt `!prod` must not
    take in what it was to keep out.
    """
    if pattern is None:
        return tuple(inventory.hosts)
    wanted, required, excluded = _sorted_terms(pattern)
    if not wanted and not required and not excluded:
        raise Usage("the limit is empty", remedy="name a host or a group, or leave --limit out")
    chosen = set(inventory.hosts) if not wanted else set[str]()
    for term in wanted:
        chosen |= _matched(term, inventory)
    for term in required:
        chosen &= _matched(term, inventory)
    for term in excluded:
        chosen -= _matched(term, inventory)
    if not chosen:
        raise Usage(
            f"the limit `{pattern[:200]}` leaves no host", remedy="`vtsconf inventory` shows hosts and groups"
        )
    return tuple(name for name in inventory.hosts if name in chosen)


def _sorted_terms(pattern: str) -> tuple[list[str], list[str], list[str]]:
    """The terms to add, to require (`&`) and to exclude (`!`), which is also the order they count in."""
    terms = [term.strip() for term in _split(pattern) if term.strip()]
    return (
        [t for t in terms if t[0] not in "&!"],
        [t[1:].strip() for t in terms if t[0] == "&"],
        [t[1:].strip() for t in terms if t[0] == "!"],
    )


def _split(pattern: str) -> Iterable[str]:
    """At commas; without any, at colons outside brackets."""
    if "," in pattern:
        return pattern.split(",")
    if pattern.lstrip("!&").startswith("~"):
        return [pattern]
    return _TERMS.findall(pattern)


def _matched(term: str, inventory: Inventory) -> set[str]:
    """Hosts that one term names. Raises Usage when it names neither a host nor a group."""
    if term.startswith("~"):
        return _named(_by_regex(term[1:]), term, inventory)
    if term in inventory.groups or term in inventory.hosts:
        return _named(lambda name: name == term, term, inventory)
    if match := _SUBSCRIPT.fullmatch(term):
        return _subscripted(match, term, inventory)
    return _named(lambda name: fnmatchcase(name, term), term, inventory)


def _named(fits: Callable[[str], bool], term: str, inventory: Inventory) -> set[str]:
    groups = [name for name in inventory.groups if fits(name)]
    hosts = {name for name in inventory.hosts if fits(name)}
    if not groups and not hosts:
        known = [*inventory.groups, *inventory.hosts]
        raise Usage(
            f"the limit's `{term[:200]}` is neither a host nor a group",
            remedy=suggestion(term, known) or "`vtsconf inventory` shows hosts and groups",
        )
    return hosts.union(*(inventory.members(group) for group in groups))


def _by_regex(source: str) -> Callable[[str], bool]:
    try:
        regex = re.compile(source)
    except re.error as error:
        raise Usage(f"the limit's `~{source[:200]}` is not a regular expression: {error}") from None
    return lambda name: regex.match(name) is not None


def _subscripted(match: re.Match[str], term: str, inventory: Inventory) -> set[str]:
    base, index, first, last = match.groups()
    among = _matched(base, inventory)
    hosts = [name for name in inventory.hosts if name in among]
    if index is not None:
        at = int(index)
        chosen = hosts[at : at + 1 or None] if -len(hosts) <= at < len(hosts) else []
    else:
        chosen = hosts[int(first) : int(last) + 1 if last else None]
    if not chosen:
        raise Usage(
            f"the limit's `{term[:200]}` selects nothing: `{base}` has {len(hosts)} hosts",
            remedy="positions count from 0",
        )
    return set(chosen)

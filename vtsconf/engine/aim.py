"""What the command line names: `--target` an address as a plan or the document spells it, `--allow-erase` a risk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vtsconf.core.errors import Usage
from vtsconf.core.printable import printable
from vtsconf.core.problem import Level, Problem, suggestion
from vtsconf.engine.prepare import Preparation, Ready
from vtsconf.resources.commands import Command
from vtsconf.resources.files import File
from vtsconf.resources.lints.erase import allowable


def aimed(preparation: Preparation, words: Sequence[str]) -> Preparation:
    """Only the hosts at which these words aim; () leaves all. Raises Usage for a word that names nothing on any.

    Where a host's documents are wrong, nobody knows what is on it: then a word that names nothing elsewhere may be
    meant for that host, which stops the run in any case.
    """
    if not words:
        return preparation
    known = {ready.name: dict(_spellings(ready)) for ready in preparation.ready}
    others = [host.host for host in preparation.invalid]
    hosts = [*known, *others]
    for word in words:
        named = any(_named(word, host, spelled) for host, spelled in known.items())
        if not named and not any(_may_mean(host, [word], hosts) for host in others):
            raise _nothing(word, known)
    return replace(
        preparation,
        ready=tuple(ready for ready in preparation.ready if addresses_of(ready, words)),
        invalid=tuple(host for host in preparation.invalid if _may_mean(host.host, words, hosts)),
    )


def noted(preparation: Preparation, allowed: Sequence[str]) -> Preparation:
    """With a warning for every `--allow-erase` that is nothing on any of the hosts; none where one cannot be judged."""
    if not allowed or preparation.invalid:
        return preparation
    known = {name for ready in preparation.ready for name in allowable(ready.subject())}
    idle = [_idle(name, known) for name in dict.fromkeys(allowed) if name not in known]
    return replace(
        preparation,
        ready=tuple(
            replace(
                ready, problems=(*ready.problems, *(replace(problem, host=ready.name) for problem in idle))
            )
            for ready in preparation.ready
        ),
    )


def _idle(name: str, known: set[str]) -> Problem:
    return Problem(
        what=f"--allow-erase names {printable(name, 80)!r}, which is nothing on the selected hosts",
        why="a misspelt allowance allows nothing",
        remedy=suggestion(name, known) or "leave it out",
        level=Level.WARNING,
        code="erase-allowed",
    )


def addresses_of(ready: Ready, words: Sequence[str]) -> frozenset[str]:
    """The addresses on one host that the words name, each with all that is below it."""
    spelled = dict(_spellings(ready))
    return frozenset(address for word in words for address in _named(word, ready.name, spelled))


def _spellings(ready: Ready) -> Iterator[tuple[str, str]]:
    """Every way to write an address of this host, with the address: `ems/keep_alive` is `ems/ems_keep_alive`."""
    for wanted in ready.wanted.values():
        yield wanted.address, wanted.address
        yield "/".join(str(step) for step in wanted.path[1:]), wanted.address
    for resource in ready.resources:
        match resource:
            case File():
                yield resource.address, resource.address
                if resource.kind != "files":
                    yield f"bma/{resource.address}", resource.address
            case Command():
                yield resource.address, resource.address


def _named(word: str, host: str, spelled: dict[str, str]) -> list[str]:
    ways = [word, word.removeprefix(f"{host}/")]
    ways = [way.removeprefix("vts/").rstrip("/") for way in ways]
    if word.rstrip("/") == host:
        return list(spelled.values())
    return [
        address
        for spelling, address in spelled.items()
        if any(way and (spelling == way or spelling.startswith(f"{way}/")) for way in ways)
    ]


def _may_mean(host: str, words: Sequence[str], hosts: Sequence[str]) -> bool:
    """A word that begins with the name of another host does not mean this one."""
    heads = [head for word in words if (head := word.partition("/")[0])]
    return any(head == host or head not in hosts for head in heads)


def _nothing(word: str, known: dict[str, dict[str, str]]) -> Usage:
    _, _, rest = word.partition("/")
    names = {below for spelled in known.values() for spelling in spelled for below in _prefixes(spelling)}
    with_host = [f"{host}/{rest}" for host, spelled in known.items() if _named(rest, host, spelled)]
    beginnings = sorted({name.partition("/")[0] for name in names})
    hint = suggestion(word, [*with_host, *sorted(names), *known])
    return Usage(
        f"--target {printable(word, 80)!r} names nothing that is managed on the selected hosts",
        remedy=hint or f"there is: {', '.join(beginnings[:12]) or 'nothing at all'}",
    )


def _prefixes(spelling: str) -> Iterator[str]:
    """`ems`, then `ems/keep_alive`; a path on the server is not cut."""
    head, _, _ = spelling.partition("/")
    yield head
    yield spelling

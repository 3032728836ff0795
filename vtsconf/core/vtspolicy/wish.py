"""What a line asks the executor to do: a wish of which jobs are made, or the reasons why none are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from vtsconf.core.vtspolicy.facts import VERBS, Form
from vtsconf.core.vtspolicy.keywords import starts_at
from vtsconf.core.vtspolicy.line import Line
from vtsconf.core.vtspolicy.words import meant

Action = Literal["migrate", "restore", "erase", "none"]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a part of a wish is as it is."""

    part: str  # a member of the wish: action, bma, tapes, host, options, left
    says: str


@dataclass(frozen=True, kw_only=True)
class Wish:
    """`vault`, `pool` and `cartridge` say which tapes to migrate or restore; `names` those to erase, of any pool unless
    one is named.

    `cartridge` None: the whole pool; for a restore `vault` and `pool` may be "": the name is unique over all pools.
    `bma` "": whoever makes jobs of it has to say. `host` "": the server that got the line. `left`: words that nobody
    acts on. Action "none": `reasons` say why.
    """

    action: Action
    vault: str = ""
    pool: str = ""
    cartridge: str | None = None
    names: tuple[str, ...] = ()
    bma: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    host: str = ""
    left: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def why(self) -> str:
        """Why this action, in one sentence or several."""
        return "; ".join(one.says for one in self.reasons if one.part == "action")

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"names": list(self.names), "left": list(self.left), "reasons": self._reasons()}

    def _reasons(self) -> list[dict[str, str]]:
        return [vars(one) for one in self.reasons]


def wishes(line: Line) -> Wish:
    """What the executor is to do for a line. Half of a request is never taken for the whole."""
    against = tuple(Reason(part="action", says=says) for says in _against(line))
    if against:
        return Wish(action="none", host=_host(line), left=line.unknown, reasons=(*against, *_left(line)))
    if line.verb == "Erase":
        return _erase(line)
    return _migrate(line)


def is_for(wish: Wish, own: Iterable[str]) -> bool:
    """Whether the server with these names is to act: a line that names another one is left alone.

    A short name is the same as a fully qualified one that begins with it, unless the server has another domain by
    another of its names; an address is only itself. Case does not matter in names of hosts.
    """
    if not wish.host:
        return True
    asked, names = wish.host.casefold(), {name.casefold() for name in own if name}
    if asked in names or _is_address(asked):
        return asked in names
    names = {name for name in names if not _is_address(name)}
    full = {name for name in names if "." in name}
    short = {name for name in names - full if not any(_same(name, one) for one in full)}
    return any(_same(asked, name) for name in full | short)


def _same(one: str, other: str) -> bool:
    if "." in one and "." in other:
        return one == other
    return one.partition(".")[0] == other.partition(".")[0]


def _is_address(name: str) -> bool:
    """Nothing but numbers and dots: `10` is no short name of 10.1.2.3. Names of hosts here have no colon."""
    return ":" in name or name.replace(".", "").isdecimal()


def _against(line: Line) -> Iterator[str]:
    """Why no job is made of it; nothing where one can be."""
    if line.verb == "Delete":
        yield "we never delete a tape: only people do, on the server"
    elif line.form is Form.OPEN:
        known = "; only VTS itself does that" if VERBS[line.verb].sure == "documented" else ""
        yield f"`{line.verb}` {VERBS[line.verb].what}{known}"
    elif line.form is Form.NAMES:
        yield from _against_erase(line)
    elif line.form is Form.PLAIN:
        yield from _against_plain(line)
    option_file = line.value("optfile")
    if line.form is not Form.OPEN and option_file and not option_file.startswith("/"):
        yield f"the option file `{option_file}` is not an absolute path, and nobody says where to look for it"


def _against_erase(line: Line) -> Iterator[str]:
    """An erase cannot be undone: every word of it must be understood."""
    if line.place != "-":
        yield f"nobody says what `{line.place}` in place of `-` means, and an erase cannot be undone"
    if line.unknown:
        yield f"nobody knows what `{' '.join(line.unknown)}` means, and an erase cannot be undone"


def _against_plain(line: Line) -> Iterator[str]:
    start = line.value("sourceTSM")
    if line.value("destination") or line.value("destinationTSM"):
        yield "it asks for a copy on another VTS system, which only VTS itself can make"
    elif line.verb != "TSM":
        return  # what asks for a backup of the others is in no manual: the line itself does
    elif start is None:
        yield "it does not ask for a TSM backup at the source: there is no st="
    elif starts_at(start) is None:
        yield f"nobody knows what st={start} means"
    elif starts_at(start) and line.value("source") and not _same(*_folded(start, line.value("source"))):
        yield f"s= names {line.value('source')} and st= names {start}: which of them runs TSM is in no manual"


def _folded(one: str, other: str | None) -> tuple[str, str]:
    return one.casefold(), (other or "").casefold()


def _host(line: Line) -> str:
    return line.value("source") or starts_at(line.value("sourceTSM") or "y") or ""


def _migrate(line: Line) -> Wish:
    tapes, verb = line.tapes, VERBS[line.verb]
    assert tapes is not None, "every line of these verbs has its tapes"
    reasons = [
        Reason(part="action", says=f"{verb.what} is asked to save tapes"),
        Reason(
            part="tapes", says=meant(tapes) + ("" if tapes.cartridge else ": every tape in it that has data")
        ),
        Reason(part="bma", says=f"`{line.verb}` is {verb.what}" + _named(verb.bma)),
        _where(line),
        *_options(line),
        *_left(line),
    ]
    return Wish(
        action="migrate",
        vault=tapes.vault,
        pool=tapes.pool,
        cartridge=tapes.cartridge,
        bma=verb.bma,
        options=_chosen(line),
        host=_host(line),
        left=line.unknown,
        reasons=tuple(reasons),
    )


def _named(bma: str) -> str:
    return f", vts.bma.{bma}" if bma else "; none of ours: the rule or the command has to name one of vts.bma"


def _where(line: Line) -> Reason:
    host = _host(line)
    says = f"{host} is named to act; any other server leaves the line alone" if host else "no server is named"
    return Reason(part="host", says=says)


def _chosen(line: Line) -> dict[str, str]:
    """The options that the line decides, under the names that a policy has for them."""
    values = {"type": line.type, "optfile": line.value("optfile"), "retention": line.value("retention")}
    return {name: value for name, value in values.items() if value}


def _options(line: Line) -> Iterator[Reason]:
    if line.type:
        yield Reason(part="options", says=f"type: the first word is {line.type}")
    elif line.verb == "TSM":
        says = (
            "no type: this form names none; 6.03.41 saves what changed since the last time [6.03.41 Ops p.83]"
        )
        yield Reason(part="options", says=says)
    for one in line.keywords:
        if one.meaning in {"optfile", "retention"}:
            unsure = "" if one.sure == "documented" else f" ({one.sure})"
            yield Reason(part="options", says=f"{one.meaning}: {one.name}={one.value}{unsure}")


def _left(line: Line) -> Iterator[Reason]:
    for text in line.unknown:
        yield Reason(part="left", says=f"`{text}` is kept and not acted on: nobody knows what it means")


def _erase(line: Line) -> Wish:
    names = tuple(dict.fromkeys(line.names))
    count = "the tape is" if len(names) == 1 else f"{len(names)} tapes are"
    reasons = (
        Reason(part="action", says=f"{count} to be erased: name and metadata stay, the data goes"),
        Reason(part="tapes", says="by name: names are unique over all vaults and pools [8.2 SIG p.21]"),
        _where(line),
    )
    return Wish(action="erase", names=names, host=_host(line), reasons=reasons)

"""The form of Erase and Delete: `- TAPE TAPE … s=HOST`, without quotes [8.2 Config p.89; 6.04.04 Ops p.44]."""

from __future__ import annotations

from collections.abc import Sequence

from vtsconf.core.vtspolicy import keywords
from vtsconf.core.vtspolicy.facts import KEYWORD, LATER, UNIQUE, Form, Verb, release_of
from vtsconf.core.vtspolicy.line import Line, Word
from vtsconf.core.vtspolicy.notes import Notes
from vtsconf.core.vtspolicy.scan import Pair, Token, items
from vtsconf.core.vtspolicy.tapes import fault

_SHOWN = "8.2 Config p.89; 6.04.04 Ops p.44"


def read_names(
    verb: Verb, tokens: Sequence[Token], quote: Token | None, release: str | None, notes: Notes
) -> Line | None:
    """Everything behind the verb. A pool in place of `-` is kept and said to be unknown: it is in no manual we know."""
    if quote is not None:
        notes.error(
            quote.column,
            "quote",
            f"`{verb.name}` takes no quotes",
            why="its words stand as they are, behind a lone `-`",
            remedy=f"write {KEYWORD} {verb.name} - TAPE TAPE",
            source=_SHOWN,
        )
        return None
    found = items(tokens, notes)
    place = found.pop(0) if found else None
    if not isinstance(place, Token) or not _is_place(place, notes):
        _without_place(verb, place, notes)
        return None
    tapes = [one for one in found if isinstance(one, Token)]
    _check(verb, place, tapes, notes)
    known, words = keywords.read(Form.NAMES, [one for one in found if isinstance(one, Pair)], notes)
    number = release_of(release)
    if known and number and number < LATER:
        notes.warn(words[0].column, "form", f"no manual that we know shows keywords of {verb.name} for {release}",
                   why="the server could take them for tapes", source="6.03.42 Ops p.69")  # fmt: skip
    words += [_place(place), *(_tape(verb, one) for one in tapes)]
    return Line(
        verb=verb.name,
        form=Form.NAMES,
        place=place.text,
        names=tuple(one.text for one in tapes),
        keywords=tuple(known),
        words=tuple(sorted(words, key=lambda word: word.column)),
    )


def _is_place(token: Token, notes: Notes) -> bool:
    if token.text == "-":
        return True
    if not token.text.startswith("/"):
        return False
    notes.warn(
        token.column,
        "place",
        f"nobody says what `{token.text[:60]}` in place of `-` means",
        why="the page that could say it is not known to us; that it limits the names to a pool is likely, no more",
        remedy="write `-` before the names",
    )
    return True


def _without_place(verb: Verb, first: Token | Pair | None, notes: Notes) -> None:
    token = first.name if isinstance(first, Pair) else first
    glued = token is not None and token.text.startswith("-")
    notes.error(
        token.column if token else len(KEYWORD) + len(verb.name) + 2,
        "place",
        f"a lone `-` is missing behind `{verb.name}`",
        why="the names of tapes stand behind a `-` with blanks around it",
        remedy="write a blank behind the `-`" if glued else f"write {KEYWORD} {verb.name} - TAPE",
        source=_SHOWN,
    )


def _check(verb: Verb, place: Token, tapes: Sequence[Token], notes: Notes) -> None:
    if not tapes:
        notes.error(
            place.column,
            "tapes",
            f"no tape is named to {verb.name.lower()}",
            remedy="add its name",
            source=_SHOWN,
        )
    seen: set[str] = set()
    for tape in tapes:
        reason = fault(tape.text) or ("it begins with `-`" if tape.text.startswith("-") else "")
        if reason:
            notes.error(tape.column, "tapes", f"`{tape.text[:60]}` is no name of a tape: {reason}",
                        why="tapes stand here without vault and pool", remedy="write the cartridge's name alone",
                        source=_SHOWN)  # fmt: skip
        elif tape.text in seen:
            notes.warn(tape.column, "twice", f"the tape `{tape.text[:60]}` is named twice")
        seen.add(tape.text)


def _place(token: Token) -> Word:
    if token.text == "-":
        says = "the names of tapes follow, without vault and pool"
        return Word(text="-", column=token.column, part="place", says=says, source=_SHOWN)
    says = "in place of `-`; what it means is in no manual that we know"
    return Word(text=token.text, column=token.column, part="place", says=says, sure="unknown")


def _tape(verb: Verb, token: Token) -> Word:
    says = f"a tape to {verb.name.lower()}; its name is unique over all vaults and pools"
    return Word(text=token.text, column=token.column, part="tape", says=says, source=f"{_SHOWN}; {UNIQUE}")

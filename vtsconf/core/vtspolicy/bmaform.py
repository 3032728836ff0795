"""The forms of TSM and the other backup applications: the backup type where there is one, the tapes, then keywords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vtsconf.core.problem import suggestion
from vtsconf.core.vtspolicy import keywords
from vtsconf.core.vtspolicy.facts import CASE, LATER, NEWEST_EARLIER, SHOWN, TYPES, Form, Verb, release_of
from vtsconf.core.vtspolicy.line import Line, Tapes, Word
from vtsconf.core.vtspolicy.notes import Notes
from vtsconf.core.vtspolicy.scan import Pair, Token, items
from vtsconf.core.vtspolicy.tapes import PATHS, tapes_of
from vtsconf.core.vtspolicy.words import meant, mystery, said, unexplained


def read_bma(
    verb: Verb, quote: Token, tokens: Sequence[Token], release: str | None, notes: Notes
) -> Line | None:
    """TSM, NBU, LEG, …: the backup type in the later form of TSM, the tapes, then keywords."""
    found = items(tokens, notes)
    rest = [one for one in found if isinstance(one, Token)]
    form, has_type = _form(verb, quote, found, release, notes)
    if form is None:
        return None
    type_ = rest.pop(0) if has_type else None
    tapes = _tapes(found[has_type:], type_ or quote, notes)
    rest = rest[1:]
    pairs = [one for one in found if isinstance(one, Pair)]
    known, words = keywords.read(form, pairs, notes)
    extra = _extra(verb, rest, notes)
    if tapes is None:
        return None
    token, value = tapes
    line = Line(
        verb=verb.name,
        form=form,
        type=type_.text if type_ else None,
        tapes=value,
        keywords=tuple(known),
        extra=tuple(one.text for one in rest),
    )
    _check(line, token, release, notes)
    typed = [said(type_, "type", _TYPE[type_.text], CASE)] if type_ else []
    words = [*typed, said(token, "tapes", meant(value), PATHS), *words, *extra]
    return replace(line, words=tuple(sorted(words, key=lambda word: word.column)))


_TYPE = {"archive": "an archive: the usual backup type", "selective": "a selective backup"}


def _form(
    verb: Verb, quote: Token, found: Sequence[Token | Pair], release: str | None, notes: Notes
) -> tuple[Form | None, bool]:
    """Which form it is, by its first word, and whether that word is a backup type."""
    first = found[0] if found else None
    number = release_of(release)
    if not isinstance(first, Token):
        at = first.name.column if first else quote.column
        notes.error(
            at, "tapes", "the line names no tapes here", remedy=_WHERE[verb.name == "TSM"], source=PATHS
        )
        return None, False
    if first.text.startswith("/") or verb.name != "TSM":
        if verb.name == "TSM" and number and number >= LATER:
            _without_type(first, release, notes)
        return Form.PLAIN, False
    if first.text not in TYPES:
        _no_type(first, notes)
        return None, False
    if number and number < LATER:
        why = (
            "6.03.41 has another one"
            if number <= NEWEST_EARLIER
            else "what it has is in no manual that we know"
        )
        notes.warn(first.column, "form", f"this is the form of {SHOWN[Form.TYPED]}", why=f"{release}: {why}")
    return Form.TYPED, True


_WHERE = {
    True: "write archive /VAULTxx/pool/cartridge, or /VAULTxx/pool for all of a pool",
    False: "write /VAULTxx/pool/cartridge, or /VAULTxx/pool for all of a pool, first",
}


def _without_type(first: Token, release: str | None, notes: Notes) -> None:
    notes.error(
        first.column,
        "C17",
        "the backup type is missing",
        why=f"from 6.04.04 on it is the first word, and required; this is the form of {SHOWN[Form.PLAIN]}",
        remedy=f"write archive before `{first.text[:60]}`, or name the release (here {release}) for which it is",
        source="6.04.04 Ops p.89",
    )


def _no_type(first: Token, notes: Notes) -> None:
    notes.error(
        first.column,
        "C17",
        f"`{first.text[:60]}` is neither a backup type nor a path",
        why="TSM knows archive and selective, and all words are case-sensitive; paths begin with /VAULT",
        remedy=suggestion(first.text[:60], TYPES) or _WHERE[True],
        source=CASE,
    )


def _tapes(found: Sequence[Token | Pair], before: Token, notes: Notes) -> tuple[Token, Tapes] | None:
    """The tapes stand before the keywords."""
    token = found[0] if found else before
    if isinstance(token, Pair) or token is before:
        at = token.name if isinstance(token, Pair) else before
        notes.error(at.column, "tapes", "the line names no tapes here", remedy=_WHERE[False], source=PATHS)
        return None
    tapes = tapes_of(token.text)
    if isinstance(tapes, str):
        upper = token.text.upper()
        hint = f"did you mean `{upper[:60]}`?" if not isinstance(tapes_of(upper), str) else _WHERE[False]
        notes.error(token.column, "tapes", f"`{token.text[:80]}`: {tapes}", remedy=hint, source=PATHS)
        return None
    return token, tapes


def _extra(verb: Verb, rest: Sequence[Token], notes: Notes) -> list[Word]:
    """Words that are no keyword=value: wrong for TSM, unknown for a BMA whose words no manual shows."""
    for token in rest:
        if verb.name == "TSM":
            notes.error(
                token.column,
                "word",
                f"`{token.text[:60]}` is no keyword=value",
                why="one line is about one tape or one pool, and keywords follow",
                remedy="write another line for other tapes",
                source="8.2 Config p.77",
            )
        else:
            unexplained(verb, token, notes)
    return [mystery(token) for token in rest]


def _check(line: Line, at: Token, release: str | None, notes: Notes) -> None:
    """What the form asks for, and is not there."""
    column = at.column + len(at.text)
    number = release_of(release)
    source = line.value("source")
    later = line.form is Form.TYPED or bool(number and number >= LATER)
    if source and later and "." not in source:
        notes.warn(
            column,
            "C19",
            f"the server `{source}` is named by its short name",
            why="from 6.04.04 the manual asks for the fully qualified name",
            remedy="write the name with its domain",
            source="6.04.04 Ops p.89; 6.03.41 Ops p.83",
        )
    if line.form is Form.PLAIN and not source:
        notes.warn(column, "source", "no s= says which VTS system is to act", source="6.03.41 Ops p.83",
                   why="this form asks for it", remedy="add s= and the name of the server")  # fmt: skip
    if line.form is Form.PLAIN and line.verb == "TSM":
        _check_deeds(line, column, notes)


def _check_deeds(line: Line, column: int, notes: Notes) -> None:
    does = [line.value(name) for name in ("destination", "sourceTSM", "destinationTSM")]
    if not any(does):
        notes.warn(column, "nothing-to-do", "neither a destination nor a TSM backup is asked for",
                   why="a destination may be left out only with sourceTSM or destinationTSM",
                   remedy="add st=y for a backup at the source", source="6.03.41 Ops p.83")  # fmt: skip

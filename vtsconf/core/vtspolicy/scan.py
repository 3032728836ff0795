"""The words of a VTSPolicy line: quotes, blanks and `=` [6.02 Inst p.51]."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vtsconf.core.vtspolicy.facts import WORDS
from vtsconf.core.vtspolicy.notes import Notes

LONGEST = (
    4096  # characters that are looked at; the documented macro's buffer holds 3000 bytes [8.2 Config p.89]
)

# The manual's sample is printed with typographic quotes: an artefact of print, and what people copy from it.
_DOUBLE, _SINGLE = "“”„‟", "‘’‚‛"
_CLOSES = {'"': '"', "'": "'"} | dict.fromkeys(_DOUBLE, _DOUBLE) | dict.fromkeys(_SINGLE, _SINGLE)
QUOTES = frozenset(_CLOSES)
_TOKEN = re.compile(r"=|[^ \t=]+")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A word, or the sign `=`, and the column where it begins."""

    text: str
    column: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """`name = value`, with or without blanks."""

    name: Token
    value: Token


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A line cut at its quotes. `quote` is None where there are none; `body` is then empty."""

    head: tuple[Token, ...]
    quote: Token | None = None
    body: tuple[Token, ...] = ()


def cut(text: str, notes: Notes) -> Parts | None:
    """Head and quoted body of one line; None, and an error, where it is hostile or its quotes do not match."""
    if _is_hostile(text, notes):
        return None
    start = _opening(text)
    head = _tokens(text[:start], 0)
    if start == len(text):
        return Parts(head=head)
    quote = Token(text=text[start], column=start + 1)
    end = closing(text)
    if end is None:
        notes.error(
            quote.column,
            "quote",
            f"the quote {quote.text} is never closed",
            why="what follows the verb is one quoted string; the line may have been cut",
            remedy="write the same quote at its end",
            source=WORDS,
        )
        return None
    body = _tokens(text[start + 1 : end], start + 1)
    return Parts(head=head, quote=quote, body=body) if _is_clean(text, end, body, quote, notes) else None


def _opening(text: str) -> int:
    return next((at for at, char in enumerate(text) if char in QUOTES), len(text))


def closing(text: str) -> int | None:
    """Where the first quoted string of a text ends; None where there is none, or it never does."""
    start = _opening(text)
    closes = _CLOSES[text[start]] if start < len(text) else ""
    return next((at for at in range(start + 1, len(text)) if text[at] in closes), None)


def _tokens(text: str, offset: int) -> tuple[Token, ...]:
    return tuple(Token(text=one[0], column=offset + one.start() + 1) for one in _TOKEN.finditer(text))


def _is_hostile(text: str, notes: Notes) -> bool:
    if len(text) > LONGEST:
        notes.error(
            LONGEST,
            "length",
            f"the line has more than {LONGEST} characters",
            why="no event can carry it: the buffer of the documented macro holds 3000 bytes",
            remedy="write several lines",
            source="8.2 Config p.89",
        )
        return True
    bad = next((at for at, char in enumerate(text) if not char.isprintable() and char != "\t"), None)
    if bad is None:
        return False
    notes.error(
        bad + 1,
        "character",
        f"the line holds the character {text[bad]!a}",
        why="a request is one line of printable text",
        remedy="take it out",
    )
    return True


def _is_clean(text: str, end: int, body: Sequence[Token], quote: Token, notes: Notes) -> bool:
    """Nothing after the closing quote, and no quote of another kind inside."""
    before = len(notes.found)
    if rest := text[end + 1 :].strip(" \t"):
        notes.error(
            text.index(rest, end + 1) + 1,
            "quote",
            f"`{rest[:60]}` stands after the closing quote",
            why="what follows the verb is one quoted string",
            remedy="put it inside the quotes, or take it out",
            source=WORDS,
        )
    for token in body:
        if at := next((at for at, char in enumerate(token.text, 1) if char in QUOTES), 0):
            notes.error(
                token.column + at - 1,
                "quote",
                f"the quote {token.text[at - 1]} stands inside the quoted string",
                why="no manual that we know says how a quote is written there",
                remedy="take it out",
            )
    if quote.text not in "'\"":
        notes.warn(
            quote.column,
            "quote",
            f"the quote {quote.text} is of the kind that is printed in books",
            why="the manual speaks of single or double quotes; its printed sample has these",
            remedy="write ' or \"",
            source=WORDS,
        )
    return all(problem.level != "error" for problem in notes.found[before:])


def items(tokens: Sequence[Token], notes: Notes) -> list[Token | Pair]:
    """Words, and pairs around each `=`: blanks around it do not matter [6.02 Inst p.51]."""
    found: list[Token | Pair] = []
    rest = list(tokens)
    while rest:
        token = rest.pop(0) if rest[0].text != "=" else None
        if token is None:
            _misplaced(rest.pop(0), notes)
        elif not rest or rest[0].text != "=":
            found.append(token)
        elif len(rest) > 1 and rest[1].text != "=":
            found.append(Pair(name=token, value=rest[1]))
            del rest[:2]
        else:
            _without_value(token, notes)
            del rest[:1]
    return found


def _misplaced(sign: Token, notes: Notes) -> None:
    notes.error(
        sign.column,
        "equals",
        "there is no keyword before this `=`",
        why="`=` stands between a keyword and its value",
        remedy="write keyword=value, or take the sign out",
        source=WORDS,
    )


def _without_value(name: Token, notes: Notes) -> None:
    notes.error(
        name.column,
        "equals",
        f"`{name.text[:60]}=` has no value",
        why="`=` stands between a keyword and its value",
        remedy=f"write {name.text[:60]}=VALUE",
        source=WORDS,
    )

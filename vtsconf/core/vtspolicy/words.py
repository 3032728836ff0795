"""Explained words that all forms share."""

from __future__ import annotations

from vtsconf.core.vtspolicy.facts import Sure, Verb
from vtsconf.core.vtspolicy.line import Tapes, Word
from vtsconf.core.vtspolicy.notes import Notes
from vtsconf.core.vtspolicy.scan import Token


def said(token: Token, part: str, says: str, source: str, sure: Sure = "documented") -> Word:
    """A word that has a meaning."""
    return Word(text=token.text, column=token.column, part=part, says=says, source=source, sure=sure)


def unexplained(verb: Verb, token: Token, notes: Notes) -> None:
    """A warning about a word that has none."""
    notes.warn(
        token.column,
        "unknown-word",
        f"nobody knows what `{token.text[:60]}` means to `{verb.name}`",
        why="the manuals that we know do not show its parameters",
        remedy="it is kept, and not acted on",
        source=verb.source,
    )


def mystery(token: Token) -> Word:
    """A word that is kept although nobody can explain it."""
    return Word(
        text=token.text,
        column=token.column,
        part="unknown",
        says="no manual page that we know says what it means",
        sure="unknown",
    )


def meant(tapes: Tapes) -> str:
    """Which tapes these are, in words."""
    where = f"pool {tapes.pool} of vault {tapes.vault}"
    return f"all of {where}" if tapes.cartridge is None else f"the cartridge {tapes.cartridge} in {where}"

"""IDR and FTX: verbs of which little more than the name is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vtsconf.core.vtspolicy import keywords
from vtsconf.core.vtspolicy.facts import Verb
from vtsconf.core.vtspolicy.line import Line, Word
from vtsconf.core.vtspolicy.notes import Notes
from vtsconf.core.vtspolicy.scan import Pair, Token, items
from vtsconf.core.vtspolicy.tapes import tapes_of
from vtsconf.core.vtspolicy.words import meant, mystery, unexplained


def read_open(verb: Verb, tokens: Sequence[Token], notes: Notes) -> Line:
    """IDR and FTX: split into words, and no further than that is known."""
    found = items(tokens, notes)
    bare = [one for one in found if isinstance(one, Token)]
    first = tapes_of(bare[0].text) if bare else ""
    tapes = None if isinstance(first, str) else first
    at = bare.pop(0) if tapes else None
    known, words = keywords.read(verb.form, [one for one in found if isinstance(one, Pair)], notes)
    for token in bare:
        unexplained(verb, token, notes)
    sure = [replace(one, sure="unknown") for one in known]
    words = [replace(one, sure="unknown") for one in words]
    if at and tapes:
        words.append(Word(text=at.text, column=at.column, part="tapes", says=meant(tapes), sure="inferred",
                          source=verb.source))  # fmt: skip
    words += [mystery(token) for token in bare]
    return Line(
        verb=verb.name,
        form=verb.form,
        tapes=tapes,
        keywords=tuple(sure),
        extra=tuple(token.text for token in bare),
        words=tuple(sorted(words, key=lambda word: word.column)),
    )

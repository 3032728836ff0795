"""Reads a VTSPolicy line of any release. Whatever it is given, it answers with a line or with problems."""

from __future__ import annotations

from dataclasses import replace

from vtsconf.core.problem import Problem, errors, suggestion
from vtsconf.core.vtspolicy.bmaform import read_bma
from vtsconf.core.vtspolicy.facts import CASE, KEYWORD, VERBS, WORDS, Form, Verb, doubt
from vtsconf.core.vtspolicy.line import Line
from vtsconf.core.vtspolicy.namesform import read_names
from vtsconf.core.vtspolicy.notes import Notes
from vtsconf.core.vtspolicy.openform import read_open
from vtsconf.core.vtspolicy.scan import Parts, Token, cut
from vtsconf.core.vtspolicy.words import said


def parse(
    text: str, release: str | None = None, *, file: str = "the line", number: int = 1
) -> Line | tuple[Problem, ...]:
    """One line; its own line end may be there. `release` ("8.3") decides between forms, and adds warnings.

    `file` and `number` are the place that problems name. Never raises: what cannot be understood is a tuple of all that
    is wrong with it, each with its column.
    """
    notes = Notes(file=file, number=number)
    line = _read(text.rstrip("\r\n"), release, notes)
    found = tuple(sorted(notes.found, key=lambda one: one.place.column if one.place else 0))
    return found if line is None or errors(found) else replace(line, problems=found)


def _read(text: str, release: str | None, notes: Notes) -> Line | None:
    parts = cut(text, notes)
    verb = _verb(parts, notes) if parts else None
    if parts is None or verb is None:
        return None
    words = (
        said(parts.head[0], "keyword", "the word by which a VTS server knows a request", WORDS),
        said(parts.head[1], "verb", verb.what, verb.source, verb.sure),
    )
    if unsure := doubt(verb, release):
        notes.warn(parts.head[1].column, "C18", f"`{verb.name}`: {unsure}", source=verb.source)
    line = _by_form(verb, parts, release, notes)
    return line and replace(line, words=(*words, *line.words))


def _verb(parts: Parts, notes: Notes) -> Verb | None:
    """The verb, behind the word VTSPolicy."""
    first, *more = parts.head or (Token(text="", column=1),)
    if first.text != KEYWORD:
        notes.error(
            first.column,
            "keyword",
            f"the line begins with `{first.text[:60]}`, not with `{KEYWORD}`"
            if first.text
            else "the line is empty",
            why="all words of a VTSPolicy line are case-sensitive",
            remedy=suggestion(first.text[:60], [KEYWORD]) or f"begin it with `{KEYWORD}`",
            source=CASE,
        )
        return None
    if not more:
        notes.error(
            first.column + len(KEYWORD),
            "verb",
            "there is no verb",
            remedy=f"write one behind `{KEYWORD}`: {', '.join(VERBS)}",
        )
        return None
    verb = VERBS.get(more[0].text)
    if verb is None:
        _unknown_verb(more[0], notes)
    return verb


def _unknown_verb(token: Token, notes: Notes) -> None:
    folded = {name.casefold(): name for name in VERBS}
    right = folded.get(token.text.casefold())
    notes.error(
        token.column,
        "case" if right else "verb",
        f"`{token.text[:60]}` is no verb of VTSPolicy",
        why="all words of a VTSPolicy line are case-sensitive"
        if right
        else "no manual that we know lists it",
        remedy=(f"did you mean `{right}`?" if right else suggestion(token.text[:60], VERBS))
        or f"there are {', '.join(VERBS)}",
        source=CASE if right else WORDS,
    )


def _by_form(verb: Verb, parts: Parts, release: str | None, notes: Notes) -> Line | None:
    behind = parts.head[2:]
    if verb.form is Form.OPEN:
        return read_open(verb, [*behind, *parts.body], notes)
    if verb.form is Form.NAMES:
        return read_names(verb, behind, parts.quote, release, notes)
    if parts.quote is None or behind:
        at = behind[0] if behind else Token(text="", column=parts.head[1].column + len(verb.name))
        notes.error(
            at.column,
            "quote",
            f"what follows `{verb.name}` is not one quoted string",
            remedy=f"write {KEYWORD} {verb.name} '…', with single or double quotes around all the rest",
            source=WORDS,
        )
        return None
    return read_bma(verb, parts.quote, parts.body, release, notes)

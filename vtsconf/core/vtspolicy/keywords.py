"""The `keyword=value` pairs of a line: what each means in its form, and what cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vtsconf.core.vtspolicy.facts import CASE, PLAIN, TYPED, Fact, Form, Sure, fact, names
from vtsconf.core.vtspolicy.line import Keyword, Word
from vtsconf.core.vtspolicy.notes import Notes
from vtsconf.core.vtspolicy.scan import Pair
from vtsconf.core.vtspolicy.tapes import is_vault

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_RETENTION = re.compile(r"[0-9]{1,5},[A-Za-z]")
_NO = ("n", "no")


def read(form: Form, pairs: Sequence[Pair], notes: Notes) -> tuple[list[Keyword], list[Word]]:
    """Every pair as a keyword, known or not, and as an explained word."""
    keywords: list[Keyword] = []
    words: list[Word] = []
    for pair in pairs:
        known = fact(form, pair.name.text)
        if known is None:
            word = _unknown(form, pair, notes)
        else:
            if form is not Form.OPEN:  # of those verbs nobody knows what would be wrong
                _check(form, pair, known, keywords, notes)
            says, sure, source = _reading(pair.value.text, known)
            word = _word(pair, "keyword", says, sure, source)
        meaning = known.meaning if known else ""
        keywords.append(Keyword(name=pair.name.text, value=pair.value.text, meaning=meaning, sure=word.sure))
        words.append(word)
    return keywords, words


def _word(pair: Pair, part: str, says: str, sure: Sure, source: str) -> Word:
    text = f"{pair.name.text}={pair.value.text}"
    return Word(text=text, column=pair.name.column, part=part, says=says, sure=sure, source=source)


def _unknown(form: Form, pair: Pair, notes: Notes) -> Word:
    name = pair.name.text
    known = {one.casefold(): one for one in names(form)}
    elsewhere = next((one for one in (*PLAIN, *TYPED) if name in one.names), None)
    if (right := known.get(name.casefold())) and form is not Form.OPEN:
        notes.error(
            pair.name.column,
            "case",
            f"the keyword `{name[:60]}` is not written like that",
            why="all words of a VTSPolicy line are case-sensitive",
            remedy=f"did you mean `{right}`?",
            source=CASE,
        )
    else:
        notes.warn(
            pair.name.column,
            "unknown-keyword",
            f"nobody knows what `{name[:60]}` means here",
            why="it is a keyword of another release's form"
            if elsewhere
            else "no manual page that we know has it",
            remedy="it is kept, and not acted on",
        )
    says = (
        f"in another release: {elsewhere.says}"
        if elsewhere
        else "no manual page that we know has this keyword"
    )
    return _word(pair, "unknown", says, "unknown", elsewhere.source if elsewhere else "")


def _twice(pair: Pair, known: Fact, notes: Notes) -> None:
    notes.error(
        pair.name.column,
        "twice",
        f"`{pair.name.text}` says `{known.meaning}` a second time",
        why="nobody says which of the two counts",
        remedy="take one out",
    )


def _check(form: Form, pair: Pair, known: Fact, before: Sequence[Keyword], notes: Notes) -> None:
    if any(one.meaning == known.meaning for one in before):
        _twice(pair, known, notes)
    value, column = pair.value.text, pair.value.column
    match known.meaning:
        case "source" | "destination" if not _HOST.fullmatch(value):
            _no_host(value, column, notes)
        case "optfile":
            _check_path(form, value, column, notes)
        case "sourceTSM" | "destinationTSM":
            _check_start(value, column, notes)
        case "retention" if not _RETENTION.fullmatch(value):
            notes.warn(
                column,
                "retention",
                f"`{value[:60]}` is not like the only sample, `14,d`",
                remedy="it is kept, and not acted on",
                source="6.02 Inst p.50",
            )


def _no_host(value: str, column: int, notes: Notes) -> None:
    notes.error(
        column,
        "host",
        f"`{value[:60]}` cannot be the name of a host",
        remedy="write the name of a VTS system: letters, digits, `.` and `-`",
    )


def _check_path(form: Form, value: str, column: int, notes: Notes) -> None:
    """An absolute path (C20; 6.02 has the sample `o=opt1`), and not a tape: what is in tapes must not steer the BMA."""
    if not value.startswith("/"):
        tell = notes.error if form is Form.TYPED else notes.warn
        tell(
            column,
            "C20",
            f"the option file `{value[:60]}` is not an absolute path",
            remedy="write it from the root",
            source="6.04.04 Ops p.89",
        )
    elif ".." in value.split("/") or is_vault(value.lstrip("/").split("/")[0]):
        notes.error(
            column,
            "optfile",
            f"the option file `{value[:60]}` is in a vault, or not in its simplest form",
            why="a vault holds nothing but pools of tapes, and what is in a tape is not ours",
            remedy="name a file outside the vaults",
            source="8.4 Config p.2",
        )


def _check_start(value: str, column: int, notes: Notes) -> None:
    """`st` and its like: `y` [6.03.41 Ops p.83], or a host as in the sample of 6.02."""
    if value != "y" and value.casefold() in {"y", "yes"}:
        notes.error(
            column,
            "case",
            f"`{value}` is not the documented word",
            why="all words of a VTSPolicy line are case-sensitive",
            remedy="did you mean `y`?",
            source="6.03.41 Ops p.83",
        )
    elif value.casefold() in _NO:
        notes.warn(
            column,
            "unknown-value",
            f"nobody says what `{value}` means here",
            why="the manual knows `y`, a sample has the name of a host",
            remedy="leave the keyword out to say no",
            source="6.03.41 Ops p.83; 6.02 Inst p.50",
        )
    elif not _HOST.fullmatch(value):
        _no_host(value, column, notes)


def starts_at(value: str) -> str | None:
    """The host that `st=HOST` names, "" for `st=y`: the source itself; None for what nobody knows."""
    if value == "y":
        return ""
    return None if value.casefold() in _NO else value


def _reading(value: str, known: Fact) -> tuple[str, Sure, str]:
    """What a known keyword says with this value, how sure that is, and its source."""
    match known.meaning, value:
        case "sourceTSM" | "destinationTSM", "y":
            return f"y: start {known.says}", known.sure, known.source
        case "sourceTSM" | "destinationTSM", _ if starts_at(value) is None:
            return f"{known.says}: what `{value}` means is in no manual", "unknown", known.source
        case "sourceTSM" | "destinationTSM", _:
            says = f"{known.says}, run by this host: so in the sample of 6.02, where 6.03.41 has y"
            return says, "inferred", "6.02 Inst p.50 (sample)"
        case "retention", _ if value.endswith(",d") and _RETENTION.fullmatch(value):
            return f"keep it for {value.partition(',')[0]} days", known.sure, known.source
        case "retention", _:
            return known.says, "unknown", known.source
    return known.says, known.sure, known.source

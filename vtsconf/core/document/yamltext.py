"""The pieces of a YAML document: the only module that knows ruamel.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from vtsconf.core.document.events import Alias, Closes, Event, Opens, Unreadable, Value, problem
from vtsconf.core.document.scalars import typed
from vtsconf.core.document.text import BAD, bad_character
from vtsconf.core.problem import Place, Problem


def yaml_events(text: str, name: str) -> Iterator[Event]:
    """The events of a text, in order. Raises Unreadable, with the place, what and why."""
    from ruamel.yaml.error import MarkedYAMLError

    try:
        yield from _translated(_told(text), name)
    except Unreadable:
        raise
    except MarkedYAMLError as error:
        raise Unreadable(_syntax(error, name)) from None
    except Exception as error:  # noqa: BLE001 - ruamel's scanner on bytes from anywhere
        raise Unreadable(problem(f"not YAML: {str(error)[:200]}", Place(name))) from None


def _told(text: str) -> Iterable[Any]:
    """By libyaml, ten times as fast; what that refuses is read again by the parser whose complaints we know."""
    from ruamel.yaml import YAML

    try:
        return list(YAML(typ="safe").parse(text))
    except Exception:  # noqa: BLE001 the second reading says what is wrong
        return cast("Iterable[Any]", YAML(typ="safe", pure=True).parse(text))


def _translated(events: Any, name: str) -> Iterator[Event]:
    from ruamel.yaml import events as told

    documents = 0
    for event in events:
        mark = event.start_mark
        place = Place(name, mark.line + 1, mark.column + 1)
        match event:
            case told.ScalarEvent():
                yield _scalar(event, place)
            case told.MappingStartEvent():
                _refuse_tag(event, place)
                yield Opens("{", place, event.anchor)
            case told.SequenceStartEvent():
                _refuse_tag(event, place)
                yield Opens("[", place, event.anchor)
            case told.MappingEndEvent() | told.SequenceEndEvent():
                yield Closes(place)
            case told.AliasEvent():
                yield Alias(event.anchor, place)
            case told.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise Unreadable(
                        problem(
                            "a second document begins here", place, remedy="one document a file: remove `---`"
                        )
                    )


def _scalar(event: Any, place: Place) -> Value:
    _refuse_tag(event, place)
    text: str = event.value
    if event.style in {"", None}:
        return Value(text, typed(text), place, event.anchor, is_plain=True)
    if event.style == '"' and (bad := BAD.search(text)):
        raise Unreadable(bad_character(bad[0], place))
    return Value(text, text, place, event.anchor)


def _refuse_tag(event: Any, place: Place) -> None:
    if event.tag in {None, "!"}:
        return
    vault = "vault" in str(event.tag)
    raise Unreadable(
        problem(
            f"the tag `{str(event.tag)[:60]}` is not allowed",
            place,
            code="tag",
            why="a document is plain data" if not vault else "ansible-vault is not read",
            remedy="remove it; quote the value to make it text"
            if not vault
            else "write secret://PROVIDER/REFERENCE and keep the value with one of env, file, cmd, keyring, sops",
        )
    )


# ruamel's sentence holds…, we say…, and what to do. The first that fits.
_SYNTAX = (
    (
        "character '\\t'",
        "a tab where only spaces may stand",
        "indent with spaces",
    ),
    (
        "mapping values are not allowed",
        "a second `: ` in one line, or a key that is indented too far",
        "quote the value, or put the key under its siblings",
    ),
    (
        "that cannot start any token",
        "a plain value cannot begin with this character",
        "put the value in quotes",
    ),
    (
        "while scanning a quoted scalar",
        "this quote is never closed",
        "close it",
    ),
    (
        "while parsing a flow sequence",
        "this `[` is not closed, or a `,` is missing in it",
        "close it with `]`, and separate the items with `,`",
    ),
    (
        "while parsing a flow mapping",
        "this `{` is not closed, or a `,` is missing in it",
        'close it with `}`; a value that begins with a template must be quoted: "{{ … }}"',
    ),
    (
        "while parsing a block mapping",
        "this line is indented neither like its siblings nor like a child",
        "line it up with the keys it belongs to",
    ),
    (
        "while parsing a block collection",
        "this line does not begin with `- ` like the list it stands in",
        "line it up with the list's items, or with the key above",
    ),
    (
        "could not find expected ':'",
        "a key without `:`",
        "write `key: value`",
    ),
    (
        "unknown escape character",
        "an unknown `\\` escape in double quotes",
        "use single quotes, or write `\\\\`",
    ),
)  # fmt: skip
_BEGINNING = ("this `[`", "this `{`", "this quote")


def _syntax(error: Any, name: str) -> Problem:
    said = f"{error.context or ''} {error.problem or ''}".strip()
    what, remedy = next(((w, r) for sign, w, r in _SYNTAX if sign in said), (f"not YAML: {said[:200]}", ""))
    # What is not closed is best shown where it was opened; ruamel notices only at the end.
    mark = error.context_mark if what.startswith(_BEGINNING) and error.context_mark else error.problem_mark
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
    return problem(what, place, why=said[:200] if not what.startswith("not YAML") else "", remedy=remedy)

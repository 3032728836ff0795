"""Reading YAML and JSON as trees of values with their places: the only module that knows ruamel.yaml.

Documents are YAML 1.2 (core schema): `yes` and `on` are text, so are dates. Tags are refused, and so is anything
that would make a short text a huge value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Leaf, Map, Node, Scalar, Seq

MAX_BYTES = 8_000_000
MAX_DEPTH = 64
MAX_NODES = 500_000  # aliases count as what they stand for

# What a text may not hold: control characters, other characters that some programs take for line ends, lone
# surrogates, and the two that core/content.py marks secrets with.
_BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000\ue001\ufeff\ufffe\uffff]"
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_OTHER_BASE = re.compile(r"0o([0-7]{1,40})|0x([0-9a-fA-F]{1,40})")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]{1,40}|(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,2})?"
)
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class _Opens:
    """A list ("[") or map ("{") begins."""

    kind: str
    place: Place
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class _Closes:
    place: Place


@dataclass(frozen=True, slots=True)
class _Value:
    """A scalar; `text` is how it was written, and what it is called when it is a key."""

    text: str
    value: Scalar
    place: Place
    anchor: str | None = None
    is_plain: bool = False  # neither quoted nor a block


@dataclass(frozen=True, slots=True)
class _Alias:
    name: str
    place: Place


_Event = _Opens | _Closes | _Value | _Alias


class _Unreadable(Exception):
    """Reading cannot go on; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def read_document(text: bytes | str, name: str) -> tuple[Node | None, list[Problem]]:
    """The tree of one YAML document; None for an empty or unreadable one. Never raises, whatever the bytes."""
    return _read(text, name, _yaml_events)


def read_json(text: bytes | str, name: str) -> tuple[Node | None, list[Problem]]:
    """The same of one JSON document."""
    return _read(text, name, _json_events)


def _read(text: bytes | str, name: str, events: Any) -> tuple[Node | None, list[Problem]]:
    builder = _Builder()
    try:
        for event in events(_decoded(text, name), name):
            builder.add(event)
    except _Unreadable as unreadable:
        return None, [*builder.problems, unreadable.problem]
    return builder.root, builder.problems


# --- text ---------------------------------------------------------------------------------------------------------


def _decoded(text: bytes | str, name: str) -> str:
    """The text, without a byte order mark; refused when it is too long, no UTF-8, or holds bad characters."""
    if len(text) > MAX_BYTES:
        raise _Unreadable(
            _problem(
                f"the document is larger than {MAX_BYTES // 1_000_000} MB",
                Place(name),
                why="reading it would take minutes",
                remedy="split it into group_vars and host_vars",
            )
        )
    if isinstance(text, bytes):
        text = _from_utf8(text, name)
    text = text.removeprefix("\ufeff")
    if bad := _BAD.search(text):
        raise _Unreadable(_bad_character(bad[0], _place_at(text, bad.start(), name)))
    return text


def _from_utf8(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        raise _Unreadable(
            _problem(
                f"byte 0x{data[error.start]:02x} is not UTF-8",
                _place_at(before, len(before), name),
                code="encoding",
                remedy="save the file as UTF-8",
            )
        ) from None


def _bad_character(character: str, place: Place) -> Problem:
    if character in "\ue000\ue001":
        why = "vtsconf uses this character to mark where a secret goes"
    else:
        why = "control characters do not belong into configuration, and some programs stop at them"
    return _problem(
        f"the character U+{ord(character):04X} is not allowed",
        place,
        code="character",
        why=why,
        remedy="remove it",
    )


def _place_at(text: str, offset: int, name: str) -> Place:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return Place(name, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _problem(what: str, place: Place, *, why: str = "", remedy: str = "", code: str = "yaml") -> Problem:
    return Problem(what=what, why=why, remedy=remedy, code=code, place=place)


# --- YAML ---------------------------------------------------------------------------------------------------------


def _yaml_events(text: str, name: str) -> Iterator[_Event]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        yield from _translated(YAML(typ="safe", pure=True).parse(text), name)
    except _Unreadable:
        raise
    except MarkedYAMLError as error:
        raise _Unreadable(_syntax(error, name)) from None
    except Exception as error:  # noqa: BLE001 - ruamel's scanner on bytes from anywhere
        raise _Unreadable(_problem(f"not YAML: {str(error)[:200]}", Place(name))) from None


def _translated(events: Any, name: str) -> Iterator[_Event]:
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
                yield _Opens("{", place, event.anchor)
            case told.SequenceStartEvent():
                _refuse_tag(event, place)
                yield _Opens("[", place, event.anchor)
            case told.MappingEndEvent() | told.SequenceEndEvent():
                yield _Closes(place)
            case told.AliasEvent():
                yield _Alias(event.anchor, place)
            case told.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise _Unreadable(
                        _problem(
                            "a second document begins here", place, remedy="one document a file: remove `---`"
                        )
                    )


def _scalar(event: Any, place: Place) -> _Value:
    _refuse_tag(event, place)
    text: str = event.value
    if event.style in {"", None}:
        return _Value(text, _typed(text), place, event.anchor, is_plain=True)
    if event.style == '"' and (bad := _BAD.search(text)):
        raise _Unreadable(_bad_character(bad[0], place))
    return _Value(text, text, place, event.anchor)


def _refuse_tag(event: Any, place: Place) -> None:
    if event.tag in {None, "!"}:
        return
    vault = "vault" in str(event.tag)
    raise _Unreadable(
        _problem(
            f"the tag `{str(event.tag)[:60]}` is not allowed",
            place,
            code="tag",
            why="a document is plain data" if not vault else "ansible-vault is not read",
            remedy="remove it; quote the value to make it text"
            if not vault
            else "write secret://PROVIDER/REFERENCE and keep the value with one of env, file, cmd, keyring, sops",
        )
    )


def _typed(text: str) -> Scalar:
    """What a plain (unquoted) scalar means. Leading zeros stay text: `0644` would lose its meaning as a number."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if match := _OTHER_BASE.fullmatch(text):
        return int(match[1], 8) if match[1] else int(match[2], 16)
    return float(text) if _FLOAT.fullmatch(text) else text


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
    return _problem(what, place, why=said[:200] if not what.startswith("not YAML") else "", remedy=remedy)


# --- JSON ---------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,\s"]+', re.DOTALL)


def _json_events(text: str, name: str) -> Iterator[_Event]:
    """Python's own reader says whether it is JSON; then the tokens alone tell the values and their places."""
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise _Unreadable(
            _problem(f"not JSON: {error.msg}", Place(name, error.lineno, error.colno), code="json")
        ) from None
    except RecursionError:
        raise _Unreadable(_too_deep(Place(name))) from None
    line, start, seen = 1, 0, 0
    for token in _TOKEN.finditer(text):
        offset = token.start()
        if (breaks := text.count("\n", seen, offset)) > 0:
            line, start = line + breaks, text.rfind("\n", seen, offset) + 1
        seen = offset
        event = _json_event(token[0], Place(name, line, offset - start + 1))
        if event:
            yield event


def _json_event(token: str, place: Place) -> _Event | None:
    match token[0]:
        case "{" | "[":
            return _Opens(token, place)
        case "}" | "]":
            return _Closes(place)
        case ":" | ",":
            return None
        case _ if token in {"NaN", "Infinity", "-Infinity"}:  # Python's reader lets them pass
            raise _Unreadable(_problem(f"`{token}` is not JSON", place, code="json"))
        case '"':
            text = json.loads(token)
            if bad := _BAD.search(text):
                raise _Unreadable(_bad_character(bad[0], place))
            return _Value(text, text, place)
        case _:
            return _Value(token, _typed(token), place)


# --- the tree -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A list or map that is not closed yet. `weight` counts its nodes, aliases as what they stand for."""

    kind: str
    place: Place
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    key_places: dict[str, Place] = field(default_factory=dict)
    key: str | None = None
    key_place: Place | None = None
    merges: bool = False  # a key is `<<`, unquoted
    weight: int = 1


class _Builder:
    """Makes the tree of events: without recursion, and bounded in depth and size."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def add(self, event: _Event) -> None:
        match event:
            case _Value():
                self._value(event)
            case _Opens():
                self._opens(event)
            case _Closes():
                self._closes()
            case _Alias():
                self._alias(event)

    def _value(self, event: _Value) -> None:
        if self._awaits_key():
            self._open[-1].merges |= event.is_plain and event.text == "<<"
            self._key(event.text, event.place)
        else:
            self._place(Leaf(event.value, event.place), 1, event.anchor)

    def _opens(self, event: _Opens) -> None:
        if self._awaits_key():
            raise _Unreadable(
                _problem(
                    f"a {'map' if event.kind == '{' else 'list'} as a key",
                    event.place,
                    why="keys are text",
                    remedy='quote it: a value that begins with a template is written "{{ … }}"',
                )
            )
        if len(self._open) >= MAX_DEPTH:
            raise _Unreadable(_too_deep(event.place))
        self._open.append(_Open(event.kind, event.place, event.anchor))

    def _closes(self) -> None:
        done = self._open.pop()
        node: Node
        if done.kind == "[":
            node = Seq(tuple(done.items), done.place)
        else:
            if done.merges:
                self._lay_under(done)
            node = Map(done.entries, done.key_places, done.place)
        self._place(node, done.weight, done.anchor)

    def _alias(self, event: _Alias) -> None:
        if self._awaits_key() or event.name not in self._anchors:
            raise _Unreadable(
                _problem(
                    f"the alias `*{event.name[:60]}` stands for nothing here",
                    event.place,
                    why="its anchor must be complete before it",
                    remedy=f"write `&{event.name[:60]}` before an earlier value, or quote it to make it text",
                )
            )
        node, weight = self._anchors[event.name]
        self._place(node, weight, None, at=event.place)

    def _awaits_key(self) -> bool:
        return bool(self._open) and self._open[-1].kind == "{" and self._open[-1].key is None

    def _key(self, text: str, place: Place) -> None:
        top = self._open[-1]
        if not text:
            self.problems.append(_problem("a key without a name", place, remedy="name it, or remove it"))
        if text in top.entries:
            first = top.key_places[text]
            self.problems.append(
                _problem(
                    f"the key `{text[:80]}` is there twice",
                    place,
                    code="duplicate-key",
                    why=f"it is already in line {first.line}; one of the two would be lost",
                    remedy="keep one",
                )
            )
        top.key, top.key_place = text, place

    def _place(self, node: Node, weight: int, anchor: str | None, at: Place | None = None) -> None:
        self._nodes += weight if at else 1
        if self._nodes > MAX_NODES:
            raise _Unreadable(
                _problem(
                    f"the document has more than {MAX_NODES} values",
                    at or node.place,
                    why="aliases count as what they stand for",
                    remedy="split it, or use fewer aliases",
                )
            )
        if anchor:
            self._anchors[anchor] = (node, weight)
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        top.weight += weight
        if top.kind == "[":
            top.items.append(node)
        elif top.key is not None and top.key_place is not None:
            top.entries[top.key] = node
            top.key_places[top.key] = top.key_place
            top.key = None

    def _lay_under(self, done: _Open) -> None:
        """`<<: *other`: the entries of other maps, where the map itself has none of that name."""
        place = done.key_places.pop("<<")
        under = done.entries.pop("<<")
        for one in under.items if isinstance(under, Seq) else (under,):
            if not isinstance(one, Map):
                self.problems.append(_problem("`<<` takes a map, or a list of maps", place))
                continue
            for key, node in one.entries.items():
                done.key_places.setdefault(key, one.key_places[key])
                done.entries.setdefault(key, node)


def _too_deep(place: Place) -> Problem:
    return _problem(f"nested deeper than {MAX_DEPTH} levels", place, remedy="flatten it")

"""The tree that grows from a document's pieces: without recursion, and bounded in depth and size."""

from __future__ import annotations

from dataclasses import dataclass, field

from vtsconf.core.document.events import Alias, Closes, Event, Opens, Unreadable, Value, problem
from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Leaf, Map, Node, Seq

MAX_DEPTH = 64
MAX_NODES = 500_000  # aliases count as what they stand for


@dataclass
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


class Builder:
    """Makes the tree of events: without recursion, and bounded in depth and size."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def add(self, event: Event) -> None:
        match event:
            case Value():
                self._value(event)
            case Opens():
                self._opens(event)
            case Closes():
                self._closes()
            case Alias():
                self._alias(event)

    def _value(self, event: Value) -> None:
        if self._awaits_key():
            self._open[-1].merges |= event.is_plain and event.text == "<<"
            self._key(event.text, event.place)
        else:
            self._place(Leaf(event.value, event.place), 1, event.anchor)

    def _opens(self, event: Opens) -> None:
        if self._awaits_key():
            raise Unreadable(
                problem(
                    f"a {'map' if event.kind == '{' else 'list'} as a key",
                    event.place,
                    why="keys are text",
                    remedy='quote it: a value that begins with a template is written "{{ … }}"',
                )
            )
        if len(self._open) >= MAX_DEPTH:
            raise Unreadable(too_deep(event.place))
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

    def _alias(self, event: Alias) -> None:
        if self._awaits_key() or event.name not in self._anchors:
            raise Unreadable(
                problem(
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
            self.problems.append(problem("a key without a name", place, remedy="name it, or remove it"))
        if text in top.entries:
            first = top.key_places[text]
            self.problems.append(
                problem(
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
            raise Unreadable(
                problem(
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
                self.problems.append(problem("`<<` takes a map, or a list of maps", place))
                continue
            for key, node in one.entries.items():
                done.key_places.setdefault(key, one.key_places[key])
                done.entries.setdefault(key, node)


def too_deep(place: Place) -> Problem:
    return problem(f"nested deeper than {MAX_DEPTH} levels", place, remedy="flatten it")

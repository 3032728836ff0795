"""A host's variables as plain data: templates in them are rendered when a value is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vtsconf.core.printable import printable
from vtsconf.core.problem import Place, Problem
from vtsconf.core.templates import TemplateError, is_template, render_value
from vtsconf.core.tree import Leaf, Map, Node, Seq

_LOST = object()  # in place of a value that could not be rendered


class Variables:
    """One host's variables; they may refer to one another, but not in a circle.

    `built_in` are names that every template sees, such as `inventory_hostname`; they win over variables.
    """

    def __init__(self, tree: Map, built_in: Mapping[str, Any]) -> None:
        self._tree = tree
        self._built_in = built_in
        self._values: dict[str, Any] = {}
        self._under_way: list[str] = []
        self._names: dict[str, Any] | None = None

    def value(self, name: str) -> tuple[Any, list[Problem]]:
        """The plain value of one variable, and all that is wrong in it.

        A part that cannot be rendered is left out, so that nobody complains about it a second time; when it is
        the whole value, that is None.
        """
        if name in self._values:
            return self._values[name], []
        problems: list[Problem] = []
        self._under_way.append(name)
        value = self._plain(self._tree.entries[name], problems.append)
        self._under_way.pop()
        if not problems:
            self._values[name] = value
        return None if value is _LOST else value, problems

    def _plain(self, node: Node, report: Callable[[Problem], None]) -> Any:
        match node:
            case Map():
                return self._mapping(node, report)
            case Seq():
                items = [self._plain(item, report) for item in node.items]
                return [item for item in items if item is not _LOST]
            case Leaf(value=str(text), place=place) if is_template(text):
                return self._rendered(text, place, report)
            case Leaf():
                return node.value

    def _mapping(self, node: Map, report: Callable[[Problem], None]) -> dict[str, Any]:
        """Keys are rendered as well: the path of a file is one."""
        entries: dict[str, Any] = {}
        for key, inner in node.entries.items():
            place = node.key_places.get(key, node.place)
            name = self._rendered(key, place, report) if is_template(key) else key
            value = self._plain(inner, report)
            if name is _LOST or value is _LOST:
                continue
            if not isinstance(name, str) or name in entries:
                report(_bad_key(key, name, place))
                continue
            entries[name] = value
        return entries

    def _rendered(self, text: str, place: Place, report: Callable[[Problem], None]) -> Any:
        try:
            return render_value(text, self._visible(), place)
        except TemplateError as error:
            report(error.problem)
            return _LOST

    def _visible(self) -> dict[str, Any]:
        """What a template sees: every variable, still to be rendered."""
        if self._names is None:
            from vtsconf.core.templates.pending import Pending

            self._names = {name: Pending(self._question(name)) for name in self._tree.entries}
            self._names.update(self._built_in)
        return self._names

    def _question(self, name: str) -> Callable[[], Any]:
        def ask() -> Any:
            if name in self._under_way:
                raise TemplateError(self._circle(name))
            value, problems = self.value(name)
            if problems:
                raise TemplateError(problems[0])
            return value

        return ask

    def _circle(self, name: str) -> Problem:
        circle = [*self._under_way[self._under_way.index(name) :], name]
        return Problem(
            what=f"variables refer to one another: {' → '.join(circle)}"[:300],
            why="none of them can be rendered before the others",
            remedy="give one of them a value of its own",
            code="template",
            place=self._tree.entries[self._under_way[-1]].place,
        )


def _bad_key(key: str, name: object, place: Place) -> Problem:
    if isinstance(name, str):
        what = f"the key `{printable(key)}` comes out as `{printable(name)}`, which is there already"
        why, remedy = "each key stands once", "give the two different names"
    else:
        what, why = f"the key `{printable(key)}` does not come out as text", "a key is text"
        remedy = "write it so that it comes out as text"
    return Problem(what=what, why=why, remedy=remedy, code="key", place=place)

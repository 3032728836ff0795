"""An inventory being read: what was found so far, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from vtsconf.core import ranges
from vtsconf.core.inventory.model import Group, Inventory, Member
from vtsconf.core.problem import Level, Place, Problem, suggestion
from vtsconf.core.tree import Leaf, Map, Node, Seq, merge_all

_GROUP_KEYS = ("hosts", "children", "vars")
_BAD_NAME = frozenset(" \t\n\r/\\,;:!&'\"`$()<>|*?{}[]")


@dataclass
class _GroupDraft:
    place: Place
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, Place] = field(default_factory=dict)
    variables: list[Map] = field(default_factory=list)


@dataclass
class _HostDraft:
    place: Place
    variables: list[Map] = field(default_factory=list)


class Draft:
    """An inventory being read: what was found so far, and what is wrong with it."""

    def __init__(self, name: str) -> None:
        self.problems: list[Problem] = []
        self._groups: dict[str, _GroupDraft] = {"all": _GroupDraft(Place(name))}
        self._hosts: dict[str, _HostDraft] = {}

    def problem(
        self, what: str, place: Place, *, why: str = "", remedy: str = "", level: Level = Level.ERROR
    ) -> None:
        self.problems.append(
            Problem(what=what, why=why, remedy=remedy, place=place, level=level, code="inventory")
        )

    def group(self, name: str, body: Node, place: Place) -> None:
        """One group of the YAML inventory, its children included."""
        if not self._named(name, "group", place):
            return
        draft = self._groups.setdefault(name, _GroupDraft(place))
        for key, value in self._entries(body, f"the group `{name}`").items():
            match key:
                case "vars":
                    self._group_variables(name, draft, value)
                case "hosts":
                    self._group_hosts(name, value)
                case "children":
                    self._children(name, draft, value)
                case _:
                    self._unknown_key(name, key, body.key_places[key] if isinstance(body, Map) else place)

    def listed_group(self, name: str, body: Node, place: Place) -> None:
        """One group of the JSON listing: a map, or (old style) a list of hosts."""
        if not self._named(name, "group", place):
            return
        draft = self._groups.setdefault(name, _GroupDraft(place))
        parts = {"hosts": body} if isinstance(body, Seq) else self._entries(body, f"the group `{name}`")
        for host, where in self._names(parts.get("hosts"), f"`hosts` of `{name}`"):
            self.host(host, None, where, group=name)
        for child, where in self._names(parts.get("children"), f"`children` of `{name}`"):
            if self._named(child, "group", where) and self._may_be_child(child, name, where):
                draft.children.setdefault(child, where)
                self._groups.setdefault(child, _GroupDraft(where))
        if variables := parts.get("vars"):
            self._group_variables(name, draft, variables)

    def host(self, pattern: str, body: Node | None, place: Place, group: str | None) -> None:
        """A host or a range of hosts, in a group or (None) in whatever groups it is."""
        pattern, port = _split_port(pattern)
        try:
            names = ranges.expand(pattern)
        except ValueError as error:
            self.problem(
                f"the host `{pattern[:80]}`: {error}", place, remedy="write vts[1:3], vts[01:10] or [a:c]"
            )
            return
        variables = (
            [Map(self._entries(body, f"the host `{pattern}`"), body.key_places, body.place)]
            if isinstance(body, Map)
            else []
        )
        if body is not None and not isinstance(body, Map):
            self._entries(body, f"the host `{pattern}`")
        if port:
            variables.insert(0, Map({"ansible_port": Leaf(port, place)}, {"ansible_port": place}, place))
        for name in names:
            if self._named(name, "host", place):
                self._hosts.setdefault(name, _HostDraft(place)).variables += variables
                if group:
                    self._groups[group].hosts[name] = None

    def _group_hosts(self, group: str, value: Node) -> None:
        if isinstance(value, Leaf) and isinstance(value.value, str):
            self.host(value.value, None, value.place, group)
            return
        if isinstance(value, Seq):
            self.problem(
                f"`hosts` of `{group}` is a list",
                value.place,
                why="an Ansible inventory writes hosts as the keys of a map",
                remedy="write `name:` a line, without the `-`",
            )
            return
        for name, body in self._entries(value, f"`hosts` of `{group}`").items():
            place = value.key_places[name] if isinstance(value, Map) else value.place
            self.host(name, body if not is_null(body) else None, place, group)

    def _children(self, group: str, draft: _GroupDraft, value: Node) -> None:
        for name, body in self._entries(value, f"`children` of `{group}`").items():
            place = value.key_places[name] if isinstance(value, Map) else value.place
            if self._may_be_child(name, group, place):
                draft.children.setdefault(name, place)
                self.group(name, body, place)

    def _may_be_child(self, name: str, parent: str, place: Place) -> bool:
        if name == "all":
            self.problem(
                f"`all` is a child of `{parent}`", place, why="every group is below `all`", remedy="remove it"
            )
        return name != "all"

    def _group_variables(self, group: str, draft: _GroupDraft, value: Node) -> None:
        self._entries(value, f"`vars` of `{group}`")
        if isinstance(value, Map):
            draft.variables.append(value)

    def _unknown_key(self, group: str, key: str, place: Place) -> None:
        hint = suggestion(key, _GROUP_KEYS)
        self.problem(
            f"the group `{group}` has an unknown key `{key[:80]}`",
            place,
            why="a group has hosts, children and vars",
            remedy=hint or "put variables under `vars:`, and groups under `children:`",
        )

    def _entries(self, node: Node | None, what: str) -> Mapping[str, Node]:
        """The entries of a map; none for null; a problem for anything else."""
        if isinstance(node, Map):
            return node.entries
        if node is not None and not is_null(node):
            self.problem(f"{what} must be a map, not {kind(node)}", node.place)
        return {}

    def _names(self, node: Node | None, what: str) -> list[tuple[str, Place]]:
        if node is None or is_null(node):
            return []
        if isinstance(node, Map):
            return [(name, node.key_places[name]) for name in node.entries]
        if not isinstance(node, Seq):
            self.problem(f"{what} must be a list, not {kind(node)}", node.place)
            return []
        names = []
        for item in node.items:
            if isinstance(item, Leaf) and isinstance(item.value, str):
                names.append((item.value, item.place))
            else:
                self.problem(f"{what} holds {kind(item)} where a name belongs", item.place)
        return names

    def _named(self, name: str, what: str, place: Place) -> bool:
        """Whether a name may be one. It goes into file names and command lines, so it is looked at closely."""
        bad = sorted(set(name) & _BAD_NAME) if what == "host" else sorted(set(name) & (_BAD_NAME - {" "}))
        if (
            name
            and not bad
            and not name.startswith("-")
            and name not in {".", ".."}
            and name.isprintable()
            and len(name) < 254
        ):
            return True
        reason = f"`{bad[0]}` is in it" if bad else "it is empty, too long, or begins with `-`"
        self.problem(f"`{name[:80]}` is no name for a {what}", place, why=reason)
        return False

    def finished(self) -> Inventory:
        self._gather_ungrouped()
        order = self._parents_first()
        parents = {name: [p for p, d in self._groups.items() if name in d.children] for name in self._groups}
        depths = {"all": 0}
        for name in order:
            depths.setdefault(name, 1 + max((depths.get(p, 0) for p in parents[name]), default=0))
        groups = {name: self._group(name, depths.get(name, 1)) for name in self._groups}
        above = {name: frozenset[str]({name}) for name in groups}
        for name in order:
            above[name] = above[name].union(*(above[p] for p in parents[name] if p in above))
        return Inventory(groups=groups, hosts=self._members(groups, above))

    def _gather_ungrouped(self) -> None:
        """Hosts of no other group than `all` are in `ungrouped`, as Ansible has it."""
        grouped = {host for name, draft in self._groups.items() if name != "all" for host in draft.hosts}
        for host, draft in self._hosts.items():
            if host not in grouped:
                self._groups.setdefault("ungrouped", _GroupDraft(draft.place)).hosts[host] = None

    def _group(self, name: str, depth: int) -> Group:
        draft = self._groups[name]
        variables = merge_all(draft.variables, draft.place)
        return Group(
            name=name,
            place=draft.place,
            hosts=tuple(draft.hosts),
            children=tuple(draft.children),
            variables=variables,
            depth=depth,
            priority=self._priority(variables),
        )

    def _members(self, groups: Mapping[str, Group], above: Mapping[str, frozenset[str]]) -> dict[str, Member]:
        direct: dict[str, set[str]] = {name: {"all"} for name in self._hosts}
        for group, draft in self._groups.items():
            for host in draft.hosts:
                direct[host] |= above[group]
        return {
            name: Member(
                name=name,
                place=draft.place,
                variables=merge_all(draft.variables, draft.place),
                groups=tuple(sorted(direct[name], key=lambda g: (groups[g].depth, groups[g].priority, g))),
            )
            for name, draft in self._hosts.items()
        }

    def _parents_first(self) -> list[str]:
        """The groups, each after its parents. A cycle is a problem, and is cut."""
        above = {name: [p for p, d in self._groups.items() if name in d.children] for name in self._groups}
        while True:
            try:
                return list(TopologicalSorter(above).static_order())
            except CycleError as error:
                cycle: list[str] = error.args[1]
                parent, child = cycle[0], cycle[1]
                place = self._groups[parent].children.pop(child)
                above[child].remove(parent)
                self.problem(
                    f"groups are children of one another: {' → '.join(reversed(cycle))}"[:300],
                    place,
                    why="no group can come before itself",
                    remedy=f"remove `{child}` from the children of `{parent}`",
                )

    def _priority(self, variables: Map) -> int:
        match variables.entries.get("ansible_group_priority"):
            case None:
                return 1
            case Leaf(value=int(number)) if not isinstance(number, bool):
                return number
            case Leaf(value=str(text)) if text.isascii() and text.isdigit() and len(text) < 10:
                return int(text)
            case node:
                self.problem("`ansible_group_priority` must be a whole number", node.place)
                return 1


def _split_port(name: str) -> tuple[str, int | None]:
    """`host:22` as Ansible has it; colons inside a range are the range's."""
    host, colon, port = name.rpartition(":")
    if (
        colon
        and port.isascii()
        and port.isdigit()
        and len(port) <= 5
        and ":" not in host.rpartition("]")[2]
        and host
    ):
        return host, int(port)
    return name, None


def is_null(node: Node) -> bool:
    return isinstance(node, Leaf) and node.value is None


def kind(node: Node) -> str:
    match node:
        case Map():
            return "a map"
        case Seq():
            return "a list"
        case Leaf(value=None):
            return "nothing"
        case Leaf(value=bool()):
            return "a yes or no"
        case Leaf(value=str()):
            return "text"
        case _:
            return "a number"

"""Writing plain data as YAML, with comments, so that it is read back as what it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Path = tuple[str, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Words that a reader of YAML 1.1, such as Ansible, takes for true, false or nothing.
_NOT_PLAIN = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def emit(tree: Mapping[str, Any], comments: Mapping[Path, str], header: str = "") -> str:
    """Plain data as a YAML document that `read_document` and YAML 1.1 read alike.

    A comment stands above the key at its path. Lists stand on one line; text is quoted, several lines are a block.
    """
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.representer import RoundTripRepresenter

    class Representer(RoundTripRepresenter):
        """ruamel's own writes nothing at all for None, which looks like a mistake."""

    Representer.add_representer(
        type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    yaml = YAML()
    yaml.Representer = Representer
    yaml.width = 2**31  # never fold
    out = StringIO()
    yaml.dump(_to_emit(tree, comments, ()), out)
    lines = [f"# {line}".rstrip() for line in header.splitlines()]
    return "\n".join([*lines, out.getvalue()])


def _to_emit(value: Any, comments: Mapping[Path, str], path: Path) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    match value:
        case Mapping():
            written = CommentedMap()
            for key, inner in value.items():
                plain = _PLAIN_KEY.fullmatch(key) and key.casefold() not in _NOT_PLAIN
                name = key if plain else DoubleQuotedScalarString(key)
                written[name] = _to_emit(inner, comments, (*path, key))
                if comment := comments.get((*path, key)):
                    written.yaml_set_comment_before_after_key(name, comment, indent=2 * len(path))
            return written
        case list() | tuple():
            items = CommentedSeq(_to_emit(item, comments, path) for item in value)
            items.fa.set_flow_style()
            return items
        case str():
            return LiteralScalarString(value) if "\n" in value else DoubleQuotedScalarString(value)
    return value

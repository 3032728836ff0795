"""What pydantic found wrong, told to the person who wrote it: place, reason, remedy, suggestion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vtsconf.core.fields import found
from vtsconf.core.problem import Place, Problem, suggestion
from vtsconf.core.tree import Path

M = TypeVar("M", bound=BaseModel)


class Locate(Protocol):
    """Where the value (or its key) at a path of the document was written; for an absent one its parent."""

    def __call__(self, path: Path, *, key: bool = False) -> Place | None: ...


_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a map",
    "tuple_type": "a list",
    "list_type": "a list",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "float_type": "a number",
}
_LIMITS = {
    "greater_than_equal": ("less than", "ge"),
    "less_than_equal": ("more than", "le"),
    "string_pattern_mismatch": ("not of the form", "pattern"),
}
_EXAMPLE = {
    "a text": '"8.3"',
    "a whole number": "5",
    "true or false": "true",
    "a map": "{key: value}",
    "a list": "[one, two]",
    "a number": "1.5",
}


def validated(
    model: type[M],
    values: Any,
    *,
    path: Path,
    locate: Locate,
    host: str | None = None,
    more_keys: Iterable[str] = (),
) -> tuple[M | None, list[Problem]]:
    """The model made from `values`, which stand at `path` of the document; or every problem with them.

    `more_keys` are known at the top besides the model's own, for suggestions.
    """
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        found_errors = error.errors(include_url=False)
    return None, [
        _problem(e, model, path=tuple(path), locate=locate, host=host, more_keys=more_keys)
        for e in found_errors
    ]


def unknown_key(
    key: str,
    known: Iterable[str],
    *,
    path: Path,
    place: Place | None,
    host: str | None = None,
    escape: str = "",
) -> Problem:
    """A key that no reader of the map at `path` knows."""
    known = sorted(known)
    keys = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return Problem(
        what=f"`{key:.80}` is not a key of {dotted(path)}",
        why="a key that is not understood would silently do nothing",
        remedy=suggestion(key, known) or escape or (f"known keys: {keys}" if keys else "take it out"),
        code="unknown-key",
        place=place,
        host=host,
        address=dotted((*path, key)),
    )


def dotted(path: Iterable[str | int]) -> str:
    """`vts.files./etc/motd.mode`: a path of the document as people read it."""
    return ".".join(str(part) for part in path)


def _problem(
    error: Mapping[str, Any],
    model: type[BaseModel],
    *,
    path: tuple[str | int, ...],
    locate: Locate,
    host: str | None,
    more_keys: Iterable[str],
) -> Problem:
    inner = tuple(part for part in error["loc"] if part != "[key]")
    full = (*path, *inner)
    if error["type"] == "extra_forbidden":
        known = [*_known(model, inner[:-1]), *(() if inner[:-1] else more_keys)]
        return unknown_key(str(inner[-1]), known, path=full[:-1], place=locate(full, key=True), host=host)
    what, why, remedy = _sentences(error, inner)
    return Problem(
        what=f"{dotted(full)}: {what}",
        why=why,
        remedy=remedy,
        code="missing-key" if error["type"] == "missing" else "value",
        place=locate(full[:-1] if error["type"] == "missing" else full),
        host=host,
        address=dotted(full),
    )


def _sentences(error: Mapping[str, Any], inner: Path) -> tuple[str, str, str]:
    context, kind = error.get("ctx") or {}, error["type"]
    if kind == "refused":
        return str(context["what"]), str(context["why"]), str(context["remedy"])
    if kind == "missing":
        return "is required", "", f"add `{inner[-1]}:` here"
    if kind in ("literal_error", "enum"):
        value = error["input"]
        words = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        hint = suggestion(value, words) if isinstance(value, str) else ""
        return (
            f"{found(value)} is not one of {', '.join(words)}",
            "",
            hint or f"write one of: {', '.join(words)}",
        )
    if kind in _LIMITS:
        what, limit = _LIMITS[kind]
        return f"{found(error['input'])} is {what} {context[limit]}", "", ""
    wanted = _WANTED.get(kind)
    if wanted:
        return (
            f"{found(error['input'])} stands where {wanted} is wanted",
            "",
            f"write for example {_EXAMPLE[wanted]}",
        )
    return f"{found(error['input'])} cannot stand here: {error['msg']}", "", ""


def _known(model: type[BaseModel], inner: Sequence[str | int]) -> list[str]:
    """The keys of the map that stands at `inner` inside `model`."""
    kind: Any = model
    for part in inner:
        kind = _bare(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = next((f.annotation for n, f in kind.model_fields.items() if part in (n, f.alias)), None)
        else:
            kind = next(iter(get_args(kind)[-1 if get_origin(kind) is dict else 0 :]), None)
    owner = _bare(kind)
    if not (isinstance(owner, type) and issubclass(owner, BaseModel)):
        return []
    return [f.alias or name for name, f in owner.model_fields.items()]


def _bare(kind: Any) -> Any:
    """An annotation without its metadata and without `| None`."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = next((k for k in get_args(kind) if k is not NoneType), None)
    return kind

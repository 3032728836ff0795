"""JSON Schemas for editors: of a vars file, made from the models, the parameter tables and the BMAs; of a strategy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from vtsconf.bma import ALL
from vtsconf.core.rollout import written
from vtsconf.core.tables import ANYSYS, NAME, OTHER, Row, Scope, Table, Tables
from vtsconf.resources.policies import Policies, Rules
from vtsconf.resources.written import Written

Schema = dict[str, Any]

# Any value may be written as a template instead; what it becomes is checked by `vtsconf validate`.
_TEMPLATE = {"$ref": "#/$defs/template"}
_TEMPLATE_DEFINITION = {
    "type": "string",
    "pattern": r"\{[{%]",
    "description": "A Jinja template over the host's variables.",
}
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCALAR = ["string", "integer", "boolean", "null"]
_KINDS: dict[str, Schema] = {
    "yes_no": {"enum": [True, False, "YES", "NO", None]},
    "integer": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
    "text": {"type": ["string", "integer", "null"]},
    "list": {"type": ["array", "string", "integer", "null"], "items": {"type": ["string", "integer"]}},
    "hosts": {"type": ["array", "string", "null"], "items": {"type": ["string", "integer"]}},
    "any": {"type": ["array", *_SCALAR], "items": {"type": ["string", "integer"]}},
}


class _Plain(GenerateJsonSchema):
    """Without the titles that are only the keys again."""

    def get_title_from_name(self, name: str) -> str:  # noqa: ARG002 the base class passes it
        return ""


def schema(tables: Tables) -> Schema:
    """A JSON Schema (draft 2020-12) for files of group_vars and host_vars; other variables are left alone."""
    models: dict[str, type[BaseModel]] = {"vts": Written, "policies": Policies, "rules": Rules}
    models |= {name: application.Settings for name, application in ALL.items()}
    made, definitions = models_json_schema(
        [(model, "validation") for model in models.values()],
        ref_template="#/$defs/{model}",
        schema_generator=_Plain,
    )
    # Without `required`: one file may hold a part of what is merged.
    defs = {name: _templated(_lean(one, "required")) for name, one in definitions["$defs"].items()}
    parts = {name: defs.pop(_target(made[model, "validation"])) for name, model in models.items()}
    vts, policies, rules = parts.pop("vts"), parts.pop("policies"), parts.pop("rules")
    vts["properties"] |= policies["properties"]
    defs |= {name: part | {"title": ALL[name].TITLE} for name, part in parts.items()}
    vts["properties"]["bma"] = {
        "description": vts["properties"]["bma"]["description"],
        "type": ["object", "null"],
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in parts},
        "additionalProperties": False,
    }
    for table in tables.families.values():
        vts["properties"][table.family] = _family(table, tables)
    vts["properties"]["ems"]["properties"]["rules"] = rules["properties"]["rules"]
    return {
        "$schema": _DRAFT,
        "title": "Variables of a host or group for vtsconf",
        "description": "A file of group_vars or host_vars. All desired state stands under `vts`.",
        "type": "object",
        "properties": {"vts": {**vts, "type": ["object", "null"], "title": "Desired state of VTS servers"}},
        "$defs": {"template": _TEMPLATE_DEFINITION, **dict(sorted(defs.items()))},
    }


def rollout_schema() -> Schema:
    """A JSON Schema (draft 2020-12) for the files of `rollouts/`."""
    made = written.Written.model_json_schema(schema_generator=_Plain)
    title = "Strategy of a rollout for vtsconf"
    return {"$schema": _DRAFT, **_lean(made), "title": title, "type": ["object", "null"]}


def _family(table: Table, tables: Tables) -> Schema:
    """The section of one parameter family."""
    rows = [row for row in table.rows if row.name != table.hosts]
    properties = {table.word(row): _row(row) for row in rows if Scope(row.scope).is_global}
    if table.open and table.family != OTHER:
        properties |= {row.name: _row(row) for row in rows if Scope(row.scope).is_global}
    if table.family == OTHER:
        properties |= {row.name: _row(row) for row in _global_rows(tables)}
    if table.hosts:
        properties["hosts"] = _hosts(table, rows)
    section: Schema = {"type": ["object", "null"], "description": table.meaning, "properties": properties}
    if not table.open:
        return section | {"additionalProperties": False}
    return section | {"propertyNames": {"pattern": f"^{NAME}$"}, "additionalProperties": _KINDS["any"]}


def _global_rows(tables: Tables) -> Iterator[Row]:
    return (r for t in tables.families.values() for r in t.rows if Scope(r.scope).is_global)


def _hosts(table: Table, rows: list[Row]) -> Schema:
    options = {table.word(row): _row(row) for row in rows if Scope(row.scope).is_per_host}
    host = {"type": ["object", "null"], "properties": options, "additionalProperties": False}
    return {
        "type": ["object", "null"],
        "description": f"NonStop hosts by name; also gives {table.hosts}. {ANYSYS} stands for any host where allowed.",
        "additionalProperties": host,
    }


def _row(row: Row) -> Schema:
    """One parameter, with all that is known of it where the editor shows it."""
    sentences = [
        row.meaning,
        row.note,
        f"[{row.source}]" if row.status == "documented" else f"({row.source})",
    ]
    if row.default is not None:
        sentences.insert(1, f"Default: {row.default}.")
    kind = dict(_KINDS[row.type])
    if row.least is not None:
        kind["minimum"] = row.least
    if row.secret:
        kind = {"type": ["string", "null"], "pattern": "^secret://"}
    described = {"description": f"{row.name}: {' '.join(s for s in sentences if s)}"}
    return {**described, "anyOf": [kind, _TEMPLATE]}


def _target(reference: Schema) -> str:
    """The definition's name in {"$ref": "#/$defs/NAME"}."""
    return str(reference["$ref"]).rpartition("/")[2]


def _lean(node: Any, *dropped: str) -> Any:
    """Without empty titles, null defaults, and what is `dropped`."""
    match node:
        case dict():
            return {
                key: _lean(value, *dropped)
                for key, value in node.items()
                if not (
                    (key == "title" and not value) or (key == "default" and value is None) or key in dropped
                )
            }
        case list():
            return [_lean(value, *dropped) for value in node]
    return node


def _templated(node: Any) -> Any:
    """Every value that is narrower than a text may be a template too; a map may be empty (nothing behind its key)."""
    if isinstance(node, list):
        return [_templated(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    node = {key: _within(key, value) for key, value in node.items()}
    kind = node.get("type")
    if "patternProperties" in node:
        node.setdefault("additionalProperties", False)
    if kind == "object" and "properties" not in node:
        return node | {"type": ["object", "null"]}
    if kind in ("integer", "boolean", "number", "array") or "enum" in node or "pattern" in node:
        about = {key: node.pop(key) for key in ("description", "default", "examples") if key in node}
        return {**about, "anyOf": [node, _TEMPLATE]}
    if "anyOf" in node:
        node["anyOf"] = [member for inner in node["anyOf"] for member in _members(inner)]
    return node


def _members(node: Schema) -> list[Schema]:
    """The alternatives of an `anyOf` that says nothing else, or the schema itself."""
    return node["anyOf"] if set(node) == {"anyOf"} else [node]


def _within(key: str, value: Any) -> Any:
    """The schemas inside one keyword; other keywords are left as they are."""
    if key in ("properties", "patternProperties"):
        return {name: _templated(inner) for name, inner in value.items()}
    if key in ("items", "anyOf", "additionalProperties"):
        return _templated(value)
    return value

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from vtsconf.core.document import read_document
from vtsconf.core.tablefile import read_tables
from vtsconf.core.tree import plain
from vtsconf.resources.schema import schema

ROOT = Path(__file__).parents[2]
SHIPPED = {f.name: f.read_text() for f in (ROOT / "schemas" / "parameters").glob("*.yaml")}
TABLES, _ = read_tables(SHIPPED, {})
SCHEMA = schema(TABLES)


def cases(path):
    root, problems = read_document(path.read_bytes(), path.name)
    assert problems == []
    return [pytest.param(case, id=case["name"]) for case in plain(root)]


def faults(document):
    """The places that an editor would mark, the innermost of each."""
    errors = Draft202012Validator(SCHEMA).iter_errors(document)
    return sorted({".".join(str(part) for part in error.absolute_path) for error in errors})


def test_the_committed_schema_is_the_one_that_the_models_and_tables_make():
    committed = (ROOT / "schemas" / "vts.schema.json").read_text()

    assert committed == json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n", "stale: run `make schemas`"


def test_it_is_a_schema_of_its_draft():
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("case", cases(ROOT / "tests" / "cases" / "schema.yaml"))
def test_an_editor_marks_what_is_wrong_and_nothing_else(case):
    assert faults(case["file"]) == sorted(case["faults"])


@pytest.mark.parametrize(
    "case", [case for path in (ROOT / "tests" / "cases" / "lints").glob("*.yaml") for case in cases(path)]
)
def test_no_document_that_we_accept_is_marked(case):
    assert faults({"vts": case["vts"]}) == []


def test_every_documented_parameter_is_described_with_its_source():
    vts = SCHEMA["properties"]["vts"]["properties"]
    keys = {**vts["ems"]["properties"], **vts["cleanup"]["properties"]}

    assert keys["enable"]["description"].endswith("[6.04.03 Ops p.87]")
    assert keys["keep_alive"]["description"] == (
        "ems_keep_alive: Seconds between EMS messages that keep the Telnet session open; 0 or missing is off."
        " Default: 0. [6.04.01 Ops p.43]"
    )


def test_a_site_s_own_family_is_completed_too():
    site = "family: autocopy\nprefix: autocopy_\nrows: [{name: autocopy_pools, type: list, meaning: Pools to watch.}]\n"
    tables, problems = read_tables(SHIPPED, {"parameters/autocopy.yaml": site})
    section = schema(tables)["properties"]["vts"]["properties"]["autocopy"]

    assert problems == []
    assert section["properties"]["pools"]["description"] == "autocopy_pools: Pools to watch. (site)"
    assert section["additionalProperties"] is False

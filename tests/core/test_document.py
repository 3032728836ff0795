from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.document import MAX_BYTES, MAX_NODES, read_document, read_json
from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import at, place_of, plain

SAMPLE = """\
# a comment
all:
  vars: &defaults {user: root, "port": 22}
  hosts:
    vts[1:3]:   # three
      vts:
        release: "8.3"
        list:
        - a
        - 'it''s'
        text: |
          one
          two
        folded: >-
          one
          two
    vts4: {<<: *defaults, port: 23}
    vts5: ~
"""


def read(text):
    tree, problems = read_document(text, "f.yaml")
    assert problems == []
    return plain(tree)


def test_a_document_is_read_with_all_its_forms():
    assert read(SAMPLE)["all"]["hosts"] == {
        "vts[1:3]": {
            "vts": {"release": "8.3", "list": ["a", "it's"], "text": "one\ntwo\n", "folded": "one two"}
        },
        "vts4": {"port": 23, "user": "root"},
        "vts5": None,
    }


def test_every_value_and_key_knows_its_place():
    tree, _ = read_document(SAMPLE, "f.yaml")
    path = ["all", "hosts", "vts[1:3]", "vts", "release"]

    assert place_of(tree, path) == Place("f.yaml", 7, 18)
    assert place_of(tree, path, key=True) == Place("f.yaml", 7, 9)
    assert at(tree, [*path[:-1], "list", 1]).place == Place("f.yaml", 10, 11)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("+3", 3),
        ("0644", "0644"),
        ("0o644", 0o644),
        ("0x1F", 31),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("2024-01-01", "2024-01-01"),
        ("12:30:45", "12:30:45"),
        ("8.3.1", "8.3.1"),
        ("1_000", "1_000"),
        ("-", ["x"]),
        ("9" * 41, "9" * 41),
        ("'5'", "5"),
        ('"true"', "true"),
        ("٣", "٣"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, expected):
    assert read(f"x: {text}\n" if text != "-" else "x:\n- x\n") == {"x": expected}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_document_has_no_tree(text):
    tree, problems = read_document(text, "f.yaml")

    assert problems == []
    assert tree is None or plain(tree) is None


def test_a_byte_order_mark_is_no_part_of_the_document():
    assert read("\ufeffa: 1".encode()) == {"a": 1}


def test_windows_line_ends_are_line_ends():
    tree, _ = read_document("a: 1\r\nb: |\r\n  x\r\n  y\r\n", "f.yaml")

    assert plain(tree) == {"a": 1, "b": "x\ny\n"}
    assert place_of(tree, ["b"], key=True).line == 2


def test_all_duplicates_are_told_not_the_first_only():
    _, problems = read_document("a: 1\na: 2\nb: {c: 1, c: 2}\n", "f.yaml")

    assert [(p.code, p.place) for p in problems] == [
        ("duplicate-key", Place("f.yaml", 2, 1)),
        ("duplicate-key", Place("f.yaml", 3, 11)),
    ]


def test_keys_that_are_written_differently_and_mean_the_same_text_are_duplicates():
    _, problems = read_document("a: 1\n'a': 2\n", "f.yaml")

    assert [p.code for p in problems] == ["duplicate-key"]


def test_a_few_aliases_are_welcome():
    assert read("a: &x [1, 2]\nb: *x\nc: [*x, *x]\n") == {"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]]}


def test_own_entries_win_over_those_merged_in():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\n"

    assert read(text)["c"] == {"x": 1, "y": 1, "z": 3}


def test_aliases_cannot_make_a_short_text_a_huge_value():
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    tracemalloc.start()
    tree, problems = read_document("\n".join(lines), "f.yaml")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert tree is None
    assert str(MAX_NODES) in problems[0].what
    assert peak < 5_000_000


def test_a_document_may_have_many_values():
    tree, problems = read_json(json.dumps([[[0] * 100] * 40] * 100), "f.json")

    assert problems == []
    assert tree is not None


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "{? "])
@pytest.mark.parametrize("read_", [read_document, read_json])
def test_depth_is_bounded_without_recursion(opening, read_):
    tree, problems = read_(opening * 50_000, "f")

    assert tree is None
    assert len(problems) == 1


@pytest.mark.parametrize("read_", [read_document, read_json])
def test_size_is_bounded(read_):
    tree, problems = read_(b"#" * (MAX_BYTES + 1), "f")

    assert tree is None
    assert "larger than" in problems[0].what


@pytest.mark.parametrize("read_", [read_document, read_json])
@given(text=st.binary(max_size=300) | st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_a_traceback(read_, text):
    tree, problems = read_(text, "f")

    assert tree is not None or problems or not _says_something(text)
    assert all(isinstance(p, Problem) and p.place.line > 0 and p.place.column > 0 for p in problems)


def _says_something(text):
    text = text if isinstance(text, str) else text.decode()
    lines = [line.split("#")[0].strip("\ufeff \t\r\n") for line in text.splitlines()]
    return any(line and not line.startswith(("---", "...", "%")) for line in lines)


YAML_PIECES = st.sampled_from(
    ["a", "b: ", ": ", "- ", "[", "]", "{", "}", ",", "&x ", "*x", "!t ", "|\n", ">-\n", "'", '"', "#", "\n", "\n  ", "\n\t", "? ", "<<: ", "---\n", "...\n", "%YAML 1.2\n", "\\", "~", "0x", "1e", "\ufeff", "\u2028", "\x85", "{{", "}}", "%TAG ! x\n", "\r", "@", "`"]
)  # fmt: skip


@given(st.lists(YAML_PIECES, max_size=25).map("".join))
@settings(max_examples=400, deadline=None)
def test_no_pieces_of_yaml_make_a_traceback(text):
    tree, problems = read_document(text, "f")

    assert tree is None or plain(tree) is not ...
    assert all(p.place.file == "f" for p in problems)


@given(
    st.integers(0, len(SAMPLE)),
    st.integers(0, 12),
    st.text(alphabet="[]{}:,-&*!|>'\"#\n\t @%`\\~?a1", max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_document_is_read_or_complained_about(where, cut, inserted):
    damaged = SAMPLE[:where] + inserted + SAMPLE[where + cut :]

    tree, problems = read_document(damaged, "f")

    assert tree is not None or problems


json_data = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**30), 10**30)
    | st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=8),
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text("abc-. ", min_size=1), below, max_size=4)
    ),
    max_leaves=12,
)


@given(json_data, st.sampled_from([None, 0, 3]), st.booleans())
@settings(deadline=None)
def test_json_is_read_as_python_reads_it(value, indent, ascii_only):
    tree, problems = read_json(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "f.json")

    assert problems == []
    assert plain(tree) == value


@given(json_data.filter(lambda value: isinstance(value, dict | list)))
@settings(deadline=None)
def test_json_is_read_alike_as_yaml(value):
    text = json.dumps(value, indent=2, ensure_ascii=False)
    as_json, _ = read_json(text, "f")
    as_yaml, problems = read_document(text, "f")

    assert problems == []
    assert as_yaml == as_json


def test_json_knows_places():
    tree, _ = read_json('{\n  "a": [1,\n    {"b": true}]\n}', "f.json")

    assert place_of(tree, ["a", 1, "b"]) == Place("f.json", 3, 11)
    assert place_of(tree, ["a"], key=True) == Place("f.json", 2, 3)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1 "b"}', (1, 9)),
        ("{\n'a': 1}", (2, 1)),
        ('{"a": 1} x', (1, 10)),
        ("[NaN]", (1, 2)),
        ('["\\ud800"]', (1, 2)),
        ("", (1, 1)),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text, place):
    tree, problems = read_json(text, "f.json")

    assert tree is None
    assert (problems[0].place.line, problems[0].place.column) == place


def test_only_a_plain_merge_key_merges():
    assert read('a: {"<<": {b: 1}}\n') == {"a": {"<<": {"b": 1}}}
    assert plain(read_json('{"<<": {"b": 1}}', "f")[0]) == {"<<": {"b": 1}}


def test_json_with_a_key_twice_is_told():
    _, problems = read_json('{"a": 1, "a": 2}', "f.json")

    assert [p.code for p in problems] == ["duplicate-key"]

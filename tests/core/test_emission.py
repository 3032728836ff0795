"""What is written as YAML is read back as it was, by us and by any other reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from vtsconf.core.document import read_document
from vtsconf.core.document.emission import emit
from vtsconf.core.tree import plain

# What a document may hold at all; see core/document/text.py.
SANE = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Co", "Zl", "Zp", "Cn"],
        include_characters="\n\t",
        exclude_characters="\ufeff",
    ),
    max_size=30,
)
AWKWARD = st.sampled_from(
    ["", " ", "\n", "a\nb\n", " a\nb\n", "a\n\n", "a\n \nb\n", "\ta\nb\n", "# no\nb\n", "a: b\n- c\n", "---\na\n", "...\nb\n",
     "a\n  b\n", "null", "yes", "0644", "1e3", "<<", "*a", "&a", "!t", "{a", "%a", "a\nb", "a \nb \n"]
)  # fmt: skip
TEXTS = SANE | AWKWARD
KEYS = TEXTS.filter(lambda key: key and "\n" not in key and key != "<<" and len(key) < 100)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        TEXTS | st.integers(-999, 999) | st.booleans() | st.none() | st.lists(TEXTS, max_size=3),
        lambda inner: st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@given(TREES)
def test_round_trip(tree):
    text = emit(tree, {}, "a header\nof two lines")
    node, problems = read_document(text, "x")

    assert ([], tree) == (problems, plain(node) if node else {})
    assert tree == (YAML(typ="safe", pure=True).load(text) or {})


def test_comments_stand_above_their_keys():
    tree = {"vts": {"ems": {"enable": True, "on": ["A", "B"]}, "files": {"/a b": {"content": "x\ny\n"}}}}
    comments = {("vts", "ems", "on"): "why", ("vts", "files"): "two\nlines"}
    expected = """\
# head
vts:
  ems:
    enable: true
    # why
    "on": ["A", "B"]
  # two
  # lines
  files:
    "/a b":
      content: |
        x
        y
"""

    assert expected == emit(tree, comments, "head")


@pytest.mark.parametrize("word", ["yes", "No", "ON", "off", "y", "N", "True", "null", "Null"])
def test_words_of_yaml_1_1_are_quoted_as_keys(word):
    assert f'"{word}": 1\n' == emit({word: 1}, {})

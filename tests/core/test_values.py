import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.values import Unwritable, parsed, written

WORDS = st.from_regex(r"[A-Za-z0-9_./:-]{1,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="'"), max_size=40)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
KINDS = ("yes_no", "integer", "text", "list", "hosts", "any")


@given(st.booleans())
def test_switches_come_back(value):
    assert parsed(written(value, "yes_no"), "yes_no") is value


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_numbers_come_back(value):
    assert parsed(written(value, "integer"), "integer") == value


@given(st.lists(WORDS))
def test_lists_come_back(value):
    assert parsed(written(value, "list"), "list") == value


@given(TEXTS)
def test_texts_come_back_as_they_are(value):
    assert parsed(written(value, "text"), "text") == value


@given(st.text(), st.sampled_from(KINDS))
def test_what_a_live_file_holds_is_read_and_written_back_the_same(text, kind):
    try:
        again = written(parsed(text, kind), kind)
    except Unwritable:
        return  # a live value that no document could ask for

    assert again == text or (kind in ("list", "hosts") and again.split() == text.split())


@given(ANYTHING, st.sampled_from(KINDS))
def test_a_value_can_be_written_between_quotes_or_is_refused_with_a_reason(value, kind):
    try:
        text, reasons = written(value, kind), ("", "")
    except Unwritable as refused:
        text, reasons = "", (refused.what, refused.remedy)

    assert all(reasons) or not any(reasons)
    assert "'" not in text
    assert text.isprintable()


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (True, "yes_no", "YES"),
        ("NO", "yes_no", "NO"),
        (300, "integer", "300"),
        ("300", "integer", "300"),
        ("ALL", "list", "ALL"),
        ("VAULT01  VAULT02", "list", "VAULT01 VAULT02"),
        (["VAULT01", "VAULT02"], "list", "VAULT01 VAULT02"),
        ([], "list", ""),
        (["vts2.bank", "10.0.0.1", "fe80::1", r"\DEV2"], "hosts", r"vts2.bank 10.0.0.1 fe80::1 \DEV2"),
        (5, "text", "5"),
        ("two words", "text", "two words"),
        (False, "any", "NO"),
        (["a", 5], "any", "a 5"),
        ("Grün $x `y` \\", "any", "Grün $x `y` \\"),
    ],
)
def test_values_are_written_as_the_manuals_show_them(value, kind, expected):
    assert written(value, kind) == expected

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.printable import printable


def test_what_a_terminal_would_obey_is_shown_as_text():
    assert printable(b"\x1b[2Jhi\r\n\x07there \xff") == "\\x1b[2Jhi \\x07there \ufffd"
    assert printable("\u202eevil\u009b") == "\\u202eevil\\x9b"


@given(st.text() | st.binary(), st.integers(min_value=1, max_value=50))
def test_always_one_bounded_printable_line(text, limit):
    shown = printable(text, limit)

    assert len(shown) <= limit
    assert shown.isprintable()

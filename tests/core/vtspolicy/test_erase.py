"""The line that erases one tape, and names that would erase others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.errors import Refused
from vtsconf.core.vtspolicy.erase import erase_line
from vtsconf.core.vtspolicy.parse import parse


def test_one_tape():
    assert "VTSPolicy Erase - X00001" == erase_line("X00001")
    assert "VTSPolicy Erase - X00001 s=vts1.bank" == erase_line("X00001", "vts1.bank", "8.2")


@pytest.mark.parametrize(
    "name", ["A B", " A", "A ", "", "-", "-A", "A=B", "s=B", "A'B", "P/A", "..", "A\nB", "A\tB", "\udcff"]
)
def test_a_name_that_would_be_read_as_something_else(name):
    with pytest.raises(Refused):
        erase_line(name)


@given(
    st.text(st.sampled_from(list("AB -='\"/.\t\n=*")), max_size=5), st.sampled_from(["", "v", "v x", "v s=w"])
)
def test_only_that_tape_is_erased(name, source):
    try:
        line = parse(erase_line(name, source))
    except Refused:
        return

    assert (name,) == line.names
    assert (source or None) == line.value("source")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.document import read_document
from vtsconf.core.errors import Usage
from vtsconf.core.inventory import read_inventory
from vtsconf.core.pattern import select

INVENTORY, _ = read_inventory(
    read_document(
        """
vts: {hosts: {"vts[1:5]": }}
berlin: {hosts: {vts1: , vts2: }}
prod: {hosts: {vts2: , vts3: , db1.bank: }}
empty:
""",
        "f",
    )[0],
    "f",
)
ALL = ("vts1", "vts2", "vts3", "vts4", "vts5", "db1.bank")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (None, ALL),
        ("all", ALL),
        ("*", ALL),
        ("vts3", ("vts3",)),
        ("berlin", ("vts1", "vts2")),
        ("berlin:prod", ("vts1", "vts2", "vts3", "db1.bank")),
        ("berlin,prod", ("vts1", "vts2", "vts3", "db1.bank")),
        ("prod,berlin", ("vts1", "vts2", "vts3", "db1.bank")),
        ("vts:&prod", ("vts2", "vts3")),
        ("vts:!prod", ("vts1", "vts4", "vts5")),
        ("!prod", ("vts1", "vts4", "vts5")),
        ("!prod:vts:&berlin", ("vts1",)),
        ("&berlin", ("vts1", "vts2")),
        ("vts*", ("vts1", "vts2", "vts3", "vts4", "vts5")),
        ("*.bank", ("db1.bank",)),
        ("ber*", ("vts1", "vts2")),
        ("vts?:!vts[0]", ("vts2", "vts3", "vts4", "vts5")),
        ("vts[0]", ("vts1",)),
        ("vts[-1]", ("vts5",)),
        ("vts[1:3]", ("vts2", "vts3", "vts4")),
        ("vts[1-3]", ("vts2", "vts3", "vts4")),
        ("vts[3:]", ("vts4", "vts5")),
        ("prod[0],vts[4]", ("vts2", "vts5")),
        ("~vts[12]$", ("vts1", "vts2")),
        ("~(vts1|db):x", None),
        ("vts:!~vts[12]$", ("vts3", "vts4", "vts5")),
        (" vts1 , vts2 ", ("vts1", "vts2")),
        ("vts1,,vts2", ("vts1", "vts2")),
    ],
)
def test_a_limit_selects_as_in_ansible(limit, expected):
    if expected is None:
        with pytest.raises(Usage):
            select(limit, INVENTORY)
        return

    assert select(limit, INVENTORY) == expected


@pytest.mark.parametrize(
    ("limit", "what", "remedy"),
    [
        ("vtss1", "neither a host nor a group", "did you mean `vts1`?"),
        ("vts:!pord", "neither a host nor a group", "did you mean `prod`?"),
        ("vts:&berln", "neither a host nor a group", "did you mean `berlin`?"),
        ("x*", "neither a host nor a group", "vtsconf inventory"),
        ("empty", "leaves no host", "vtsconf inventory"),
        ("berlin:!vts", "leaves no host", "vtsconf inventory"),
        ("vts[7]", "has 5 hosts", "count from 0"),
        ("vts[-6]", "has 5 hosts", "count from 0"),
        ("vts[9:]", "has 5 hosts", "count from 0"),
        ("", "the limit is empty", ""),
        (" , ", "the limit is empty", ""),
        ("!", "neither a host nor a group", ""),
        ("~[", "not a regular expression", ""),
    ],
)
def test_a_limit_that_names_nothing_is_an_error(limit, what, remedy):
    with pytest.raises(Usage, match=what) as raised:
        select(limit, INVENTORY)

    assert remedy in raised.value.remedy


@given(st.text(alphabet="vts123*?[]!&~:,-.|(", max_size=12))
def test_any_limit_selects_known_hosts_in_order_or_is_refused(limit):
    try:
        chosen = select(limit, INVENTORY)
    except Usage:
        return

    assert chosen
    assert chosen == tuple(name for name in ALL if name in chosen)

from __future__ import annotations

import pytest

from vtsconf.core.ranges import MAX_HOSTS, expand


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("vts1", ["vts1"]),
        ("vts[1:3]", ["vts1", "vts2", "vts3"]),
        ("vts[01:10:4].bank", ["vts01.bank", "vts05.bank", "vts09.bank"]),
        ("vts[08:11]", ["vts08", "vts09", "vts10", "vts11"]),
        ("vts[:2]", ["vts0", "vts1", "vts2"]),
        ("vts-[a:c]", ["vts-a", "vts-b", "vts-c"]),
        ("r[1:2]-[a:b]", ["r1-a", "r1-b", "r2-a", "r2-b"]),
        ("vts[5:5]", ["vts5"]),
    ],
)
def test_a_range_stands_for_its_hosts(pattern, expected):
    assert expand(pattern) == expected


@pytest.mark.parametrize(
    "pattern", ["v[1:2", "v1:2]", "v[1]", "v[a:10]", "v[z:a]", "v[aa:bb]", "v[1:2:3:4]", "v[1:]", "v[-1:2]", "v[1:2:-1]", "v[[1:2]]", "v[٣:٤]"]
)  # fmt: skip
def test_what_is_no_range_is_refused(pattern):
    with pytest.raises(ValueError, match=r"range|`\[`|ends before|step"):
        expand(pattern)


@pytest.mark.parametrize("pattern", ["v[1:999999999]", "v[1:101][1:100]", "v[1:9]" * 40])
def test_ranges_are_bounded(pattern):
    with pytest.raises(ValueError, match=f"more than {MAX_HOSTS}"):
        expand(pattern)

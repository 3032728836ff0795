"""The editor of the configuration file: what it reads, what it leaves alone, what it refuses."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from vtsconf.core.content import mark
from vtsconf.core.secret import SecretRef
from vtsconf.core.vtsfile import Form, assignments, duplicates, edit, line_end, refusal, unreadable, values

NAMES = st.sampled_from(["ems_enable", "ems_hostnames", "hsm_x", "cleanup_enable", "a", "ems_enable_DEV2"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="'", exclude_categories=["Cc", "Cs", "Co"]))
LINES = st.one_of(
    st.builds("{}='{}'".format, NAMES, TEXTS),
    st.builds('{}="x"'.format, NAMES),
    st.builds("{}=bare".format, NAMES),
    st.builds("{}='open".format, NAMES),
    st.builds("  {}='y'  ".format, NAMES),
    st.builds("{}='y' # why".format, NAMES),
    st.builds("# {}='no'".format, NAMES),
    st.sampled_from(["", "   ", "# a comment", "if true; then", "\ufeffems_enable='YES'", "x" * 5000]),
).map(str.encode)
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\0\n", b"\xff\n", b" \n"])
FILES = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda rows, last: b"".join(line + end for line, end in rows) + last,
        st.lists(st.tuples(LINES, ENDS), max_size=12),
        st.one_of(st.just(b""), LINES),
    ),
)


def others(data: bytes, names: set[str], end: bytes) -> bytes:
    """The file without the lines that assign one of `names`, its last line ended with `end`."""
    for found in reversed(assignments(data)):
        if found.name in names:
            data = data[: found.whole.start] + data[found.whole.stop :]
    return data if not data or data.endswith(b"\n") else data + end


@given(FILES, st.dictionaries(NAMES, st.one_of(st.none(), TEXTS.filter(str.isascii)), max_size=4))
@example(b"a='1'", {"a": None, "hsm_x": "2"})
@example(b"a='1'\r\nhsm_x='2'", {"hsm_x": None})
@example(b"a='x", {"a": "1"})
@example(b"a=\r\n\0", {"a": None, "hsm_x": "0"})
def test_edit_does_what_was_wished_and_nothing_else(data, wishes):
    edited = edit(data, wishes)

    got = values(edited)
    assert wishes == {name: got.get(name) for name in wishes}
    assert edited == edit(edited, wishes)
    end = line_end(data)
    assert others(data, set(wishes), end) == others(edited, set(wishes), end)


@given(FILES, NAMES, TEXTS.filter(str.isascii))
def test_taking_an_edit_back(data, name, text):
    """Byte for byte where the old line had the documented form or the file ended with a line end."""
    before = [a for a in assignments(data) if a.name == name]
    assume(not (before and refusal(before[-1].text, data)))

    back = edit(edit(data, {name: text}), {name: before[-1].text if before else None})

    assert values(data) == values(back)
    quoted = bool(before) and data[before[-1].value.start : before[-1].value.stop].startswith(b"'")
    ended = not before and (not data or data.endswith(b"\n"))
    if quoted or ended:
        assert data == back


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_any_bytes_around_a_parameter_stay(before, after):
    data = before + b"\nems_enable='NO'\n" + after

    edited = edit(data, {"ems_enable": "YES"})

    last = assignments(edited)
    assert values(edited)["ems_enable"] == "YES"
    assert len(edited) == len(data) + 1 or len([a for a in last if a.name == "ems_enable"]) > 1
    assert edited.startswith(before)


@pytest.mark.parametrize(
    ("data", "wishes", "expected"),
    [
        (b"", {"a": "1"}, b"a='1'\n"),
        (b"x='0'", {"a": "1"}, b"x='0'\na='1'\n"),
        (b"x='0'\r\n", {"a": "1", "b": "2"}, b"x='0'\r\na='1'\r\nb='2'\r\n"),
        (b"x='0'\r\ny='1'\n", {"a": "1"}, b"x='0'\r\ny='1'\na='1'\n"),
        (b"a='1'\na='2'\n", {"a": "3"}, b"a='1'\na='3'\n"),
        (b"a='1'\nb='x'\na='2'\n", {"a": None}, b"b='x'\n"),
        (b'a="1"  # why\r\n', {"a": "2"}, b"a='2'  # why\r\n"),
        (b"a=1\n", {"a": "1"}, b"a=1\n"),
        (b"\ta='1' \t\n", {"a": "$(reboot)"}, b"\ta='$(reboot)' \t\n"),
        (b"a='1'", {"a": None}, b""),
        (b"b='0'\na='1'", {"a": None, "c": "2"}, b"b='0'\nc='2'\n"),
        (b"a='\xfc'\n", {"a": "\u00fc"}, b"a='\xfc'\n"),
        (b"aa='1'\n", {"a": "2"}, b"aa='1'\na='2'\n"),
    ],
)
def test_edit(data, wishes, expected):
    assert expected == edit(data, wishes)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a='1'", ("1", Form.PLAIN)),
        (b"a=''", ("", Form.PLAIN)),
        (b"a=", ("", Form.BARE)),
        (b'a="x y"', ("x y", Form.DOUBLE)),
        (b"a=1 # c", ("1", Form.COMMENTED)),
        (b"a='x#y'", ("x#y", Form.PLAIN)),
        (b"a='1'\r", ("1", Form.PLAIN)),
        (b'a="$x"', None),
        (b"a=`id`", None),
        (b"a='1", None),
        (b"a='1''2'", None),
        (b"a='1'; b='2'", None),
        (b"a = '1'", None),
        (b"export a='1'", None),
        (b"a='1\0'", None),
        (b"#a='1'", None),
    ],
)
def test_what_a_line_says(line, expected):
    found = assignments(line)

    assert ([expected] if expected else []) == [(a.text, a.form) for a in found]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a='1\n", [("a", 1, True)]),
        (b"\n\na = '1'\n", [("a", 3, True)]),
        (b"export a='1'\n", [("a", 1, True)]),
        (b"\xef\xbb\xbfa='1'\n", [("a", 1, True)]),
        (b"a+='1'\n", [("a", 1, True)]),
        (b"b='1'; a='2'\n", [("a", 1, False)]),
        (b"# a='1'\n", []),
        (b"b='a=1'\n", []),
        (b"aa='1\n", []),
        (b"a='1'\na='2\n", [("a", 2, True)]),
        (b"a='1\n\nb; a=2 a=3\n\nexport a=1", [("a", 1, True), ("a", 3, False), ("a", 5, True)]),
    ],
)
def test_lines_that_cannot_be_judged_are_told(data, expected):
    assert expected == [(u.name, u.line, u.assigns) for u in unreadable(data, {"a"})]


def test_duplicates_are_told_with_their_lines():
    found = assignments(b"a='1'\n\nb='1'\na='2'\n")

    assert duplicates(found, {"a", "b"}) == {"a": (1, 4)}


@pytest.mark.parametrize("text", ["it's", "two\nlines", "cr\r", "nul\0", "esc\x1b[2J"])
def test_hostile_values_are_refused(text):
    assert refusal(text, b"")
    with pytest.raises(ValueError, match="`a`"):
        edit(b"", {"a": text})


@pytest.mark.parametrize("name", ["", "a b", "a=b", "-x", "a\n", "1a", "é"])
def test_hostile_names_are_refused(name):
    with pytest.raises(ValueError, match="cannot be the name"):
        edit(b"", {name: "1"})


def test_only_ascii_goes_into_a_file_that_is_not_utf8():
    assert "UTF-8" in refusal("\u00fc", b"# \xfc\n")
    assert refusal("u", b"# \xfc\n") == ""


def test_a_mark_may_hold_what_a_value_may_not():
    ref = SecretRef("cmd", "pass show 'vts'")

    assert f"a='{mark(ref)}'\n".encode() == edit(b"", {"a": mark(ref)})


def test_fifty_megabytes_are_no_trouble():
    chooser = random.Random(1)
    block = b"".join(
        b"hsm_%d='%d'\n# %s\n" % (i, i, chooser.randbytes(30).hex().encode()) for i in range(20_000)
    )
    data = block * (50_000_000 // len(block)) + b"x" * 1_000_000

    started = time.process_time()
    edited = edit(data, {"ems_enable": "YES"})

    assert edited == data + b"\nems_enable='YES'\n"
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    "line",
    [
        b"ems_enable=",
        b"ems_enable =x ",
        b"a=' ",
        b"' ",
        b" ",
        b"\t#",
        b"a",
        b"a=$",
        b"ems_enable;",
        b"\r",
        b"\0",
    ],
)
def test_no_line_can_make_reading_slow(line):
    data = (line * 1_000_000)[:2_000_000]

    started = time.process_time()
    unreadable(data, {"ems_enable"})
    edit(data + b"\n" + data, {"ems_enable": "YES"})

    assert time.process_time() - started < 5

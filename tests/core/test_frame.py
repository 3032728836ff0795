"""The frame parser against every cut and every byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.frame import BadFrame, FrameReader, Record

MARK = "m4rk"
WORDS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\n "), max_size=6), min_size=1, max_size=4
)
BODIES = st.binary(max_size=30) | st.sampled_from(
    [b"m4rk bye", b"\nm4rk", b"\nm4r", b"\n\n", b"m4rk event x"]
)
RECORDS = st.lists(
    st.tuples(WORDS, BODIES.filter(lambda body: b"\nm4rk " not in b"\n" + body + b"\nm4rk"[:5])), max_size=6
)


def framed(records) -> bytes:
    parts = [
        f"\n{MARK} {' '.join(words)}\n".encode() + (b"" if words[0] == "event" else body)
        for words, body in records
    ]
    return b"".join(parts) + f"\n{MARK} bye\n".encode()


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


@settings(deadline=None)
@given(RECORDS, st.lists(st.integers(0, 9), max_size=40))
def test_the_same_records_come_out_however_they_arrive(records, sizes):
    data = b"a banner" + framed(records)
    whole, pieces = FrameReader(MARK), FrameReader(MARK)
    at_once = whole.feed(data)
    bit_by_bit = [record for piece in cut(data, sizes) for record in pieces.feed(piece)]

    assert bit_by_bit == at_once
    assert (pieces.ended, pieces.noise) == (whole.ended, whole.noise) == (True, b"a banner")


@settings(deadline=None)
@given(RECORDS)
def test_what_was_said_is_what_is_heard(records):
    said = [
        Record(tuple(words), b"" if words[0] == "event" else body)
        for words, body in records
        if words != ["bye"]
    ]
    heard = [record for record in FrameReader(MARK).feed(framed(records)) if record.words != ("bye",)]

    assert heard == said


@settings(deadline=None)
@given(
    st.lists(
        st.binary(max_size=40) | st.sampled_from([b"\nm4rk ", b"\n", b"bye\n", b"event \xff\n", b"m4rk"])
    )
)
def test_no_byte_breaks_it(pieces):
    reader = FrameReader(MARK, limit=200)
    try:
        for piece in pieces:
            reader.feed(piece)
    except BadFrame:
        assert sum(map(len, pieces)) > 200


@pytest.mark.parametrize(
    "piece", [b"x" * 1000, b"\nm4rk event x\n" * 80, b"\nm4rk file 0\n" + b"x" * 990, b"\nm4rk " + b"y" * 994]
)
def test_an_answer_is_bounded_as_a_whole(piece):
    reader = FrameReader(MARK, limit=len(piece) * 9)
    for _ in range(9):
        reader.feed(piece)
    with pytest.raises(BadFrame, match="it is larger than"):
        reader.feed(piece)

"""A tape that was taken, as a line of bytes that sorts as the jobs are to run: a million of them fit into 150 MB."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEAD = struct.Struct(">QHQHH")  # opens, place, mtime, host, policy
_TAIL = struct.Struct(">QQQ")  # size, inode, moves
_BIAS = 2**63  # an mtime may be before 1970


class Candidate(NamedTuple):
    """`host` and `policy` are numbers in the plan; `word`: the token of a restore, the nonce of a second copy."""

    opens: int  # seconds: when its window lets it begin
    place: int  # see `Policy.place`
    mtime: int
    host: int
    policy: int
    path: str
    size: int
    inode: int
    moves: int  # bytes that go to tape or come back
    word: str = ""


def packed(c: Candidate) -> bytes:
    """First by when it may begin, then by priority, then the oldest; the rest only settles the order."""
    head = _HEAD.pack(c.opens, c.place, c.mtime + _BIAS, c.host, c.policy)
    tail = _TAIL.pack(c.size, c.inode, c.moves)
    return b"".join((head, c.path.encode("utf-8", "surrogateescape"), b"\0", tail, c.word.encode()))


def unpacked(line: bytes) -> Candidate:
    end = line.index(b"\0", _HEAD.size)
    opens, place, mtime, host, policy = _HEAD.unpack_from(line)
    size, inode, moves = _TAIL.unpack_from(line, end + 1)
    path = line[_HEAD.size : end].decode("utf-8", "surrogateescape")
    word = line[end + 1 + _TAIL.size :].decode()
    return Candidate(opens, place, mtime - _BIAS, host, policy, path, size, inode, moves, word)

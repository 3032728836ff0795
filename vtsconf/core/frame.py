"""Cuts a server's answer into records: a header line that starts with the mark, then bytes up to the next mark.

The mark is random for every request, so no file's content can be taken for a header, whatever it holds.
"""

from __future__ import annotations

from dataclasses import dataclass


class BadFrame(ValueError):
    """The answer does not follow the protocol, or is larger than it may be."""


@dataclass(frozen=True)
class Record:
    """`words` of the header line after the mark; `body` without the line feed that ends it."""

    words: tuple[str, ...]
    body: bytes = b""

    @property
    def kind(self) -> str:
        return self.words[0] if self.words else ""

    def rest(self, start: int) -> str:
        """The header's words from `start` on, as one text."""
        return " ".join(self.words[start:])


class FrameReader:
    """Takes the answer in pieces of any size; gives records as soon as they are whole.

    An `event` has no body and is given when its header line is.
    """

    def __init__(self, mark: str, *, limit: int = 64 * 1024 * 1024) -> None:
        self._edge = b"\n" + mark.encode() + b" "
        self._limit = limit  # bytes of the whole answer
        self._taken = 0
        self._pending = bytearray()
        self._open: tuple[str, ...] | None = None
        self._searched = 0
        self.noise = b""  # what came before the first record: a banner, an error of the shell
        self.ended = False  # the record `bye` was seen: the answer is whole

    def feed(self, data: bytes) -> list[Record]:
        """Records that became whole with `data`. Raises BadFrame when the bound is passed."""
        self._taken += len(data)
        if self._taken > self._limit:
            raise BadFrame(f"it is larger than {self._limit} bytes")
        self._pending += data
        records: list[Record] = []
        while (cut := self._cut()) is not None:
            records += self._turn(*cut)
        return records

    def _cut(self) -> tuple[bytes, tuple[str, ...]] | None:
        """The bytes before the next whole header line, and its words."""
        at = self._pending.find(self._edge, self._searched)
        if at < 0:
            self._searched = max(0, len(self._pending) - len(self._edge))
            return None
        start = at + len(self._edge)
        line_end = self._pending.find(b"\n", start)
        if line_end < 0:
            self._searched = at
            return None
        body, header = bytes(self._pending[:at]), self._pending[start:line_end].decode(errors="replace")
        del self._pending[: line_end + 1]
        self._searched = 0
        return body, tuple(header.split(" "))

    def _turn(self, body: bytes, words: tuple[str, ...]) -> list[Record]:
        """Close the open record with `body`; open the next, or give it at once when it has no body."""
        records = []
        if self._open is None:
            self.noise = (self.noise + body)[:4096]
        elif self._open[0] != "event":
            records.append(Record(self._open, body))
        self._open = words
        if words[0] == "event":
            records.append(Record(words))
        self.ended = words[0] == "bye"
        return records

"""What a hostile server can answer: a value, or Unreachable; never anything else, and never more than its bound."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.errors import Unreachable
from vtsconf.core.frame import BadFrame, FrameReader
from vtsconf.core.probe import FileKind, Query, ReadFile, Reading
from vtsconf.transport.answer import reading
from vtsconf.transport.server import Confirmed, Exit, Transaction
from vtsconf.transport.shell import ShellServer

PROBES = (ReadFile("/etc/a", 100), ReadFile("/etc/b", 100), Query("services/x y/status", ("true",)))
STAT = b"81a4 root root 644 1 1 3 7 /etc/a\n"
NUMBERS = st.sampled_from(["0", "1", "2", "-1", "²", "٣", "9" * 30, "", "1e3", "0x1", "None", "124", "137"])
WORD = NUMBERS | st.sampled_from(
    ["stats", "file", "files", "link", "other", "absent", "unreadable", "query", "exit", "pending", "lock", "debt", "settled", "clock",
     "result", "event", "bye", "armed", "services/x", "y/status", "services/x y/status", "\x1b[31m", "\0"]
)  # fmt: skip
STATLINES = st.lists(
    st.lists(NUMBERS | st.sampled_from(["81a4", "ffffffffffffffffffffffff", "41ed", "root", "/etc/a", "/etc/b", "\ud800"]), max_size=10)
    .map(" ".join), max_size=3,
).map("\n".join)  # fmt: skip
BODY = st.sampled_from(
    [b"", b"abc", STAT, STAT * 2, b"run x\nholder y\nsince 1\nuntil 2\n", "since ²\nuntil ٣".encode(), b"\xff\xfe", b"- event x\n- event"]
) | STATLINES.map(lambda text: text.encode(errors="replace"))  # fmt: skip
ANSWERS = st.lists(st.tuples(st.lists(WORD, min_size=1, max_size=4).map(" ".join), BODY), max_size=14)


def records_of(answer) -> list:
    data = b"".join(f"\nM {head}\n".encode(errors="replace") + body for head, body in answer) + b"\nM bye\n"
    return FrameReader("M").feed(data)


@settings(max_examples=300, deadline=None)
@given(ANSWERS)
def test_any_answer_is_a_reading_or_a_bad_frame(answer):
    try:
        seen = reading(records_of(answer), PROBES)
    except BadFrame:
        return

    assert isinstance(seen, Reading)
    assert set(seen.files) == {"/etc/a", "/etc/b"}
    for file in seen.files.values():
        assert (file.data is not None) == (file.kind is FileKind.FILE)
        assert len(file.data or b"") <= 100


TWO = b"81a4 root root 644 1 1 3 7 /etc/a\n81a4 root root 644 1 1 2 8 /etc/b\n"


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b"abcde", [(FileKind.FILE, b"abc"), (FileKind.FILE, b"de")]),
        (b"abcd", [(FileKind.UNSTABLE, None)] * 2),
        (b"abcdef", [(FileKind.UNSTABLE, None)] * 2),
        (b"", [(FileKind.UNSTABLE, None)] * 2),
    ],
)
def test_files_in_one_record_are_cut_apart_only_where_every_byte_is_accounted_for(body, seen):
    answer = [
        ("stats 1", TWO),
        ("files 0 1", body),
        ("stats 2", TWO),
        ("query services/x y/status", b""),
        ("exit x 0", b""),
    ]
    files = reading(records_of(answer), PROBES).files

    assert [(file.kind, file.data) for file in files.values()] == seen


def test_files_of_which_nothing_else_is_known_are_not_known():
    files = reading(records_of([("stats 1", STAT), ("files 0 1", b"abc"), ("stats 2", STAT)]), PROBES).files

    assert [file.kind for file in files.values()] == [FileKind.UNSTABLE] * 2


class Saying:
    """A session in which the server says what it likes, knowing the mark."""

    def __init__(self, *said: bytes, code: int | None = 0) -> None:
        self.said, self.code, self.heard = said, code, 0

    def execute(self, command, stdin, on_stdout) -> Exit:
        mark = next(line for line in b"".join(stdin).split(b"\n") if line.startswith(b"N="))[2:]
        for piece in self.said:
            self.heard += len(piece)
            on_stdout(piece.replace(b"MARK", mark))
        return Exit(code=self.code, stderr=b"sh: \x1b[2Jnot found\n")

    def close(self) -> None:
        pass


def server(session: Saying) -> ShellServer:
    marks = count(1)
    return ShellServer(session, new_mark=lambda: f"{next(marks):032x}")


TRANSACTION = Transaction(
    host="h", run="r", holder="me", state_dir="/var/lib/vtsconf", base=(), steps=(), restarts=(), services=(), confirm_within=9,
    probes=PROBES,
)  # fmt: skip
CALLS = {
    "read": lambda s: server(s).read(PROBES, "/var/lib/vtsconf"),
    "apply": lambda s: server(s).apply(TRANSACTION, {}, lambda _: None),
    "confirm": lambda s: server(s).confirm("r", (Query("h", ("true",)),), "/var/lib/vtsconf"),
    "revert": lambda s: server(s).revert("r", "why", "/var/lib/vtsconf"),
    "unlock": lambda s: server(s).unlock("/var/lib/vtsconf", force=True),
}
HOSTILE = {
    "nothing": (), "a banner": (b"Welcome!\n",), "another mark": (b"\nXYZ result armed\n\nXYZ bye\n",),
    "no end": (b"\nMARK result armed ok\n",), "empty records": (b"\nMARK \n\nMARK bye\n",), "end only": (b"\nMARK bye\n",),
    "no result": (b"\nMARK file 0\nabc\nMARK bye\n",), "result without a word": (b"\nMARK result\n\nMARK bye\n",),
    "numbers": ("\nMARK exit h ²\n\nMARK exit h 99999999999999999999999\n\nMARK result armed\n\nMARK bye\n".encode(),),
    "zeros": (b"\0" * 4096,), "half a mark": (b"\nMAR",), "bye inside": (b"x\nMARK bye\n\nMARK file 0\n",),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("said", HOSTILE)
def test_a_hostile_answer_is_a_value_or_unreachable(call, said):
    session = Saying(*HOSTILE[said])
    if said == "numbers" and call in ("confirm", "revert", "unlock"):
        assert isinstance(CALLS[call](session), Confirmed)
        return
    with pytest.raises(Unreachable, match=r"makes no sense|ended early"):
        CALLS[call](session)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "piece",
    [b"x" * 65536, b"\nMARK event " + b"e" * 9 + b"\n", b"\nMARK query x\n" + b"q" * 65536],
    ids=["flood", "events", "records"],
)
def test_an_endless_answer_is_cut_off(call, piece):
    """Each call has its own bound; none is larger than what was asked for and 16 MiB."""
    pieces = [piece * (65536 // len(piece) or 1)] * 400
    session = Saying(*pieces)
    with pytest.raises(Unreachable, match="makes no sense: it is larger"):
        CALLS[call](session)

    assert session.heard < 18 * 1024 * 1024


@settings(deadline=None)
@given(ANSWERS)
def test_any_answer_to_a_change_is_a_value_or_unreachable(answer):
    data = (
        b"".join(f"\nMARK {head}\n".encode(errors="replace") + body for head, body in answer)
        + b"\nMARK bye\n"
    )
    for call in CALLS.values():
        try:
            call(Saying(data))
        except Unreachable:
            continue

"""The event log: the documented lines, hostile ones, and that grep chooses what we would choose."""

from __future__ import annotations

import subprocess
from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.eventlog import LogLine, Severity, events, parse, select

# 6.04.01 Inst p.124, and the same event with the program that 6.04.02 added [8.3 Config p.173].
EIGHT = b"2006-08-28 16:25:18|WARNING|440002|5900-E|127.0.0.1|Tapeserver01|administrator|Access Control RESTORE OPEN defaults have been restored"
NINE = EIGHT.replace(b"administrator|", b"administrator||")
FIELDS = (
    "2006-08-28 16:25:18", "WARNING", "440002", "5900-E", "127.0.0.1", "Tapeserver01", "administrator", "",
    "Access Control RESTORE OPEN defaults have been restored",
)  # fmt: skip


@pytest.mark.parametrize("line", [EIGHT, NINE, EIGHT + b"\n", NINE + b"\r\n"])
def test_the_documented_line_with_eight_and_nine_fields(line):
    event = parse(line)

    assert event is not None
    assert FIELDS == astuple(event)
    assert Severity.WARNING is event.level


def test_a_program_and_bars_in_the_text():
    event = parse(b"t|INFO|220001|s|i|n|u|cron|a|b")

    assert event is not None
    assert ("cron", "a|b") == (event.program, event.text)


@pytest.mark.parametrize("line", [b"", b"\n", b"|||||", b"no bars at all", b"a|b|c|d|e|f|g", b"\xff" * 9])
def test_what_is_no_event(line):
    assert parse(line) is None


@pytest.mark.parametrize(
    ("severity", "number", "level"),
    [
        (b"ERROR", b"220001", Severity.ERROR),  # the word goes before the number
        (b"INFO", b"620001", Severity.INFO),
        (b" error ", b"", Severity.ERROR),
        (b"Fehler", b"620001", Severity.ERROR),  # a word of another language
        (b"", b"821013", Severity.CRITICAL),
        (b"", b"421013", Severity.WARNING),
        (b"", b"221013", Severity.INFO),
        (b"", b"121013", None),
        (b"", b"62001", None),
        (b"", b"62001x", None),
        (b"", "６２００００".encode(), None),
        (b"FATAL", b"x", None),
    ],
)
def test_the_severity(severity, number, level):
    event = parse(b"t|%s|%s|s|i|n|u||an ERROR" % (severity, number))

    assert event is not None
    assert level == event.level


def test_hostile_bytes_are_visible_and_bounded():
    event = parse(b"t|INFO|220001|s|i|n|u||\xff\x00" + b"x" * 100_000)

    assert event is not None
    assert event.text.startswith("\\xff\0xxx")
    assert len(event.text) < 5000


def test_a_line_without_its_end_is_not_there_yet():
    assert [FIELDS] == [astuple(event) for event in events(NINE + b"\nrubbish\n" + EIGHT)]
    assert [] == list(events(EIGHT))


@pytest.mark.parametrize("words", [(), ("FATAL",), ("ERROR|INFO",), ("",)])
def test_words_that_are_no_severity(words):
    with pytest.raises(ValueError, match=r"severity|valid"):
        select(words)


WORDS = st.sampled_from(
    ["INFO", "WARNING", "ERROR", "CRITICAL", "error", " ERROR ", "Fehler", "", "xERROR", "ERROR2"]
)
IDS = st.sampled_from(["220001", "440002", "620001", "821013", "6", "6200011", "x620001", ""])
TEXT = st.text(st.characters(codec="ascii", exclude_characters="\n\0"), max_size=30)
LINES = st.lists(
    st.tuples(WORDS, IDS, TEXT).map(lambda p: f"t|{p[0]}|{p[1]}|s|i|n|u||ERROR {p[2]}"), max_size=8
)


def chosen(lines: list[str], wanted: set[str]) -> list[str]:
    """As the server's grep would choose."""
    patterns = select(wanted)
    program = 'grep -E -i -e "$1" | grep -E -i -v -e "$2"'
    done = subprocess.run(
        ["sh", "-c", program, "sh", patterns.has, patterns.but],
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        check=False,
    )

    assert done.stderr == b""
    return done.stdout.decode().split("\n")[:-1]


def level(line: str) -> Severity | None:
    event: LogLine | None = parse(line.encode())
    return event.level if event else None


@settings(max_examples=60, deadline=None)
@given(LINES, st.sets(st.sampled_from(list(Severity)), min_size=1))
def test_grep_on_the_server_chooses_what_the_parser_would(lines, wanted):
    assert [line for line in lines if level(line) in wanted] == chosen(lines, wanted)

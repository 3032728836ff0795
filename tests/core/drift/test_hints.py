"""Hints: read from what an old, a strange or a hostile server says, and never more than it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.drift.finding import Class, Finding, Hint
from vtsconf.core.drift.hints import edited_at, hints, logins, questions
from vtsconf.core.probe import FileKind, FileSeen, QuerySeen, Reading

NOON = 1764072000  # 2025-11-25 12:00:00 UTC
LAST = """\
bill     pts/1        10.1.1.7         Tue Nov 25 11:50:00 2025   still logged in
vtsa     pts/0        vts-ops.bank     Tue Nov 25 10:00:00 2025 - Tue Nov 25 11:55:00 2025  (01:55)
early    pts/0        10.1.1.9         Tue Nov 25 08:00:00 2025 - Tue Nov 25 09:00:00 2025  (01:00)
later    pts/2        10.1.1.9         Tue Nov 25 13:00:00 2025   gone - no logout
console  tty1                          Tue Nov 25 11:59:00 2025 - crash                     (00:10)
reboot   system boot  2.6.18-8.el5     Mon Nov 24 00:00:00 2025   still running

wtmp begins Tue May 20 00:00:00 2025
"""
EVENTS = """\
2025-11-25 13:58:00|INFO|240001|5900-E|10.1.1.7|vts1|admin||Cartridge X erased in Pool X
2025-11-25 13:59:30|INFO|240002|5900-E|10.1.1.7|vts1|admin||VTS configuration file was edited
2025-11-25 11:59:30|INFO|240002|5900-E|10.1.1.8|vts1|other||VTS configuration file was edited
"""
JOURNAL = f"{NOON - 9000} r1 compared 3\n{NOON - 8000} r1 confirmed ops@here\n{NOON} - nonsense\n"


def answers(**said: str | None) -> Reading:
    usual = {"clock": f"{NOON} +0200\n", "logins": LAST, "events": EVENTS, "runs": JOURNAL}
    queries = {
        f"drift/{name}": QuerySeen(exit=0, stdout=text.encode())
        for name, text in (usual | said).items()
        if text is not None
    }
    return Reading(queries=queries)


def of_kind(found: tuple[Hint, ...], kind: str) -> list[tuple[int | None, str]]:
    return [(hint.at, hint.text) for hint in found if hint.kind == kind]


def test_what_stood_near_the_time_of_the_file() -> None:
    found = hints({"/c": NOON}, answers(), runs={"r1"})

    assert [(NOON, "/c was last written then")] == of_kind(found, "mtime")
    # The event log is in the server's own zone, two hours ahead.
    assert [(NOON - 30, "event 240002 by admin from 10.1.1.7: VTS configuration file was edited")] == of_kind(
        found, "event"
    )
    assert [
        (NOON - 600, "bill was logged in from 10.1.1.7 on pts/1, since then"),
        (NOON - 7200, "vtsa was logged in from vts-ops.bank on pts/0, since then"),
        (NOON - 60, "console was logged in on tty1, since then"),
    ] == of_kind(found, "login")
    assert [(NOON - 8000, "vtsconf itself was last at work here in run r1 (confirmed ops@here)")] == of_kind(
        found, "run"
    )


def test_a_run_that_our_journal_does_not_know_is_another_controllers() -> None:
    strange = of_kind(hints({"/c": NOON}, answers(), runs={"r0"}), "run")
    unread = of_kind(hints({"/c": NOON}, answers(), runs=None), "run")

    assert strange[0][1].endswith(", which this controller's journal does not know: another controller's")
    assert unread[0][1].endswith("(confirmed ops@here)")


def test_a_site_may_say_how_its_event_reads() -> None:
    found = hints({"/c": NOON}, answers(), edit_events=["Cartridge .* erased"])

    assert [NOON - 120] == [at for at, _ in of_kind(found, "event")]


def test_events_with_a_time_that_cannot_be_read_give_the_last_one_without_a_time() -> None:
    log = EVENTS.replace("2025-11-25", "25.11.2025")
    found = of_kind(hints({"/c": NOON}, answers(events=log)), "event")

    assert [
        (
            None,
            "event 240002 by other from 10.1.1.8 (25.11.2025 11:59:30): VTS configuration file was edited",
        )
    ] == found


def test_a_server_that_has_none_of_it_gives_no_hint_but_the_files_time() -> None:
    nothing = answers(clock=None, logins="", events=None, runs=None)

    assert ["mtime"] == [hint.kind for hint in hints({"/c": NOON}, nothing)]
    assert ["mtime"] == [hint.kind for hint in hints({"/c": NOON}, None)]


def test_an_answer_that_failed_is_none() -> None:
    failed = Reading(queries={"drift/logins": QuerySeen(exit=127, stdout=LAST.encode())})

    assert ["mtime"] == [hint.kind for hint in hints({"/c": NOON}, failed)]


def test_a_last_without_years_is_passed_over() -> None:
    assert [] == list(logins("root     pts/0        10.0.0.1     Tue Nov 25 11:50   still logged in\n"))


def test_only_where_something_was_edited_somebody_is_asked_for() -> None:
    files = {"/c": FileSeen(kind=FileKind.FILE, data=b"", mtime=NOON)}
    classes = {
        cls: edited_at([Finding(cls=cls, address="a/b", reason="", path="/c")], files) for cls in Class
    }

    assert {cls: {"/c": NOON} if cls is Class.EDITED else {} for cls in Class} == classes


def test_nobody_floods_the_report() -> None:
    many = "".join(LAST.splitlines(keepends=True)[:1]) * 200
    log = EVENTS.splitlines(keepends=True)[1] * 300
    found = hints({"/c": NOON}, answers(logins=many, events=log))

    assert (5, 5) == (len(of_kind(found, "login")), len(of_kind(found, "event")))


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300), st.text(max_size=30))
def test_whatever_a_server_says_is_a_printable_hint_or_none(
    last: str, log: str, journal: str, clock: str
) -> None:
    said = {"logins": LAST + last, "events": EVENTS + log + "\n", "runs": journal, "clock": clock}
    safe = {name: text.encode(errors="replace").decode() for name, text in said.items()}

    for hint in hints({"/c": NOON}, answers(**safe)):
        assert hint.text.isprintable()


def test_the_questions_change_nothing_and_end_by_themselves() -> None:
    asked = questions("/var/lib/vtsconf", "/log")

    assert ["date", "sh", "tail", "tail"] == [query.argv[0] for query in asked]
    assert all(0 < query.timeout <= 10 for query in asked)

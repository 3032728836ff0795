"""Who may have edited a server, and when: what stood near in time. Hints, and never facts.

That editing the configuration file leaves an event in the event log is documented [6.04.01 Ops p.158]; the text of that
event is in no manual that we know, so a heuristic looks for it unless `vts.drift.edit_events` says better.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from vtsconf.core import eventlog
from vtsconf.core.drift.finding import Class, Finding, Hint
from vtsconf.core.printable import printable
from vtsconf.core.probe import FileSeen, Query, Reading

_DEED = "(edit|chang|modif|sav|updat|writ)"
HEURISTIC = (f"(?i)config.{{0,60}}{_DEED}", f"(?i){_DEED}.{{0,60}}config")
_NEAR = 15 * 60  # seconds between the file's time and an event or the end of a login
_AFTER = 60  # seconds: clocks and logs are not that exact
_MOST = 5  # hints of one kind
_SECONDS = 10
_TAIL = 60_000  # bytes of the event log: less than a query may answer
# In UTC and in English; a `last` that is too old for -F has no year in its answer: then there is no hint.
_LAST = (
    "LC_ALL=C TZ=UTC0; export LC_ALL TZ; "
    "last -F -w -n 300 2>/dev/null || last -F -n 300 2>/dev/null || exit 0"
)
_CLOCK, _LOGINS, _EVENTS, _RUNS = "drift/clock", "drift/logins", "drift/events", "drift/runs"
_STAMP = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}")
_NOBODY = ("reboot", "shutdown", "runlevel", "wtmp", "btmp")
_RUN_LINE = re.compile(r"(?P<at>\d{1,12}) (?P<run>[A-Za-z0-9][A-Za-z0-9-]{0,63}) (?P<event>.*)")


def questions(state_dir: str, event_log: str) -> tuple[Query, ...]:
    """What to ask a server on which something was edited; all in one round trip."""
    return (
        Query(_CLOCK, ("date", "+%s %z"), _SECONDS),
        Query(_LOGINS, ("sh", "-c", _LAST), _SECONDS),
        Query(_EVENTS, ("tail", "-c", str(_TAIL), event_log), _SECONDS),
        Query(_RUNS, ("tail", "-n", "50", f"{state_dir}/journal"), _SECONDS),
    )


@dataclass(frozen=True, kw_only=True)
class Login:
    """A session of somebody. `until` is None where it goes on, or nobody knows how it ended."""

    user: str
    terminal: str
    origin: str
    since: int
    until: int | None


def edited_at(findings: Iterable[Finding], files: Mapping[str, FileSeen]) -> dict[str, int]:
    """When the files were last written in which something was edited, by the server's clock."""
    paths = dict.fromkeys(f.path for f in findings if f.cls is Class.EDITED and f.path)
    return {path: files[path].mtime for path in paths if path in files and files[path].mtime > 0}


def hints(
    written: Mapping[str, int],
    answers: Reading | None,
    *,
    edit_events: Sequence[str] = (),
    runs: Collection[str] | None = None,
) -> tuple[Hint, ...]:
    """What may tell who did it. `written`: when which file was; `runs`: those that our journal knows, None: unread."""
    found = [_mtime(path, at) for path, at in written.items()]
    if answers is None:
        return tuple(found)
    patterns = _patterns(edit_events or HEURISTIC)
    return (
        *found,
        *_edits(_output(answers, _EVENTS), _zone(answers), patterns, written.values()),
        *_present(logins(_text(answers, _LOGINS)), written.values()),
        *_last_run(_text(answers, _RUNS), runs),
    )


def _output(answers: Reading, name: str) -> bytes:
    seen = answers.queries.get(name)
    return seen.stdout if seen and seen.exit == 0 else b""


def _text(answers: Reading, name: str) -> str:
    return _output(answers, name).decode(errors="replace")


def _patterns(written: Iterable[str]) -> list[re.Pattern[str]]:
    return [re.compile(pattern) for pattern in written]


def _mtime(path: str, at: int) -> Hint:
    return Hint(kind="mtime", at=at, path=path, text=f"{printable(path)} was last written then")


def _zone(answers: Reading) -> timezone:
    """The server's own zone, in which its event log is written; UTC where it did not tell."""
    match = re.fullmatch(r"\d+ ([+-])(\d\d)(\d\d)", _text(answers, _CLOCK).strip())
    if match is None:
        return UTC
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset) if offset < timedelta(days=1) else UTC


def _edits(
    log: bytes, zone: timezone, patterns: Sequence[re.Pattern[str]], times: Collection[int]
) -> Iterator[Hint]:
    """Events that look like an edit: those near a file's time, or, where none has a time that can be read, the last."""
    looks = [e for e in eventlog.events(log) if any(p.search(e.text) for p in patterns)]
    dated = [(event, _moment(event.timestamp, zone)) for event in looks]
    near = [(e, at) for e, at in dated if at is not None and any(abs(at - time) <= _NEAR for time in times)]
    undated = [(e, at) for e, at in dated if at is None]
    for event, at in near[-_MOST:] or undated[-1:]:
        whose = f" by {printable(event.user, 40)}" if event.user.strip() else ""
        origin = f" from {printable(event.ip, 40)}" if event.ip.strip() else ""
        when = "" if at is not None else f" ({printable(event.timestamp, 40)})"
        text = f"event {printable(event.id, 12)}{whose}{origin}{when}: {printable(event.text, 200)}"
        yield Hint(kind="event", at=at, by=printable(event.user, 40), text=text)


def _moment(timestamp: str, zone: timezone) -> int | None:
    """The form that the manuals show; it depends on the server's locale, so others are left unread."""
    try:
        return int(datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        return None


def logins(text: str) -> Iterator[Login]:
    """The sessions in what `last -F` says in UTC; lines of another form are passed over."""
    for line in text.splitlines():
        stamps = list(_STAMP.finditer(line[:400]))
        words = line[: stamps[0].start()].split() if stamps else []
        if len(words) < 2 or words[0] in _NOBODY:
            continue
        times = [_utc(stamp[0]) for stamp in stamps]
        if times[0] is not None:
            yield Login(
                user=words[0],
                terminal=words[1],
                origin=words[2] if len(words) > 2 else "",
                since=times[0],
                until=times[1] if len(times) > 1 else None,
            )


def _utc(stamp: str) -> int | None:
    try:
        return int(datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _present(sessions: Iterable[Login], times: Collection[int]) -> Iterator[Hint]:
    """Who was logged in when a file was written, or had just left."""
    near = [login for login in sessions if any(_was_there(login, time) for time in times)]
    for login in near[:_MOST]:
        origin = f" from {printable(login.origin, 80)}" if login.origin else ""
        text = f"{printable(login.user, 40)} was logged in{origin} on {printable(login.terminal, 40)}, since then"
        yield Hint(kind="login", at=login.since, by=printable(login.user, 40), text=text)


def _was_there(login: Login, time: int) -> bool:
    return login.since <= time + _AFTER and (login.until is None or login.until >= time - _NEAR)


def _last_run(journal: str, runs: Collection[str] | None) -> Iterator[Hint]:
    lines = [match for line in journal.splitlines() if (match := _RUN_LINE.fullmatch(line))]
    if not lines:
        return
    last = lines[-1]
    strange = runs is not None and last["run"] not in runs
    whose = ", which this controller's journal does not know: another controller's" if strange else ""
    text = (
        f"vtsconf itself was last at work here in run {last['run']} ({printable(last['event'], 80)}){whose}"
    )
    yield Hint(kind="run", at=int(last["at"]), text=text)

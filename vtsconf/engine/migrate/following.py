"""Reads what is new in servers' event logs, and makes jobs of what the rules say: a request is acted on once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from vtsconf.core.emsrules import Decision, decide
from vtsconf.core.errors import Unreachable, VtsconfError
from vtsconf.core.eventlog import LogLine, events
from vtsconf.core.migrate.job import Job
from vtsconf.core.probe import Query, QuerySeen
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.requests import jobs_of
from vtsconf.engine.migrate.yard import Yard
from vtsconf.transport.server import Server

LOG = "/usr/local/tape/log/event.log"  # [6.03.42 Ops p.123; 6.04.01 Inst p.124]
_MOST = 48 * 1024  # bytes of news that are taken at once; the rest comes with the next look
# $1 the log, $2 inode and $3 offset of the mark ("" 0: none yet), $4 the most bytes.
# Prints one line, "KIND INODE OFFSET", and then the bytes from there: KIND is start, same, old (the rest of the log that
# was rotated away: LOG.N with the mark's inode while it is not packed yet, else the newest of LOG.N.gz
# [6.03.42 Ops p.123]; never an older one, whose requests were acted on already), new, or none.
_NEWS = (
    "LC_ALL=C; export LC_ALL; p=$1; was=$2; from=$3; most=$4; "
    '[ -f "$p" ] && [ -r "$p" ] || { echo "none 0 0"; exit 0; }; '
    'now=$(stat -L -c "%i %s" -- "$p"); is=${now% *}; end=${now#* }; '
    '[ -n "$was" ] || { echo "start $is $end"; exit 0; }; '
    'if [ "$is" = "$was" ] && [ "$end" -ge "$from" ]; then echo "same $is $from"; '
    'tail -c "+$((from + 1))" -- "$p" | head -c "$most"; exit 0; fi; '
    'rest() { case $old in *.gz) gzip -dc ;; *) cat ;; esac <"$old" 2>/dev/null'
    ' | tail -c "+$((from + 1))" | head -c "$1"; }; '
    'old=; for one in "$p".*; do case $one in *.gz) continue ;; esac; '
    '[ "$(stat -c %i -- "$one" 2>/dev/null)" = "$was" ] && old=$one; done; '
    '[ -n "$old" ] || old=$(ls -t -- "$p".*.gz 2>/dev/null | head -n 1); '
    'if [ -n "$old" ] && [ "$(rest 1 | wc -c)" -gt 0 ]; then echo "old $was $from"; rest "$most"; exit 0; fi; '
    'echo "new $is 0"; head -c "$most" -- "$p"'
)


@dataclass(frozen=True, kw_only=True)
class News:
    """New whole lines, and the mark after them: "INODE OFFSET"."""

    lines: tuple[bytes, ...] = ()
    mark: str = ""
    first: int = 0  # the offset of the first line, for telling equal lines apart


def question(path: str, mark: str) -> Query:
    """What is asked of a server, in one exec."""
    inode, _, offset = mark.partition(" ")
    return Query("news", ("sh", "-c", _NEWS, "sh", path, inode, offset or "0", str(_MOST)), 60)


def news_of(seen: QuerySeen | None, mark: str) -> News:
    """A half-written last line waits until it is whole; of a rotated log it is whole as it is."""
    head, _, data = (seen.stdout if seen and seen.exit == 0 else b"").partition(b"\n")
    words = head.decode("ascii", errors="replace").split(" ")
    if len(words) != 3 or not (words[1].isdecimal() and words[2].isdecimal()):
        return News(mark=mark)
    kind, inode, offset = words[0], words[1], int(words[2])
    if kind in {"none", "start"}:
        return News(mark=f"{inode} {offset}" if kind == "start" else mark)
    end = data.rfind(b"\n") + 1
    if kind == "old" and end == 0:
        end = len(data)
    if len(data) >= _MOST and end == 0:
        end = len(data)  # no line is that long: it is passed over
    lines = data[:end].removesuffix(b"\n").split(b"\n") if end else []  # a CR within a line ends none
    return News(lines=tuple(lines), mark=f"{inode} {offset + end}", first=offset)


@dataclass(kw_only=True)
class Follower:
    """`told` hears of every decision that is one."""

    book: Book
    yard: Yard
    run: str
    now: Callable[[], int]
    told: Callable[[str, LogLine, Decision], None] = field(default=lambda _host, _line, _decision: None)
    allowed: Collection[str] = ()  # the names of `--allow-erase`

    @property
    def hosts(self) -> list[str]:
        """The servers that have rules."""
        return [name for name, place in self.yard.places.items() if place.vts.rules]

    def look(self, host: str) -> int:
        """Returns how many jobs are new. Raises Unreachable: the mark stays, and the same is read next time."""
        return int(self.yard.with_server(host, lambda server, _: self._act(host, server)))

    def _act(self, host: str, server: Server) -> int:
        place = self.yard.place(host)
        mark = self.book.mark(host)
        asked = question(place.root + LOG, mark)
        seen = server.read((asked,), place.state_dir).queries.get("news")
        news = news_of(seen, mark)
        made = [
            job
            for number, line in enumerate(news.lines)
            for job in self._jobs(host, server, line, news, number)
        ]
        added = self.book.add(self.run, made, self.now())
        if news.mark != mark:
            self.book.set_mark(
                host, news.mark
            )  # after the jobs: what dies between is read again, and known by its name
        return len(added)

    def _jobs(self, host: str, server: Server, line: bytes, news: News, number: int) -> Iterator[Job]:
        place = self.yard.place(host)
        for event in events(line + b"\n"):
            decision = decide(event, place.vts.rules)
            if decision.action == "none" and not decision.rule:
                continue
            self.told(host, event, decision)
            text = f"{news.mark.split(' ')[0]} {news.first} {number}".encode() + line
            nonce = hashlib.sha256(text).hexdigest()[:16]
            try:
                yield from jobs_of(decision, place, server, self.book, nonce=nonce, allowed=self.allowed)
            except Unreachable:
                raise  # the mark stays: the event is read again
            except VtsconfError as error:
                self.told(host, event, Decision(action="none", rule=decision.rule, reason=str(error)))

"""Reads what is new in servers' event logs, and makes jobs of what the rules say: a request is acted on once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vtsconf.core.emsrules import Act, Decision, decide
from vtsconf.core.errors import Unreachable, VtsconfError
from vtsconf.core.eventlog import PATH, LogLine, parse
from vtsconf.core.migrate.job import Job
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.fitting import fitted
from vtsconf.engine.migrate.news import Mark, News, news_of, question
from vtsconf.engine.migrate.repeats import sentence, waiting_again
from vtsconf.engine.migrate.requests import jobs_of
from vtsconf.engine.migrate.yard import Yard
from vtsconf.transport.server import Server


@dataclass(kw_only=True)
class Follower:
    """`told` hears of every decision that is one, `missed` (host, why) of requests that may be lost."""

    book: Book
    yard: Yard
    run: str
    now: Callable[[], int]
    told: Callable[[str, LogLine, Decision], None] = field(default=lambda _host, _line, _decision: None)
    missed: Callable[[str, str], None] = field(default=lambda _host, _why: None)
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
        asked = question(place.root + PATH, mark)
        seen = server.read((asked,), place.state_dir).queries.get("news")
        news = news_of(seen, mark, self.now())
        if news.gap:
            self.missed(host, _missing(news, mark, place.root + PATH))
        answers = [self._answer(host, server, line, news) for line in news.lines]
        if news.mark != mark:
            # After the jobs: what dies between is read again, and known by its name.
            again = [id_ for answer in answers for id_ in answer.again]
            self.book.set_mark(host, news.mark, was=mark, again=again, now=self.now())
        return sum(answer.new for answer in answers)

    def _answer(self, host: str, server: Server, line: tuple[int, bytes], news: News) -> _Answer:
        """Act on one line, and say what came of it."""
        event, place = parse(line[1]), self.yard.place(host)
        decision = decide(event, place.vts.rules) if event else None
        if event is None or decision is None or (decision.action == "none" and not decision.rule):
            return _Answer()
        decision = fitted(decision, place)
        made, refusal = self._jobs(decision, host, server, nonce_of(news.log, *line))
        new = self.book.add(self.run, made, self.now())
        known = [entry for entry in self.book.on_list(made) if entry.id not in new]
        again = waiting_again(known, made)
        if new or not (known or refusal):
            self.told(host, event, decision)
        if known:
            action: Act = decision.action if again else "none"
            reason = sentence(known, again)
            self.told(host, event, Decision(action=action, rule=decision.rule, reason=reason))
        if refusal:
            self.told(host, event, Decision(action="none", rule=decision.rule, reason=refusal))
        return _Answer(new=len(new), again=tuple(again))

    def _jobs(self, decision: Decision, host: str, server: Server, nonce: str) -> tuple[list[Job], str]:
        """What it asks for, and why that is not all of it. Raises Unreachable: then the mark stays, and it is read again."""
        made: list[Job] = []
        try:
            place = self.yard.place(host)
            for job in jobs_of(decision, place, server, self.book, nonce=nonce, allowed=self.allowed):
                made.append(job)  # noqa: PERF402 those before a refusal count
        except Unreachable:
            raise
        except VtsconfError as error:
            return made, str(error)
        return made, ""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """How many jobs are new, and the ids of those that wait again."""

    new: int = 0
    again: tuple[str, ...] = ()


def nonce_of(log: str, offset: int, line: bytes) -> str:
    """Names one request, whoever reads it, in whatever pieces, before or after its log was rotated and packed."""
    return hashlib.sha256(f"{log} {offset} ".encode() + line).hexdigest()[:16]


def _missing(news: News, mark: str, path: str) -> str:
    """Between when and when requests may be lost, as far as anybody knows."""
    at = Mark.of(mark).at
    since = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else "the last look"
    first = parse(news.lines[0][1]) if news.lines else None
    until = f"{first.timestamp} (the first line that is there, by the server's clock)" if first else "now"
    return (
        f"requests may be lost between {since} and {until}: neither {path} nor a rotated one goes on from where reading"
        " was left, or one between cannot be read"
    )

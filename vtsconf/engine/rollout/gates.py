"""Asks the gates of a wave: one exec a server for all that is asked there, the controller's own commands beside it.

What cannot be asked is inconclusive, with the reason; nothing is raised, so that one server does not hide the others.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial

from vtsconf.core.connection import Target
from vtsconf.core.errors import VtsconfError, bug
from vtsconf.core.plan import HostPlan
from vtsconf.core.probe import Query, QuerySeen
from vtsconf.core.rollout.gate import Answer, Question, compare
from vtsconf.core.rollout.judge import Ruling, Secrets, judge, unsure
from vtsconf.core.rollout.state import Rollout
from vtsconf.engine.collect import endpoint
from vtsconf.engine.fan import fan
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.here import ask_here
from vtsconf.engine.rollout.newlines import judge_lines, looking, mark_of, marking

__all__ = ["ask", "compare", "marks_of"]

_LONGEST = 3600  # seconds for one question
_STOPPED = unsure("it was not asked: this controller was told to stop")
_TELLING = unsure(
    "it has no command: its words look as if they held a secret, and so were not written into the journal; have the command "
    "read it from a file or the environment"
)
_STRANGE = unsure(
    "it was not asked: the documents of this controller do not have it run this command; update your checkout (or put the "
    "strategy into its rollouts/), and `vtsconf rollout resume`"
)
# $1 the host, $2 the run; `exec` takes a word with "=" for a program, as `env` would not
_HOOKED = (
    "sh",
    "-c",
    'VTSCONF_HOST=$1 VTSCONF_RUN=$2; export VTSCONF_HOST VTSCONF_RUN; shift 2; exec "$@"',
    "sh",
)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What one thread does: the questions for one server, or one command here. `hosts` more than one: `once`."""

    hosts: tuple[str, ...]
    questions: tuple[Question, ...]

    @property
    def host(self) -> str:
        """Whom the answers speak of; "" for the wave."""
        return "" if self.questions[0].on == "once" else self.hosts[0]


# ---- before the wave


def marks_of(hosts: Sequence[str], rollout: Rollout, desk: Desk) -> dict[str, str]:
    """Where the event log of each server ends now: "INODE SIZE SUM" or "absent". Missing: it could not be had."""
    asked = {host: _log_question(rollout.questions.get(host, ())) for host in hosts}
    work = [(host, question) for host, question in asked.items() if question]

    def mark(item: tuple[str, Question]) -> str:
        host, question = item
        try:
            return mark_of(_read(host, [marking(question)], desk).get(question.gate))
        except Exception:  # noqa: BLE001 the gate says later that it has no mark; a bug of ours must not stop the wave
            return ""

    _find([host for host, _ in work], desk)
    done = fan(work, mark, parallel=desk.parallel, stop=desk.watch.stop, skipped=lambda _: "")
    found = {host: mark for (host, _), mark in done if mark}
    return {host: found[host] for host in hosts if host in found}


def _log_question(questions: Iterable[Question]) -> Question | None:
    return next((q for q in questions if q.kind == "event-log" and q.argv), None)


# ---- after it


def ask(wave: int, hosts: Sequence[str], rollout: Rollout, desk: Desk) -> list[Answer]:
    """Every answer about these servers, in the inventory's order and each one's questions' order; then of `once`.

    The gate "confirmed" is not asked here (`core.rollout.gate.confirmed`). Nothing is raised. `seconds` of what was asked
    on a server is the time of the whole exec.
    """
    del wave
    order = {name: place for place, name in enumerate(rollout.seen.hosts)}
    names = tuple(sorted(hosts, key=lambda name: order.get(name, len(order))))
    answers = {name: [_unwritten(name)] for name in names if name not in rollout.questions}
    work = [*_of_hosts(names, rollout), *_of_wave(names, rollout)]
    _find(names, desk)

    def one(item: _Work) -> list[Answer]:
        return _answers(item, rollout, desk)

    def skipped(item: _Work) -> list[Answer]:
        return [_answer(item, question, _STOPPED) for question in item.questions]

    for _, told in fan(work, one, parallel=desk.parallel, stop=desk.watch.stop, skipped=skipped):
        for answer in told:
            answers.setdefault(answer.host, []).append(answer)
    return [answer for name in (*names, "") for answer in _in_order(name, answers, rollout)]


def _find(hosts: Sequence[str], desk: Desk) -> None:
    """Look up the way to all of them at once; where that fails, each one's own look-up says why."""
    with suppress(VtsconfError):
        desk.targets(hosts)


def _unwritten(host: str) -> Answer:
    verdict, reason = unsure("the journal does not say what is to be asked of this server")
    return Answer(gate="questions", verdict=verdict, reason=reason, host=host)


def _of_hosts(names: Sequence[str], rollout: Rollout) -> Iterator[_Work]:
    """Slow things first: each server's questions, then what is asked here about each."""
    for name in names:
        if there := tuple(q for q in rollout.questions.get(name, ()) if q.on == "server"):
            yield _Work(hosts=(name,), questions=there)
    for name in names:
        for question in rollout.questions.get(name, ()):
            if question.on not in {"server", "once"}:
                yield _Work(hosts=(name,), questions=(question,))


def _of_wave(names: Sequence[str], rollout: Rollout) -> Iterator[_Work]:
    """What is asked once: of all the servers that have the question."""
    asked: dict[Question, list[str]] = {}
    for name in names:
        for question in rollout.questions.get(name, ()):
            if question.on == "once":
                asked.setdefault(question, []).append(name)
    return (_Work(hosts=tuple(about), questions=(question,)) for question, about in asked.items())


def _in_order(host: str, answers: Mapping[str, list[Answer]], rollout: Rollout) -> list[Answer]:
    places = {question.gate: place for place, question in enumerate(rollout.questions.get(host, ()))}
    return sorted(answers.get(host, []), key=lambda a: (places.get(a.gate, 0), a.gate if not host else ""))


def _answer(work: _Work, question: Question, ruling: Ruling, seconds: float = 0.0) -> Answer:
    verdict, reason = ruling
    return Answer(
        gate=question.gate, verdict=verdict, reason=reason, host=work.host, seconds=round(seconds, 3)
    )


def _answers(work: _Work, rollout: Rollout, desk: Desk) -> list[Answer]:
    """Every way it can end is an answer."""
    began = time.monotonic()
    there = work.questions[0].on == "server"
    try:
        rulings = _there(work, rollout, desk) if there else [_here(work, desk)]
    except VtsconfError as error:
        rulings = [unsure(f"it could not be asked: {error}")] * len(work.questions)
    except Exception as error:  # noqa: BLE001 a bug of ours on one server must not hide the others
        rulings = [unsure(f"it could not be asked: {bug(error)}")] * len(work.questions)
    seconds = time.monotonic() - began
    told = zip(work.questions, rulings, strict=True)
    return [_answer(work, question, ruling, seconds) for question, ruling in told]


# ---- on a server


def _there(work: _Work, rollout: Rollout, desk: Desk) -> list[Ruling]:
    (host,) = work.hosts
    asked = [_asking(question, host, rollout) for question in work.questions]
    queries = [query for query in asked if isinstance(query, Query)]
    seen = _read(host, queries, desk) if queries else {}
    secrets = cache(partial(_secrets, work.hosts, desk))
    return [
        _judged(question, seen.get(question.gate), secrets) if isinstance(query, Query) else query
        for question, query in zip(work.questions, asked, strict=True)
    ]


def _asking(question: Question, host: str, rollout: Rollout) -> Query | Ruling:
    """How it is asked; or why it cannot be."""
    question = bounded(question)
    if not question.argv:
        return _TELLING
    match question.kind:
        case "command":
            argv = (*_HOOKED, host, rollout.run, *question.argv)
            return Query(question.gate, argv, question.timeout)
        case "event-log":
            return looking(question, rollout.marks.get(host, ""))
    return unsure(f"this vtsconf does not know questions of the kind {question.kind!r}")


def bounded(question: Question) -> Question:
    """With a time-out that is one: `timeout 0` would wait for ever."""
    return replace(question, timeout=min(max(1, question.timeout), _LONGEST))


def _judged(question: Question, seen: QuerySeen | None, secrets: Secrets) -> Ruling:
    meaning = judge_lines if question.kind == "event-log" else judge
    return meaning(bounded(question), seen, secrets)


def _secrets(hosts: Iterable[str], desk: Desk) -> Collection[bytes]:
    """What the plans of these hosts have written there and nobody may see; none where they cannot be had."""
    try:
        known = [desk.order.secrets_of(desk.plan(host)) for host in hosts]
    except VtsconfError:
        return ()
    return [secret.reveal() for secrets in known for secret in secrets.values()]


def _read(host: str, queries: Sequence[Query], desk: Desk) -> Mapping[str, QuerySeen]:
    """One connection, one exec. Raises VtsconfError."""
    plan = desk.plan(host)
    server = desk.order.reach(_target(host, plan, queries, desk))
    try:
        return server.read(queries, plan.state_dir).queries
    finally:
        server.close()


def _target(host: str, plan: HostPlan, queries: Sequence[Query], desk: Desk) -> Target:
    """The server that was changed and no other, with time enough for a command that is silent until its end."""
    target = desk.targets([host]).get(host)
    if target is None:
        raise VtsconfError("it is not in the inventory")
    if plan.endpoint and plan.endpoint != endpoint(target):
        raise VtsconfError(f"{plan.endpoint} was changed; the inventory says {endpoint(target)} by now")
    longest, all_of_them = max(q.timeout for q in queries), sum(q.timeout for q in queries)
    return replace(
        target,
        idle_timeout=max(target.idle_timeout, longest + 30.0),
        total_timeout=max(target.total_timeout, all_of_them + 60.0),
    )


# ---- on the controller


def _here(work: _Work, desk: Desk) -> Ruling:
    question = bounded(work.questions[0])
    if not question.argv:
        return _TELLING
    if question.kind != "command" or question.on not in {"controller", "once"}:
        return unsure(f"this vtsconf cannot ask {question.kind!r} on {question.on!r}")
    if not _is_ours(question, work.hosts, desk):
        return _STRANGE
    names = {"VTSCONF_HOSTS": " ".join(work.hosts)} if question.on == "once" else {"VTSCONF_HOST": work.host}
    seen = ask_here(question.argv, {**names, "VTSCONF_RUN": desk.run}, question.timeout, desk.watch.stop)
    if seen is None:
        return _STOPPED
    return judge(question, seen, partial(_secrets, work.hosts, desk))


def _is_ours(question: Question, hosts: Iterable[str], desk: Desk) -> bool:
    """Whoever can write into the store may not have this machine run a command."""
    ours = desk.own_commands
    return ours is None or all(question.argv in ours(host) for host in hosts)

# ruff: noqa: S608  the statements are ours, their values stand apart
"""The book of jobs: a queue over all executors of a store, and the record of tapes that are proven on tape.

What happened to a job is in the append-only journal as well; a row here says only where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.left import Held
from vtsconf.core.migrate.progress import Stretch, Sum
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.turns import Limits, Load, Waiting, choose, hold
from vtsconf.engine.migrate import sums
from vtsconf.engine.store.database import Database, Row, Transaction, database

_COLUMNS = (
    "id, run, host, path, action, bma, policy, priority, seq, bytes, state, status, reason, not_before, attempt, owner,"
    " updated, wish, body"
)
_PERHAPS = Status.SUBMITTED.value  # the status of a job that waits, and whose run may be at work all the same
_OPEN = "open"  # the wish of a job that has ended, and that a later plan may ask for again
# What a new request puts to wait again. Of what may have run to its end (unproven, in doubt) a person decides.
AGAIN = (Status.FAILED, Status.PARKED, Status.CANCELLED)
_PAGE = 200  # waiting jobs that are looked at together
_POLICY = "host || '/' || policy"
_EVER = 2**62  # seconds since 1970: no moment is later
_ROOM = 1000  # rows of a listing that are read at once


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A job and where it stands. `state`: waiting, taken, ended. `wish`: "cancel", where somebody asked for it.

    `owner`: who took it last; "" when nobody has, or nothing of it is kept on its server any more.
    `attempt` counts from 1 whenever it is taken; `not_before` and `updated`: seconds since 1970; `detail` is what is known
    of its end (witnesses, seconds, output), and what the book itself has to remember between two turns.
    """

    job: Job
    run: str
    state: str
    status: Status
    reason: str = ""
    attempt: int = 0
    not_before: int = 0
    owner: str = ""
    updated: int = 0
    wish: str = ""
    detail: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def tried(self) -> int:
        """Attempts since a person last asked for it again, this one included; a server that was away costs none."""
        return self.attempt - int(self.detail.get("before", 0))

    @property
    def number(self) -> int:
        """Of its run on the server: that of an earlier turn, where nobody has learnt how that one went."""
        return int(self.detail.get("goes_on") or self.attempt)

    @property
    def is_open(self) -> bool:
        """It has ended, and a later plan may ask for it again."""
        return self.state == "ended" and self.wish == _OPEN

    def with_number(self, number: int) -> Entry:
        """The same, going on with the run of that number."""
        return replace(self, detail={**self.detail, "goes_on": number})

    @property
    def flow(self) -> str:
        """The name of the durable work that brings this attempt to its end."""
        return f"{self.id}#{self.attempt}"


class Book:
    """Over the store at `url`. Safe for threads, processes and machines. Times are seconds since 1970."""

    def __init__(self, url: str) -> None:
        self._db: Database = database(url, 60.0)

    # ---- filling

    def add(self, run: str, jobs: Iterable[Job], now: int) -> list[str]:
        """New jobs wait for their turn; those that are known already stay as they are, but for those that ended only because
        somebody had the tape. Returns the ids of those that wait now, and did not before.

        Nor is a restore new of a tape that another one is about to bring back.
        """
        wanted = list(jobs)

        def fill(open_: Transaction) -> list[str]:
            there = self._known(open_, wanted)
            open_again = [entry for entry in there if entry.is_open]
            rows = [(entry.attempt, json.dumps(dict(entry.detail)), entry.id) for entry in open_again]
            _revive(open_, rows, now, "planned again")
            known = {entry.id for entry in there}
            ((first,),) = open_.read("select coalesce(max(seq), 0) from jobs")
            coming = set(self._restores(open_, wanted))
            new = []
            for job in wanted:
                if job.id not in known and not (job.action == "restore" and _tape(job) in coming):
                    known.add(job.id)
                    coming |= {_tape(job)} if job.action == "restore" else set()
                    new.append(job)
            rows = [_row(job, run, first + number, now) for number, job in enumerate(new, 1)]
            marks = ", ".join("?" * len(_COLUMNS.split(",")))
            open_.write(f"insert into jobs ({_COLUMNS}) values ({marks}) on conflict (id) do nothing", rows)
            return [entry.id for entry in open_again] + [job.id for job in new]

        return self._db.transact(fill) if wanted else []

    def on_list(self, jobs: Sequence[Job]) -> list[Entry]:
        """Where these stand, and the restores that were on their way before them."""
        own = self._known(self._db, jobs)
        wanted = {_tape(job) for job in jobs} - {_tape(entry.job) for entry in own}
        return own + [entry for tape, entry in self._restores(self._db, jobs).items() if tape in wanted]

    def _known(self, open_: Transaction, jobs: Sequence[Job]) -> list[Entry]:
        ids = self._db.listed([job.id for job in jobs])
        return _entries(open_.read(f"select {_COLUMNS} from jobs where {self._db.among('id')}", (ids,)))

    def _restores(self, open_: Transaction, jobs: Sequence[Job]) -> dict[tuple[str, str], Entry]:
        """By host and path, those that have not ended, of tapes that these are to bring back."""
        paths = self._db.listed([_kept(job.cartridge) for job in jobs if job.action == "restore"])
        rows = open_.read(
            f"select {_COLUMNS} from jobs where action = 'restore' and state <> 'ended' and {self._db.among('path')}",
            (paths,),
        )
        return {_tape(entry.job): entry for entry in _entries(rows)}

    # ---- taking turns

    def take(self, owner: str, limits: Limits, most: int, now: int) -> list[Entry]:
        """The next jobs for this executor; all limits hold over all executors, whoever asks at the same time.

        Jobs of servers that it does not know, and others than it is for, are left to others.
        """

        def turn(open_: Transaction) -> list[Entry]:
            # One at a time: whoever holds this row decides.
            open_.write(
                "insert into troubles values ('turn', '', 0, 0, '') on conflict (kind, name) do nothing", [()]
            )
            open_.write("update troubles set count = count + 1 where kind = ? and name = ?", [("turn", "")])
            load = _load(
                open_.read(
                    "select id, host, path, bma, policy, state from jobs where state = 'taken'"
                    f" or (state = 'waiting' and status = '{_PERHAPS}')"
                )
            )
            found = choose(self._waiting(open_, load, limits, now), load, limits, most)
            open_.write(
                "update jobs set state = 'taken', status = ?, owner = ?, attempt = attempt + 1, updated = ?, reason = ''"
                " where id = ? and state = 'waiting'",
                [(Status.SUBMITTED.value, owner, now, job.id) for job in found],
            )
            return _entries(
                open_.read(
                    f"select {_COLUMNS} from jobs where {self._db.among('id')} order by priority, seq",
                    (self._db.listed([job.id for job in found]),),
                )
            )

        return self._db.transact(turn) if most > 0 else []

    def _waiting(self, open_: Transaction, load: Load, limits: Limits, now: int) -> Iterator[Waiting]:
        """Waiting jobs in their order, page by page; hosts and BMAs that are full are passed over unread."""
        priority, seq, id_ = -1, -1, ""
        while True:
            hosts, bmas, policies = load.full(limits)
            where, values = self._within(limits)
            rows = open_.read(
                "select id, host, path, bma, policy, bytes, priority, seq, action, status from jobs where state = 'waiting'"
                f" and not_before <= ? and (priority > ? or (priority = ? and (seq > ? or (seq = ? and id > ?))))"
                f" and not ({self._db.among('host')}) and not ({self._db.among('bma')}){where}"
                f" and not ({self._db.among(_POLICY)}) and (action = 'restore' or status = '{_PERHAPS}'"
                f" or not ({self._db.among('policy')} or {self._db.among('bma')}))"
                f" order by priority, seq, id limit {_PAGE}",
                (
                    *(now, priority, priority, seq, seq, id_),
                    *(self._db.listed(hosts), self._db.listed(bmas), *values, self._db.listed(policies)),
                    *(self._db.listed(limits.parked_of("policy")), self._db.listed(limits.parked_of("bma"))),
                ),
            )
            for id_, host, path, bma, policy, size, priority, seq, action, status in rows:
                yield Waiting(
                    id=id_,
                    host=host,
                    path=path,
                    bma=bma,
                    policy=policy,
                    bytes=size,
                    priority=priority,
                    seq=seq,
                    action=action,
                    goes_on=status == _PERHAPS,
                )
            if len(rows) < _PAGE:
                return

    def _within(self, limits: Limits) -> tuple[str, tuple[Any, ...]]:
        """A condition more, and its values: what whoever has these limits works for."""
        known = () if limits.known is None else (self._db.listed(sorted(limits.known)),)
        only = () if limits.only is None else (self._db.listed(sorted(limits.only)),)
        conditions = [(known, "host"), (only, "id")]
        where = "".join(f" and {self._db.among(column)}" for given, column in conditions if given)
        return where, (*known, *only)

    # ---- how they go

    def note(self, entry: Entry, status: Status, now: int, reason: str = "") -> None:
        """A taken job has come further."""
        self._db.write(
            "update jobs set status = ?, reason = ?, updated = ? where id = ? and attempt = ? and state = 'taken'",
            [(status.value, reason, now, entry.id, entry.attempt)],
        )

    def end(
        self,
        entry: Entry,
        status: Status,
        now: int,
        *,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        goes_on: bool = False,
        is_open: bool = False,
    ) -> None:
        """It ended for good; its place is free. Nothing happens to what is no longer in this attempt.

        `goes_on`: a person who asks for it again goes on with its run; `is_open`: so may a plan ask for it again.
        """
        number = entry.number if goes_on else 0
        body = json.dumps({**entry.detail, **(detail or {}), "goes_on": number})
        self._db.write(
            "update jobs set state = 'ended', status = ?, reason = ?, body = ?, updated = ?, wish = ?"
            " where id = ? and attempt = ? and state = 'taken'",
            [(status.value, reason, body, now, _OPEN if is_open else "", entry.id, entry.attempt)],
        )

    def again(
        self, entry: Entry, now: int, *, after: int, reason: str, goes_on: bool = False, is_free: bool = False
    ) -> None:
        """It waits for its next turn; its place is free. `goes_on`: with the run of this one; `is_free`: this one does not
        count as an attempt.
        """
        before = int(entry.detail.get("before", 0)) + is_free
        body = {**entry.detail, "before": before, "goes_on": entry.number if goes_on else 0}
        status = Status(_PERHAPS) if goes_on else Status.PLANNED
        self._db.write(
            "update jobs set state = 'waiting', status = ?, reason = ?, not_before = ?, updated = ?, body = ?"
            " where id = ? and attempt = ? and state = 'taken'",
            [(status.value, reason, now + after, now, json.dumps(body), entry.id, entry.attempt)],
        )

    def postpone(self, entry: Entry, now: int, *, after: int, reason: str) -> None:
        """It was taken too early: nothing was tried."""
        self._db.write(
            "update jobs set state = 'waiting', status = ?, reason = ?, not_before = ?, updated = ?, attempt = ?"
            " where id = ? and attempt = ? and state = 'taken'",
            [(Status.PLANNED.value, reason, now + after, now, entry.attempt - 1, entry.id, entry.attempt)],
        )

    # ---- asking

    def get(self, wanted: str) -> list[Entry]:
        """The job of that id, or those whose ids begin so."""
        return _entries(
            self._db.read(
                f"select {_COLUMNS} from jobs where id >= ? and id < ? order by seq, id",
                (wanted, f"{wanted}~"),
            )
        )

    def wish_of(self, id_: str) -> str:
        rows = self._db.read("select wish from jobs where id = ?", (id_,))
        return str(rows[0][0]) if rows else ""

    def wishes(self) -> frozenset[str]:
        """The ids of jobs that run, and that somebody wants otherwise."""
        return frozenset(
            row[0] for row in self._db.read("select id from jobs where state = 'taken' and wish <> ''")
        )

    def forgettable(self, host: str, before: int, most: int) -> list[Entry]:
        """Jobs of this server that were done before then, and of which it still keeps what they left.

        Of others a person may ask again, and then it counts what an earlier attempt has seen.
        """
        rows = self._db.read(
            f"select {_COLUMNS} from jobs where status = ? and owner <> '' and host = ? and updated < ? limit {most}",
            (Status.DONE.value, host, before),
        )
        return _entries(rows)

    def forgotten(self, ids: Sequence[str]) -> None:
        """Their server keeps nothing of them any more."""
        self._db.write("update jobs set owner = '' where id = ? and state = 'ended'", [(id_,) for id_ in ids])

    def taken(self) -> list[Entry]:
        """What runs, or is about to, anywhere."""
        return _entries(self._db.read(f"select {_COLUMNS} from jobs where state = 'taken' order by seq"))

    def entries(self, *, run: str = "", statuses: Sequence[Status] = ()) -> Iterator[Entry]:
        """All jobs, of one run or of all, oldest first; of these statuses only, where any are named."""
        names = self._db.listed([status.value for status in statuses or Status])
        of_run, values = (" and run = ?", (run,)) if run else ("", ())
        seq, last = -1, ""  # two planners may give the same number at the same time
        while True:
            rows = self._db.read(
                f"select {_COLUMNS} from jobs where (seq > ? or (seq = ? and id > ?)) and {self._db.among('status')}"
                f"{of_run} order by seq, id limit {_ROOM}",
                (seq, seq, last, names, *values),
            )
            yield from _entries(rows)
            if len(rows) < _ROOM:
                return
            last, seq = rows[-1][0], rows[-1][8]

    def counted(self, policies: Sequence[str], since: int) -> Iterator[Entry]:
        """Jobs of these policies that count for a budget which began `since`, and those that no plan does once more."""
        rows = self._db.read(
            f"select {_COLUMNS} from jobs where {self._db.among('policy')}"
            " and (state <> 'ended' or status <> ? or updated >= ?)",
            (self._db.listed(list(policies)), Status.DONE.value, since),
        )
        return map(_entry, rows)

    def counts(self, run: str = "") -> dict[str, int]:
        """How many jobs stand where, by status."""
        where, values = ("where run = ?", (run,)) if run else ("", ())
        return dict(self._db.read(f"select status, count(*) from jobs {where} group by status", values))

    def sums(self, since: int, now: int, run: str = "") -> list[Sum]:
        """Jobs and the bytes they move, of what is open and of what has ended `since` then."""
        return sums.open_and_ended(self._db, since, now, run)

    def standing(self, ids: Sequence[str]) -> dict[str, int]:
        """How many of these jobs stand where, by status."""
        return sums.standing(self._db, ids)

    def have_ended(self, ids: Sequence[str]) -> bool:
        """All of them, well or not."""
        return all(Status(status).is_final for status in self.standing(ids))

    def stretch(self) -> Stretch | None:
        """What the executors say of how long they are at work; None: none ever was."""
        return sums.stretch(self._db)

    def keep_stretch(self, stretch: Stretch) -> None:
        sums.keep_stretch(self._db, stretch)

    def waits(self, limits: Limits, now: int) -> list[Held]:
        """What is open, of what whoever has these limits works for."""
        return sums.waits(self._db, *self._within(limits), now)

    def is_idle(
        self,
        limits: Limits | None = None,
        *,
        before: int | None = None,
        shut: Collection[tuple[str, str]] = (),
    ) -> bool:
        """Nothing runs, and nothing could run now or later by itself, of what whoever has these limits works for.

        `before`: what may begin only later does not count; nor do jobs of the (host, policy) of `shut`, whose windows are
        closed for long.
        """
        limits = limits or Limits()
        parked = [self._db.listed(limits.parked_of(kind)) for kind in ("host", "bma", "policy")]
        bma, policy, host = (self._db.among(kind) for kind in ("bma", "policy", "host"))
        closed = self._db.listed([f"{at}/{name}" for at, name in shut])
        where, values = self._within(limits)
        rows = self._db.read(
            f"select 1 from jobs where (state = 'taken' or (state = 'waiting' and not_before <= ? and not ({host})"
            f" and (action = 'restore' or status = '{_PERHAPS}'"
            f" or not ({bma} or {policy} or {self._db.among(_POLICY)})))){where} limit 1",
            (_EVER if before is None else before, *parked, closed, *values),
        )
        return not rows

    # ---- a person's words

    def ask_cancel(self, ids: Sequence[str], now: int) -> None:
        """What waits is cancelled; what runs is asked to, and so is what may run on a server that is away."""

        def ask(open_: Transaction) -> None:
            open_.write(
                "update jobs set state = 'ended', status = ?, reason = 'cancelled before it ran', updated = ?"
                f" where id = ? and state = 'waiting' and status <> '{_PERHAPS}'",
                [(Status.CANCELLED.value, now, id_) for id_ in ids],
            )
            open_.write(
                "update jobs set wish = 'cancel', not_before = 0, updated = ? where id = ? and state <> 'ended'",
                [(now, id_) for id_ in ids],
            )

        self._db.transact(ask)

    def retry(self, ids: Sequence[str], now: int) -> None:
        """What ended otherwise than done waits for its turn again, with all its attempts before it."""

        def again(open_: Transaction) -> None:
            rows = open_.read(
                f"select attempt, body, id from jobs where state = 'ended' and status <> ?"
                f" and {self._db.among('id')}",
                (Status.DONE.value, self._db.listed(list(ids))),
            )
            _revive(open_, rows, now, "asked for again")

        self._db.transact(again)

    def abandon(self, ids: Sequence[str], now: int, reason: str) -> None:
        """Whatever waits or ended badly is done with."""
        self._db.write(
            "update jobs set state = 'ended', status = ?, reason = ?, updated = ?, wish = ''"
            " where id = ? and state <> 'taken' and status <> ?",
            [(Status.CANCELLED.value, reason, now, id_, Status.DONE.value) for id_ in ids],
        )

    # ---- servers that are away

    def away(self, host: str, reason: str, now: int) -> None:
        """It could not be reached: it is left alone for a while. What its other jobs meet in that time does not count."""

        def count(open_: Transaction) -> None:
            rows = open_.read("select count, since from troubles where kind = 'host' and name = ?", (host,))
            seen, since = rows[0] if rows else (0, 0)
            if not rows or now >= since + hold(seen):
                open_.write(
                    "insert into troubles (kind, name, count, since, reason) values ('host', ?, ?, ?, ?)"
                    " on conflict (kind, name) do update set count = excluded.count, since = excluded.since,"
                    " reason = excluded.reason",
                    [(host, seen + 1, now, reason)],
                )

        self._db.transact(count)

    def held(self, now: int) -> frozenset[tuple[str, str]]:
        """("host", name) of those that are left alone now."""
        return frozenset(
            ("host", name)
            for kind, name, count, since, _ in self.troubles()
            if kind == "host" and since <= now < since + hold(count)
        )

    # ---- troubles: error budgets

    def trouble(self, kind: str, name: str, reason: str, now: int) -> int:
        """One more failure in a row; returns how many there are now."""

        def count(open_: Transaction) -> int:
            open_.write(
                "insert into troubles (kind, name, count, since, reason) values (?, ?, 1, ?, ?)"
                " on conflict (kind, name) do update set count = troubles.count + 1, reason = excluded.reason",
                [(kind, name, now, reason)],
            )
            ((found,),) = open_.read("select count from troubles where kind = ? and name = ?", (kind, name))
            return int(found)

        return self._db.transact(count)

    def relief(self, *of: tuple[str, str]) -> None:
        """A success, or a person: the count of each (kind, name) begins anew."""
        if set(of) & {
            (kind, name) for kind, name, *_ in self.troubles()
        }:  # mostly there is none: nothing to write
            self._db.write("delete from troubles where kind = ? and name = ?", list(of))

    def troubles(self) -> list[tuple[str, str, int, int, str]]:
        """(kind, name, failures in a row, since when, the last reason)."""
        return self._db.read(
            "select kind, name, count, since, reason from troubles where kind <> 'turn' order by kind, name"
        )

    # ---- proofs

    def prove(self, proof: Proof, about: Mapping[str, Any] | None = None) -> None:
        """A tape is proven on tape. The same copy again: the tape is, once more, what was copied then."""
        body = json.dumps(dict(about or {}) | proof.to_json())
        self._db.write(
            "insert into proofs (host, path, token, size, mtime, inode, bma, at, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (host, path, token) do update set size = excluded.size, mtime = excluded.mtime,"
            " inode = excluded.inode, bma = excluded.bma, at = excluded.at, body = excluded.body",
            [
                (
                    proof.host,
                    _kept(proof.cartridge),
                    proof.token,
                    proof.size,
                    proof.mtime,
                    _signed(proof.inode),
                    proof.bma,
                    proof.at,
                    body,
                )
            ],
        )

    def proofs(self, host: str, paths: Sequence[str] | None = None) -> Iterator[tuple[Proof, dict[str, Any]]]:
        """Proofs of a host's tapes with what else is known of them, oldest first: the last of a path counts."""
        only, values = (
            ("", ())
            if paths is None
            else (f" and {self._db.among('path')}", (self._db.listed([_kept(path) for path in paths]),))
        )
        rows = self._db.read(
            f"select body from proofs where host = ?{only} order by at, path", (host, *values)
        )
        for (text,) in rows:
            body = json.loads(text)
            yield Proof.from_json(body), body

    def newest(self, host: str, paths: Sequence[str]) -> dict[str, Proof]:
        """The last proof of each of these tapes, by path."""
        return {proof.cartridge: proof for proof, _ in self.proofs(host, paths)}

    # ---- how far the event logs were read

    def mark(self, host: str) -> str:
        """Where reading goes on; "" when it was never read."""
        rows = self._db.read("select value from settings where name = ?", (f"event-log/{host}",))
        return str(rows[0][0]) if rows else ""

    def set_mark(self, host: str, mark: str, *, was: str, again: Sequence[str] = (), now: int = 0) -> bool:
        """All before it was acted on. False where the mark is not `was` any more: somebody else has read on meanwhile.

        `again`: jobs that wait again as it moves, where they ended as `AGAIN` says; so one request does that once.
        """
        name = f"event-log/{host}"

        def advance(open_: Transaction) -> bool:
            # Whoever writes this row first decides; the others wait here, and then see another mark.
            open_.write(
                "insert into settings (name, value) values (?, '') on conflict (name) do update set value = settings.value",
                [(name,)],
            )
            ((found,),) = open_.read("select value from settings where name = ?", (name,))
            if found != was:
                return False
            open_.write("update settings set value = ? where name = ?", [(mark, name)])
            rows = open_.read(
                f"select attempt, body, id from jobs where state = 'ended' and {self._db.among('status')}"
                f" and {self._db.among('id')}",
                (self._db.listed(AGAIN), self._db.listed(again)),
            )
            _revive(open_, rows, now, "asked for again by an event")
            return True

        return self._db.transact(advance)

    def close(self) -> None:
        self._db.close()


def _kept(path: str) -> str:
    """A path as a store can hold it: bytes that are no UTF-8 as escapes."""
    return json.dumps(path)[1:-1] if any(0xD800 <= ord(c) < 0xE000 for c in path) else path


def _revive(open_: Transaction, rows: Iterable[Row], now: int, reason: str) -> None:
    """Of (attempt, body, id): what has ended waits again, with all its attempts before it."""
    open_.write(
        "update jobs set state = 'waiting', status = ?, reason = ?, not_before = 0, wish = '', updated = ?, body = ?"
        " where id = ? and state = 'ended' and attempt = ?",
        [
            (
                Status.PLANNED.value,
                reason,
                now,
                json.dumps({**json.loads(body), "before": attempt}),
                id_,
                attempt,
            )
            for attempt, body, id_ in rows
        ],
    )


def _load(rows: Iterable[Row]) -> Load:
    load = Load()
    for id_, host, path, bma, policy, state in rows:
        if state == "taken":
            load.add(id_, host, path, bma, policy)
        else:
            load.tapes[host, path] = id_
    return load


def _signed(number: int) -> int:
    """As a column of 64 bits holds it: an inode may use all of them. The body has it as it is."""
    return (number + 2**63) % 2**64 - 2**63


def _tape(job: Job) -> tuple[str, str]:
    return job.host, job.cartridge


def _row(job: Job, run: str, seq: int, now: int) -> Row:
    return (
        job.id, run, job.host, _kept(job.cartridge), job.action, job.bma, job.policy, job.priority, seq, job.moves,
        "waiting", Status.PLANNED.value, "", 0, 0, "", now, "", json.dumps({"job": job.to_json()}),
    )  # fmt: skip


def _entries(rows: Sequence[Row]) -> list[Entry]:
    return [_entry(row) for row in rows]


def _entry(row: Row) -> Entry:
    body = json.loads(row[18])
    return Entry(
        job=Job.from_json(body["job"]), run=row[1], state=row[10], status=Status(row[11]), reason=row[12],
        not_before=row[13], attempt=row[14], owner=row[15], updated=row[16], wish=row[17], detail=body,
    )  # fmt: skip

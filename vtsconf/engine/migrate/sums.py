# ruff: noqa: S608  the statements are ours, their values stand apart
"""Sums over the book of jobs, by the database: a row for each status, however many jobs there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.left import Held
from vtsconf.core.migrate.progress import Stretch, Sum
from vtsconf.engine.store.database import Database

_STRETCH = "migrations/stretch"  # its row in the table of settings


def open_and_ended(db: Database, since: int, now: int, run: str = "") -> list[Sum]:
    """Of all jobs that are open, and those that have ended `since` then; of one run or of all."""
    of_run, values = (" and run = ?", (run,)) if run else ("", ())
    rows = db.read(
        "select status, policy, case when state = 'waiting' and not_before > ? then 1 else 0 end, count(*), sum(bytes),"
        f" min(not_before), max(not_before) from jobs where state in ('waiting', 'taken'){of_run} group by 1, 2, 3"
        f" union all select status, policy, 0, count(*), sum(bytes), 0, 0 from jobs where state = 'ended'"
        f" and updated >= ?{of_run} group by 1, 2",
        (now, *values, since, *values),
    )
    return [
        Sum(
            status=Status(status), policy=policy, is_held=bool(held), jobs=count, bytes=int(size), first=first, last=last
        )
        for status, policy, held, count, size, first, last in rows
    ]  # fmt: skip


def waits(db: Database, within: str, values: Sequence[Any], now: int) -> list[Held]:
    """What is open, `within` a condition and its values; what may begin only later apart."""
    rows = db.read(
        "select host, policy, bma, case when action = 'restore' or status = ? then 0 else 1 end,"
        " case when not_before > ? then 1 else 0 end, state, count(*), min(not_before) from jobs"
        f" where state in ('waiting', 'taken'){within} group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6",
        (Status.SUBMITTED.value, now, *values),
    )
    return [
        Held(
            host=host, policy=policy, bma=bma, is_bound=bool(bound), jobs=count, first=first if later else 0,
            is_at_work=state == "taken",
        )
        for host, policy, bma, bound, later, state, count, first in rows
    ]  # fmt: skip


def standing(db: Database, ids: Sequence[str]) -> dict[str, int]:
    """How many of these jobs stand where, by status; those that are not known are not counted."""
    rows = db.read(
        f"select status, count(*) from jobs where {db.among('id')} group by status", (db.listed(ids),)
    )
    return dict(rows)


def stretch(db: Database) -> Stretch | None:
    """What the executors say of their work; None: there never was any."""
    rows = db.read("select value from settings where name = ?", (_STRETCH,))
    return Stretch.from_json(json.loads(rows[0][0])) if rows else None


def keep_stretch(db: Database, now: Stretch) -> None:
    """For whoever looks from another process, and for the executor that comes after one that was killed."""
    db.write(
        "insert into settings (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
        [(_STRETCH, json.dumps(now.to_json()))],
    )

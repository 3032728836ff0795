"""Which run holds which server, over all controllers of a store. A claim is a row: it outlives the process that made it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from vtsconf.core.errors import Locked
from vtsconf.core.printable import printable
from vtsconf.engine.store.database import Database, Row, Transaction

_OVER = "run in (select run from events where action = 'run-finished')"  # such a claim holds nothing
_ALL = f"select host, run, holder, since from claims where not {_OVER} and"  # noqa: S608 fixed text
_SHOWN = 3  # hosts that a refusal names


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`since`: seconds since 1970."""

    run: str
    holder: str
    since: int


def take(db: Database, run: str, hosts: Collection[str], holder: str, at: int) -> None:
    """All of these hosts for `run`, or none: raises Locked. What the run has already stays as it is."""
    names = sorted(set(hosts))  # everybody in the same order, so that no two wait for each other

    def try_all(open_: Transaction) -> None:
        open_.write(f"delete from claims where {_OVER}", [()])  # noqa: S608 its controller died before it let go
        open_.write(
            "insert into claims (host, run, holder, since) values (?, ?, ?, ?) on conflict (host) do nothing",
            [(name, run, holder, at) for name in names],
        )
        others = open_.read(
            f"{_ALL} run <> ? and {db.among('host')} order by since, run, host", (run, db.listed(names))
        )
        if others:
            raise _locked(others)

    db.transact(try_all)


def release(db: Database, run: str) -> None:
    """All that the run holds."""
    db.write("delete from claims where run = ?", [(run,)])


def held(db: Database, hosts: Collection[str]) -> dict[str, Claim]:
    """Those of these hosts that a run holds."""
    rows = db.read(f"{_ALL} {db.among('host')} order by host", (db.listed(sorted(set(hosts))),))
    return {host: Claim(run=run, holder=holder, since=since) for host, run, holder, since in rows}


def _locked(rows: Sequence[Row]) -> Locked:
    _, run, holder, since = rows[0]
    names = [row[0] for row in rows if row[1] == run]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    others = f"; {len(rows) - len(names)} more by other runs" if len(rows) > len(names) else ""
    told = ", ".join(printable(name, 80) for name in names[:_SHOWN])
    when = f"{datetime.fromtimestamp(since).astimezone():%Y-%m-%d %H:%M:%S}"
    shown = printable(run, 80)
    return Locked(
        f"{told}{more}: held by run {shown} of {printable(holder, 80)} since {when}{others}",
        remedy=f"`vtsconf rollout status {shown}` shows how far it is; `vtsconf rollout abort {shown}` ends it",
    )

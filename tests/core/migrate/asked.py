"""Tapes, proofs and policies for these tests."""

from __future__ import annotations

from typing import Any

from vtsconf.core.migrate.judge import Judge
from vtsconf.core.migrate.plan import MigrationPlan, Part
from vtsconf.core.migrate.policy import Policy, Select
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.why import Why

NOW = 1_795_608_000  # 2026-11-25T12:00:00Z, a Wednesday
DAY = 86_400
PATH = "/VAULT01/PROD1/T00001"


def tape(path: str = PATH, *, age: int = 30 * DAY, **more: Any) -> Tape:
    """5000 bytes, a month old."""
    return Tape(
        **{"path": path, "size": 5000, "mtime": (NOW - age) * 10**9, "inode": 7, "allocated": 8192} | more
    )


def proof(of: Tape | None = None, **more: Any) -> Proof:
    """Of this very tape, by both witnesses, five days ago."""
    of = of or tape()
    return Proof(
        **{
            "host": "vts1", "cartridge": of.path, "size": of.size, "mtime": of.mtime, "inode": of.inode, "bma": "tsm",
            "token": "vtsconf-1", "at": 1_795_161_600,
        } | more
    )  # fmt: skip


def migrate(name: str = "m", **more: Any) -> Policy:
    return policy(name, "migrate", **more)


def policy(name: str, action: Any, select: Select | None = None, **more: Any) -> Policy:
    return Policy(name=name, action=action, bma="tsm", select=select or Select(), **more)


def judged(
    policies: list[Policy], tapes: list[Tape], proofs: dict[str, Proof] | None = None, **more: Any
) -> Judge:
    judge = Judge(policies, NOW, proofs=(proofs or {}).get, **more)
    for one in tapes:
        judge.see(one)
    judge.end()
    return judge


def planned(*judges: Judge, **more: Any) -> MigrationPlan:
    parts = [Part(host=f"vts{number}", judge=judge) for number, judge in enumerate(judges, 1)]
    return MigrationPlan(**{"made": NOW, "now": NOW, "parts": parts} | more)


def whys(judge: Judge, one: Tape) -> dict[str, Why]:
    return {policy.name: why for policy, why, _ in judge.verdicts(one)}

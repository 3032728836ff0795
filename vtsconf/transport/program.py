"""Builds the sh programs that a server runs: the library, then calls whose every word is quoted.

A word that a person or a server gave never reaches a shell unquoted, and control characters never reach it.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from vtsconf.core.duration import LONGEST
from vtsconf.core.probe import Probe, Query, ReadFile
from vtsconf.core.secret import Secrets
from vtsconf.core.step import RunCommand, Service
from vtsconf.transport import putting
from vtsconf.transport.bounds import check, check_place
from vtsconf.transport.putting import Put, puts_of
from vtsconf.transport.server import Transaction
from vtsconf.transport.words import call

RESTART_TIMEOUT = 120  # seconds; a service that takes longer is taken for one that hangs
STATUS_TIMEOUT = 20
_LIBRARY_ENDS = ": end of the library"
_COMMENT = re.compile(r"\s{2,}# [^'\"`$]*$")  # behind code; in none of our strings


@dataclass(frozen=True)
class Program:
    """One exec: the command line, and what is fed to it. `payload` may hold secrets; it is never shown."""

    body: bytes
    payload: tuple[bytes, ...] = ()

    @property
    def command(self) -> str:
        """POSIX sh. Holds no byte of the request, and no character for which a login shell needs a second one."""
        return f'B=$(head -c {len(self.body)}); eval "$B"'

    @property
    def stdin(self) -> tuple[bytes, ...]:
        return (self.body, *self.payload)


@cache
def _script(name: str) -> str:
    """Its code alone: what it says to people is not sent."""
    lines = (Path(__file__).parent / "sh" / name).read_text().splitlines()
    bare = (_COMMENT.sub("", line.strip()) for line in lines)
    return "".join(f"{line}\n" for line in bare if line and not line.startswith("#"))


def _library() -> str:
    """What the reverter keeps a copy of; the server cuts it out of what it was sent."""
    return _script("lib.sh").partition(_LIBRARY_ENDS)[0]


def _head(mark: str, state_dir: str, run: str = "-") -> list[str]:
    check_place(state_dir, run)
    return [f"N={mark}", f"S={shlex.quote(state_dir)}", f"R={shlex.quote(run)}", "P=$S/pending/$R"]


def _hooks(host: str, run: str) -> list[str]:
    """What a site's own commands find in their environment."""
    return [
        f"VTSCONF_HOST={shlex.quote(host)}; VTSCONF_RUN={shlex.quote(run)}",
        "export VTSCONF_HOST VTSCONF_RUN",
    ]


def _files(probes: Iterable[Probe]) -> list[ReadFile]:
    return [p for p in probes if isinstance(p, ReadFile)]


def _looks(probes: Sequence[Probe]) -> list[str]:
    """Calls that show every file and query; files of one limit together."""
    numbered = enumerate(_files(probes))
    return [
        *(_show(limit, list(same)) for limit, same in groupby(numbered, key=lambda pair: pair[1].limit)),
        *(call("vt_query", q.name, q.timeout, *q.argv) for q in probes if isinstance(q, Query)),
        "vt_ledger",
    ]


def _show(limit: int, numbered: Sequence[tuple[int, ReadFile]]) -> str:
    first, _ = numbered[0]
    return call("vt_show", first, limit + 1, *(read.path for _, read in numbered))


def _program(lines: Iterable[str], *parts: str, payload: tuple[bytes, ...] = ()) -> Program:
    body = "\n".join([*(_script(part) for part in ("lib.sh", *parts)), *lines])
    return Program(body.encode("utf-8", "surrogateescape"), payload)


def read_program(probes: Sequence[Probe], state_dir: str, mark: str) -> Program:
    """Settle what a dead run left, then show everything asked for."""
    return _program([*_head(mark, state_dir), "vt_settle", *_looks(probes), "vt_frame bye"])


def confirm_program(
    run: str, health: Sequence[Query], state_dir: str, mark: str, *, host: str, who: str
) -> Program:
    """Ask the health checks, then keep the change; or take it back."""
    return _program(
        [
            *_head(mark, state_dir, run),
            *_hooks(host, run),
            "vt_settle",
            "vt_must_be_armed",
            *(call("vt_health", q.name, q.timeout, *q.argv) for q in health),
            call("vt_accept", who),
        ],
        "confirm.sh",
    )


def revert_program(run: str, reason: str, state_dir: str, mark: str) -> Program:
    """Take an armed change back now."""
    return _program(
        [
            *_head(mark, state_dir, run),
            "vt_settle",
            "vt_try_again",
            "vt_must_be_armed",
            call("vt_refuse", reason),
        ],
        "confirm.sh",
    )


def unlock_program(state_dir: str, mark: str, *, force: bool) -> Program:
    """Remove a lock whose process is dead; with `force`, any lock that has nothing armed."""
    return _program(
        [*_head(mark, state_dir), "vt_settle_armed", call("vt_unlock", "force" if force else "")],
        "confirm.sh",
    )


def apply_program(transaction: Transaction, secrets: Secrets, key: str, mark: str) -> Program:
    """The whole transaction. `key` is the controller's fingerprint key (printable)."""
    t = transaction
    check(t)
    puts = puts_of(t, secrets)
    commands = [(n, s) for n, s in enumerate(t.steps) if isinstance(s, RunCommand)]
    services = {s.name: s for s in t.services}
    restarts = [services[name] for name in t.restarts if services[name].restart]
    owed = list(dict.fromkeys([*t.restarts, *(name for step in t.steps for name in step.restart)]))
    revert = _revert_text(t, puts, commands, [services.get(name, Service(name=name)) for name in owed])
    lines = [
        *_head(mark, t.state_dir, t.run),
        *_hooks(t.host, t.run),
        f"K={shlex.quote(key)}",
        "vt_look() {",
        *_looks(t.probes),
        "}",
        f'L=${{B%%"{_LIBRARY_ENDS}"*}}',
        f"REVERT={shlex.quote(revert)}",
        call("vt_begin", t.holder, t.confirm_within + RESTART_TIMEOUT),
        *putting.expect(t.base),
        *(_expect_check(step) for _, step in commands),
        call("vt_compared", len(t.base)),
        *putting.stage(puts),
        *putting.save(puts, f"{t.state_dir}/pending/.new.{t.run}/revert.sh", _digest_of(revert)),
        *(call("vt_debt", name) for name in owed),
        call("vt_indebted", *owed),
        call("vt_arm", t.holder, t.confirm_within),
        *putting.swap(puts),
        *(_command(n, s) for n, s in commands),
        *(call("vt_restart", s.name, RESTART_TIMEOUT, *s.restart) for s in restarts),
        *(call("vt_status", s.name, STATUS_TIMEOUT, *s.status) for s in restarts if s.status),
        "vt_done",
    ]
    payload = tuple(data for put in puts if put.staging for data in put.staging.payload)
    return _program(lines, "apply.sh", payload=payload)


def _digest_of(revert: str) -> str:
    """Of the whole program that the reverter keeps, as vt_room writes it."""
    return hashlib.sha256(f"{_library()}{revert}\n".encode("utf-8", "surrogateescape")).hexdigest()


def _expect_check(step: RunCommand) -> str:
    return call("vt_expect_check", step.name, "passes" if step.undo else "fails", step.timeout, *step.check)


def _command(number: int, step: RunCommand) -> str:
    return call("vt_command", number, step.name, step.timeout, *(step.revert if step.undo else step.run))


def _revert_text(
    transaction: Transaction,
    puts: Sequence[Put],
    commands: Sequence[tuple[int, RunCommand]],
    touched: Sequence[Service],
) -> str:
    """The program that the reverter keeps: how this transaction is taken back, or forgotten when kept."""
    undo = [
        *(
            call("vt_undo_command", n, s.timeout, *(s.run if s.undo else s.revert))
            for n, s in reversed(commands)
        ),
        *putting.undo(puts),
        *(call("vt_undo_restart", s.name, RESTART_TIMEOUT, *s.restart) for s in touched),
    ]
    forget = putting.forget(puts)
    return "\n".join(
        [
            *_head("-", transaction.state_dir, transaction.run),
            *_hooks(transaction.host, transaction.run),
            "vt_undo() {",
            *(undo or [":"]),
            "}",
            "vt_forget() {",
            *(forget or [":"]),
            "}",
            "case $1 in",
            f"  watch) vt_watch {int(transaction.confirm_within)} {LONGEST} ;;",
            "  finish) vt_decided=$2; vt_finish ;;",
            "esac",
            "# end",
        ]
    )

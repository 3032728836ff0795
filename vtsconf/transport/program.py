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
from pathlib import Path

from vtsconf.core import live
from vtsconf.core.duration import LONGEST
from vtsconf.core.errors import Refused
from vtsconf.core.plan import base_of
from vtsconf.core.probe import Probe, Query, ReadFile
from vtsconf.core.secret import SecretRef, Secrets
from vtsconf.core.step import Base, PutFile, RunCommand, Service
from vtsconf.transport.bounds import check, check_place
from vtsconf.transport.server import Transaction

RESTART_TIMEOUT = 120  # seconds; a service that takes longer is taken for one that hangs
STATUS_TIMEOUT = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # and what is half a character


@dataclass(frozen=True)
class Program:
    """One exec: the command line, and what is fed to it. `payload` may hold secrets; it is never shown."""

    body: bytes
    payload: tuple[bytes, ...] = ()

    @property
    def command(self) -> str:
        """Holds no byte of the request; one line, so that any login shell takes it."""
        return f"exec sh -c 'B=$(head -c {len(self.body)}); eval \"$B\"'"

    @property
    def stdin(self) -> tuple[bytes, ...]:
        return (self.body, *self.payload)


@cache
def _script(name: str) -> str:
    return (Path(__file__).parent / "sh" / name).read_text()


def call(function: str, *words: object) -> str:
    """One line of sh. Refuses control characters and half characters: no word that is ours has any."""
    for word in words:
        if _CONTROL.search(str(word)):
            raise Refused(f"a word for the server holds a control character: {str(word)!r}")
    return " ".join([function, *(shlex.quote(str(w)) for w in words)])


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
    """Calls that show every file and query; files between two `stat`s that must agree."""
    reads = _files(probes)
    stats = [call("vt_stats", *(r.path for r in reads))] if reads else []
    return [
        "vt_frame stats 1",
        *stats,
        *(call("vt_file", number, read.limit + 1, read.path) for number, read in enumerate(reads)),
        "vt_frame stats 2",
        *stats,
        *(call("vt_query", q.name, q.timeout, *q.argv) for q in probes if isinstance(q, Query)),
        "vt_ledger",
    ]


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
    puts = [(n, s) for n, s in enumerate(t.steps) if isinstance(s, PutFile)]
    commands = [(n, s) for n, s in enumerate(t.steps) if isinstance(s, RunCommand)]
    services = {s.name: s for s in t.services}
    restarts = [services[name] for name in t.restarts if services[name].restart]
    owed = list(dict.fromkeys([*t.restarts, *(name for step in t.steps for name in step.restart)]))
    revert = _revert_text(t, puts, commands, [services.get(name, Service(name=name)) for name in owed])
    payload: list[bytes] = []
    lines = [
        *_head(mark, t.state_dir, t.run),
        *_hooks(t.host, t.run),
        f"K={shlex.quote(key)}",
        "vt_look() {",
        *_looks(t.probes),
        "}",
        f"L={shlex.quote(_script('lib.sh'))}",  # the reverter keeps a copy
        f"REVERT={shlex.quote(revert)}",
        call("vt_begin", t.holder, t.confirm_within + RESTART_TIMEOUT),
        *(_expect(base) for base in t.base),
        *(_expect_check(step) for _, step in commands),
        call("vt_compared", len(t.base)),
        *(_stage(n, step, secrets, payload) for n, step in puts if step.after),
        call("vt_staged", sum(1 for _, step in puts if step.after)),
        *(call("vt_validate", n, s.path, *s.validate) for n, s in puts if s.after and s.validate),
        "vt_validated",
        *(_save(n, step) for n, step in puts),
        "vt_saved",
        *(call("vt_debt", name) for name in owed),
        call("vt_indebted", *owed),
        call("vt_arm", t.holder, t.confirm_within) + ' "$REVERT"',
        *(call("vt_swap" if s.after else "vt_remove", n, s.path) for n, s in puts),
        call("vt_swapped", *dict.fromkeys(s.path.rpartition("/")[0] or "/" for _, s in puts)),
        *(_command(n, s) for n, s in commands),
        *(call("vt_restart", s.name, RESTART_TIMEOUT, *s.restart) for s in restarts),
        *(call("vt_status", s.name, STATUS_TIMEOUT, *s.status) for s in restarts if s.status),
        "vt_done",
    ]
    return _program(lines, "apply.sh", payload=tuple(payload))


def _expect(base: Base) -> str:
    keyed = "keyed" if base.keyed else "plain"
    return call("vt_expect", base.path, base.digest or "absent", keyed, base.owner, base.group, base.mode)


def _save(number: int, step: PutFile) -> str:
    before = base_of(step.path, step.before)
    return call("vt_save", number, step.path, before.digest or "absent", "keyed" if before.keyed else "plain")


def _expect_check(step: RunCommand) -> str:
    return call("vt_expect_check", step.name, "passes" if step.undo else "fails", step.timeout, *step.check)


def _command(number: int, step: RunCommand) -> str:
    return call("vt_command", number, step.name, step.timeout, *(step.revert if step.undo else step.run))


def _stage(number: int, step: PutFile, secrets: Secrets, payload: list[bytes]) -> str:
    """How one file is staged: from stdin, from a backup on the server, or from stdin and live bytes in turn."""
    after = step.after
    assert after is not None
    dress = (after.owner, after.group, after.mode)
    if after.content is None:
        return call("vt_stage_kept", number, step.path, after.kept, *dress, after.digest)
    if live.paths([after.content]):
        parts = [_part(part, secrets, payload) for part in after.content.parts]
        return "\n".join(
            [
                call("vt_stage_parts", number, step.path),
                *parts,
                call("vt_staged_parts", step.path, *dress, after.digest),
            ]
        )
    data = after.content.resolve(secrets)
    payload.append(data)
    return call("vt_stage", number, step.path, len(data), *dress, hashlib.sha256(data).hexdigest())


def _part(part: bytes | SecretRef, secrets: Secrets, payload: list[bytes]) -> str:
    if isinstance(part, SecretRef) and part.provider == live.PROVIDER:
        path, start, stop = live.cut(part)
        return call("vt_part_live", start + 1, stop - start, path)
    data = secrets[part].reveal() if isinstance(part, SecretRef) else part
    payload.append(data)
    return call("vt_part", len(data))


def _revert_text(
    transaction: Transaction,
    puts: Sequence[tuple[int, PutFile]],
    commands: Sequence[tuple[int, RunCommand]],
    touched: Sequence[Service],
) -> str:
    """The program that the reverter keeps: how this transaction is taken back, or forgotten when kept."""
    undo = [
        *(
            call("vt_undo_command", n, s.timeout, *(s.run if s.undo else s.revert))
            for n, s in reversed(commands)
        ),
        *(call("vt_undo_file", n, s.path) for n, s in reversed(puts)),
        *(call("vt_undo_restart", s.name, RESTART_TIMEOUT, *s.restart) for s in touched),
    ]
    forget = [call("vt_forget_file", n, s.path) for n, s in puts]
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
            "  finish) vt_finish ;;",
            "esac",
            "# end",
        ]
    )

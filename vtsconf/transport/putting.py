"""The files of a transaction as calls of `sh/apply.sh`: compared, staged, saved, swapped, forgotten.

Where a server can do something for all files in one process, one call names them all, and a call a file follows that
takes its part of the answer: a process costs a server more than anything else here.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from vtsconf.core import live
from vtsconf.core.plan import base_of
from vtsconf.core.secret import SecretRef, Secrets
from vtsconf.core.step import Base, PutFile
from vtsconf.transport.server import Transaction
from vtsconf.transport.words import call, call_for_all

# What every shell can hold in quotes and write itself: staging it starts no process. Its digest is compared like any other's.
_SHORT_TEXT = re.compile(rb"[\t\n -~]{0,16384}")


@dataclass(frozen=True, kw_only=True)
class Staging:
    """How new bytes come to stand beside their target, and what they must be then."""

    lines: tuple[str, ...]
    payload: tuple[bytes, ...] = ()  # what they take from stdin
    digest: str
    keyed: bool = False  # the digest is the controller's own: some of the bytes never left the server


@dataclass(frozen=True, kw_only=True)
class Put:
    """One file of a transaction, with the names that the server gives to what becomes of it (vt_near)."""

    number: int
    step: PutFile
    run: str
    state_dir: str
    staging: Staging | None  # None: the file is removed

    @property
    def path(self) -> str:
        return self.step.path

    @property
    def base(self) -> Base:
        return base_of(self.path, self.step.before)

    @property
    def directory(self) -> str:
        """Without the slash at its end: "" is the root."""
        return self.path.rpartition("/")[0]

    @property
    def new(self) -> str:
        """The staged file."""
        return f"{self.directory}/.vtsconf.{self.run}.{self.number}.new"

    @property
    def old(self) -> str:
        """What the swap took away."""
        return f"{self.directory}/.vtsconf.{self.run}.{self.number}.old"

    @property
    def aside(self) -> str:
        """The same, between two renames."""
        return f"{self.path}.vtsconf-{self.run}"

    @property
    def copy(self) -> str:
        """The old bytes in the backup."""
        return f"{self.state_dir}/backup/{self.run}/{self.number}"

    @property
    def swap(self) -> str:
        """The function that makes the change."""
        if not self.staging:
            return "vt_remove"
        return "vt_swap" if self.step.before else "vt_make"

    def call(self, function: str, *words: object) -> str:
        return call(function, self.number, self.path, *words)


def puts_of(t: Transaction, secrets: Secrets) -> list[Put]:
    """The files that `t` puts or removes."""
    return [
        Put(number=n, step=step, run=t.run, state_dir=t.state_dir, staging=_staging(n, step, secrets))
        for n, step in enumerate(t.steps)
        if isinstance(step, PutFile)
    ]


def _staging(number: int, step: PutFile, secrets: Secrets) -> Staging | None:
    """From stdin, from a backup on the server, or from stdin and live bytes in turn."""
    after = step.after
    if after is None:
        return None
    if after.content is None:
        kept = call("vt_stage_kept", number, step.path, after.kept)
        return Staging(lines=(kept,), digest=after.digest, keyed=True)
    if live.paths([after.content]):
        begin = call("vt_stage_parts", number, step.path)
        lines, payload = _parts(after.content.parts, secrets)
        return Staging(lines=(begin, *lines), payload=payload, digest=after.digest, keyed=True)
    data = after.content.resolve(secrets)
    digest = hashlib.sha256(data).hexdigest()
    if _SHORT_TEXT.fullmatch(data) and not any(isinstance(part, SecretRef) for part in after.content.parts):
        line = call("vt_stage_text", number, step.path)
        return Staging(lines=(f"{line} {shlex.quote(data.decode())}",), digest=digest)
    line = call("vt_stage", number, step.path, len(data))
    return Staging(lines=(line,), payload=(data,), digest=digest)


def _parts(parts: Sequence[bytes | SecretRef], secrets: Secrets) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    lines: list[str] = []
    payload: list[bytes] = []
    for part in parts:
        if isinstance(part, SecretRef) and part.provider == live.PROVIDER:
            path, start, stop = live.cut(part)
            lines.append(call("vt_part_live", start + 1, stop - start, path))
            continue
        data = secrets[part].reveal() if isinstance(part, SecretRef) else part
        payload.append(data)
        lines.append(call("vt_part", len(data)))
    return tuple(lines), tuple(payload)


def expect(base: Sequence[Base]) -> list[str]:
    """Compare what a plan was made from with what is there."""
    return [
        *call_for_all("vt_sums", [b.path for b in base if not b.keyed]),
        *call_for_all("vt_dresses", [b.path for b in base if _is_dressed(b)]),
        *(line for b in base for line in _expect_one(b)),
    ]


def _is_dressed(base: Base) -> bool:
    """The plan speaks of its owner, group or mode."""
    return bool(base.digest and (base.owner or base.group or base.mode))


def _expect_one(base: Base) -> list[str]:
    lines = [call("vt_expect", base.path, base.digest or "absent", _kind(base.keyed))]
    if _is_dressed(base):
        mode = f"{int(base.mode, 8):o}" if base.mode else ""
        lines.append(call("vt_expect_dress", base.path, base.owner, base.group, mode))
    return lines


def _kind(keyed: bool) -> str:
    return "keyed" if keyed else "plain"


def stage(puts: Sequence[Put]) -> list[str]:
    """Write the new bytes beside their targets, compare them, give them owner and mode."""
    owners: dict[str, list[str]] = {}
    modes: dict[str, list[str]] = {}
    lines: list[str] = []
    wholes: list[str] = []
    dresses: list[str] = []
    for put in puts:
        after, staging = put.step.after, put.staging
        if not after or not staging:
            continue
        lines += staging.lines
        wholes.append(put.call("vt_whole", staging.digest, _kind(staging.keyed)))
        if after.owner or after.group:
            owners.setdefault(after.owner + (after.group and f":{after.group}"), []).append(put.new)
        modes.setdefault(after.mode, []).append(put.new)
        dresses.append(put.call("vt_dress", after.owner, after.group, after.mode))
    plain = [put.new for put in puts if put.staging and not put.staging.keyed]
    return [
        *lines,
        *call_for_all("vt_sums", plain),
        *wholes,
        *(call("vt_chown", who, *files) for who, files in owners.items()),
        *(call("vt_chmod", mode, *files) for mode, files in modes.items()),
        *dresses,
        call("vt_staged", len(wholes)),
        *(put.call("vt_validate", *put.step.validate) for put in puts if put.staging and put.step.validate),
        "vt_validated",
    ]


def save(puts: Sequence[Put], revert_program: str, revert_digest: str) -> list[str]:
    """Copy the old bytes; compare them, their copies, and the revert program that is at hand as `$REVERT`."""
    copies = [put.copy for put in puts if put.step.before]
    staged = [put.new for put in puts if put.staging]
    return [
        'vt_room "$REVERT"',
        *(put.call("vt_copy") for put in puts if put.step.before),
        call("vt_sums", revert_program, *(name for put in puts for name in _saved(put))),
        call("vt_able", revert_digest),
        *(
            put.call("vt_save", put.base.digest or "absent", _kind(put.base.keyed), "new" * bool(put.staging))
            for put in puts
        ),
        call("vt_flush", revert_program, *copies, *staged),
        "vt_saved",
    ]


def _saved(put: Put) -> list[str]:
    """What vt_save takes the digests of, in turn."""
    return [put.path, *[put.copy] * bool(put.step.before), *[put.new] * bool(put.staging)]


def swap(puts: Sequence[Put]) -> list[str]:
    """Every rename; then what the renames took away is compared, all at once."""
    taken = [put for put in puts if put.step.before]
    return [
        *(put.call(put.swap) for put in puts),
        *call_for_all("vt_sums", [put.old for put in taken]),
        *(put.call("vt_taken") for put in taken),
        *call_for_all("vt_tidy", [put.new for put in puts if put.swap == "vt_make"]),
        call("vt_swapped", *dict.fromkeys(put.directory or "/" for put in puts)),
    ]


def undo(puts: Sequence[Put]) -> list[str]:
    """Take the swaps back."""
    return [put.call("vt_undo_file") for put in reversed(puts)]


def forget(puts: Sequence[Put]) -> list[str]:
    """The change is kept: nothing of it stays beside the targets."""
    taken = [put for put in puts if put.step.before]
    return [
        *call_for_all("vt_sums", [put.old for put in taken]),
        *(put.call("vt_forget_file") for put in taken),
        *call_for_all("vt_tidy", [name for put in puts for name in (put.old, put.new, put.aside)]),
    ]

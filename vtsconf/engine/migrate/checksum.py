"""The SHA-256 of a tape, taken on its server: it tells what size, mtime and inode cannot. Optional: each one reads the tape.

It is a detached run as every other: found again by its name, cancelled, ended at its time-out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vtsconf.bma.contract import Command
from vtsconf.bma.judging import TIMED_OUT
from vtsconf.core.migrate.job import Status
from vtsconf.engine.migrate.attempt import NOBODY, Attempt, Ending, output_of, refused
from vtsconf.transport.runs import Guard, RunState

# From stdin: of a name with a backslash it would print something else.
SUM = ("sh", "-c", 'sha256sum <"$1"', "sh")
_SHOWN = re.compile(r"([0-9a-f]{64})(?: [ *]-)?\n?")
_DAY = 86400  # seconds: a large tape takes hours
_TIMES = 3  # that a sum is begun in one attempt, when its server is restarted


def summed(attempt: Attempt) -> Attempt | Ending:
    """The attempt with the checksum that the tape has before anything is done, where its job asks for one."""
    if not attempt.job.checksum:
        return attempt
    found = _sum(attempt, "sum-before", attempt.as_planned)
    if isinstance(found, Ending):
        return replace(found, reason=f"not started: {found.reason}")
    return replace(attempt, checksum=found)


def changed(attempt: Attempt, detail: Mapping[str, Any]) -> Ending | None:
    """Once more, now that a copy is in the catalogue; None: as before, or nobody asked. `detail`: what is known so far."""
    if not attempt.checksum:
        return None
    now = _sum(attempt, "sum-after")
    if isinstance(now, Ending):
        # The copy is there: a second attempt would make another one.
        status = now.status if now.status is Status.CANCELLED else Status.UNPROVEN
        reason = f"archived, and found in the catalogue; {now.reason}"
        return replace(now, status=status, reason=reason, retry=False, detail={**now.detail, **detail})
    if now == attempt.checksum:
        return None
    reason = f"the tape changed meanwhile: its checksum {attempt.checksum} → {now}"
    return Ending(status=Status.UNPROVEN, reason=reason, detail=detail)


def unlike(attempt: Attempt, recorded: str, *guards: Guard) -> Ending | None:
    """That the tape is not what was copied; None: it is, or no checksum of the copy is on record."""
    if not recorded:
        return None
    now = _sum(attempt, "sum", *guards)
    if isinstance(now, Ending):
        return now
    if now == recorded:
        return None
    # Another reading of the copy may come out well.
    reason = f"its checksum is {now}, and that of the copy {recorded}"
    return Ending(status=Status.FAILED, reason=reason, retry=True)


def word(said: str, checksum: str) -> str:
    """What the witness "file" says."""
    return f"{said}, and its checksum is the same" if checksum else said


def _sum(attempt: Attempt, step: str, *guards: Guard) -> str | Ending:
    """As `sha256:…`, or why there is none."""
    state = _run(attempt, step, guards)
    if attempt.is_cancelled:
        return Ending(status=Status.CANCELLED, reason="cancelled while its checksum was taken")
    if state.state == "refused":
        return replace(refused(state), reason=state.reason)
    shown = _SHOWN.fullmatch(output_of(state).text)
    if state.state == "ended" and state.exit == 0 and shown:
        return f"sha256:{shown[1]}"
    return _no_sum(state)


def _run(attempt: Attempt, step: str, guards: tuple[Guard, ...], number: int = 1) -> RunState:
    """Begun anew where it was lost with its server: nobody minds that a tape is read again."""
    alone = replace(attempt, migrator=NOBODY)  # no BMA is at work, so none is asked to cancel
    command = Command(argv=(*SUM, attempt.job.cartridge), timeout=_DAY)
    name = f"{attempt.job.mark}-{step}-{number}"
    state = alone.run(alone.spec(name, command, *guards), may_cancel=True)
    is_again = state.state == "lost" and number < _TIMES and not attempt.is_cancelled
    return _run(attempt, step, guards, number + 1) if is_again else state


def _no_sum(state: RunState) -> Ending:
    """Without the sum that was asked for nothing goes on as if it were good."""
    output = output_of(state)
    if state.state != "ended":
        why, is_again = "its run was lost with its server", True
    elif state.exit == 127:
        why, is_again = "the server has no sha256sum; to do: install it (coreutils), then retry", False
    elif state.exit == TIMED_OUT:
        why, is_again = "the tape was not read through in a day; to do: look how its disk does", False
    else:
        said = f"sha256sum ended with {state.exit} and said {output.text[:200]!r}"
        why, is_again = f"{said}; to do: try `sha256sum <TAPE` there, then retry", False
    return Ending(
        status=Status.FAILED,
        reason=f"its checksum could not be taken: {why}",
        retry=is_again,
        detail={"exit": output.exit, "said": output.text[-2000:]},
    )

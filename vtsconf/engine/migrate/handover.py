"""Hands a tape over to the server's own VTSPolicy command: VTS runs the BMA and marks the tape; the catalogue proves it.

The copy has no mark of ours, and VTS may go on when its command has ended. So a line is given only after the catalogue has
said what it holds; only a copy that was not there then is the one that VTS has made; and a line that may have been taken is
never given again by itself, whatever happens to us, to the connection or to the server meanwhile.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from vtsconf.bma.contract import Command, Located, Verdict, fresh
from vtsconf.bma.judging import TIMED_OUT
from vtsconf.core.errors import Refused, Unreachable
from vtsconf.core.migrate.job import Status
from vtsconf.core.problem import errors
from vtsconf.core.vtspolicy.render import render
from vtsconf.core.vtspolicy.write import write
from vtsconf.engine.migrate import checksum
from vtsconf.engine.migrate.attempt import Attempt, Ending, output_of, refused, told
from vtsconf.resources.desired import is_cluster
from vtsconf.transport.runs import RunState

_FIRST, _LONGEST = 1.0, 300.0  # seconds between two questions to the catalogue
_NOT_THERE = (126, 127)  # a shell's codes for a command that is not there, or cannot be run

Copies = tuple[Located, ...]


def hand_over(attempt: Attempt) -> Ending:
    """Exit 0 means "accepted", unless the documents say that the command waits for the BMA."""
    job, vts = attempt.job, attempt.place.vts
    if vts.vtspolicy is None:
        raise Refused(
            f"the VTSPolicy command of {job.host} is not known",
            remedy="set vts.vtspolicy.command, or submit: run",
        )
    command = Command(argv=(*vts.vtspolicy.command, line_for(attempt)))
    number = attempt.entry.attempt
    if (earlier := _earlier(attempt)) is not None:
        if _may_be_taken(attempt, earlier):
            number = earlier.attempt
        elif made := _made(attempt, earlier):
            if not _is_good(earlier):
                return _left_behind(earlier, made)
            number = earlier.attempt
    summed = checksum.summed(attempt.with_number(number))
    return summed if isinstance(summed, Ending) else _given(summed, command)


def _given(attempt: Attempt, command: Command) -> Ending:
    """The line itself, by the number of the attempt that it is given by, or was."""
    number = attempt.entry.number
    before = _copies(attempt, f"before{number}", number)
    if before is None:
        return _unanswered()
    state = attempt.run(attempt.spec(attempt.job.mark, command, attempt.as_planned), may_cancel=True)
    return _taken(attempt, state, before) if _is_good(state) else _not_taken(attempt, state)


def line_for(attempt: Attempt) -> str:
    """The policy's line for this one tape. Raises Refused where there is no such line in this release."""
    job, vts = attempt.job, attempt.place.vts
    policy = vts.policies.get(job.policy)
    if policy is None:
        raise Refused(f"the policy {job.policy!r} is not in the documents any more", remedy="abandon the job")
    *_, vault, pool, cartridge = job.cartridge.split("/")
    only = policy.select.model_copy(update={"vaults": (vault,), "pools": (pool,), "cartridges": (cartridge,)})
    one = replace(vts, policies={job.policy: policy.model_copy(update={"select": only})})
    rendered = render(job.policy, one, host=job.host, is_cluster=is_cluster(vts))
    if wrong := errors(rendered.problems):
        raise Refused(wrong[0].what, remedy=wrong[0].remedy)
    if len(rendered.lines) != 1:
        raise Refused(
            f"{job.cartridge} needs {len(rendered.lines)} VTSPolicy lines", remedy="write submit: run"
        )
    line = rendered.lines[0]
    if line.tapes is None or line.tapes.cartridge != cartridge:
        raise Refused(f"no VTSPolicy line can name {job.cartridge} alone", remedy="write submit: run")
    return write(line)


# ---- what an earlier attempt has left


def _earlier(attempt: Attempt) -> RunState | None:
    """How the line that an earlier attempt has given stands; None where none has."""
    state = attempt.newest()
    return state if 0 < state.attempt < attempt.entry.attempt else None


def _may_be_taken(attempt: Attempt, earlier: RunState) -> bool:
    """VTS may be at it, so this attempt goes on with it. Not where VTS has said no, or a person has asked anew since."""
    entry = attempt.entry
    since = entry.attempt - entry.tried + 1  # the first attempt after that
    return earlier.attempt >= min(since, entry.number) and not _said_no(earlier)


def _made(attempt: Attempt, earlier: RunState) -> Located | None:
    """What has come of an earlier line since it was given, as far as the catalogue says so."""
    before = _copies(attempt, f"before{earlier.attempt}", earlier.attempt)
    return None if before is None else _new(attempt, before)


def _left_behind(earlier: RunState, made: Located) -> Ending:
    """It is not given once more: that would make a second copy."""
    return Ending(
        status=Status.UNPROVEN,
        reason=f"the VTSPolicy command {_how(earlier)}, yet the catalogue has a new copy",
        detail={"witnesses": {"catalogue": told(made)}, "said": output_of(earlier).text[-2000:]},
    )


# ---- how the line was received


def _is_good(state: RunState) -> bool:
    return state.state == "ended" and state.exit == 0


def _said_no(state: RunState) -> bool:
    """It ended by itself, with a failure (not by its time-out, or by a signal): it may be asked again."""
    return _is_missing(state) or (state.state == "ended" and 0 < (state.exit or 0) < TIMED_OUT)


def _is_missing(state: RunState) -> bool:
    return state.state == "ended" and state.exit in _NOT_THERE


def _how(state: RunState) -> str:
    match state.state:
        case "ended":
            return f"ended with {state.exit}"
        case "lost":
            return "was lost: its server was restarted, or it was killed"
        case "running":
            return "has not ended"
    return "is not known to its server any more"


def _not_taken(attempt: Attempt, state: RunState) -> Ending:
    """Refused, failed, ended from outside, or lost: in doubt, unless it is known that nothing comes of it."""
    if state.state == "refused":
        return refused(state, "not handed over")
    if attempt.is_cancelled:
        return Ending(status=Status.CANCELLED, reason="cancelled; what VTS has begun may go on")
    reason = f"the VTSPolicy command {_how(state)}"
    said = {"exit": state.exit, "said": output_of(state).text[-2000:]}
    made = _made(attempt, state) if state.attempt else None
    if not _said_no(state):
        doubt = f"{reason}: nobody knows whether VTS has taken the line, so it is not given again by itself"
        seen = {"witnesses": {"catalogue": told(made)}} if made else {}
        return Ending(status=Status.IN_DOUBT, reason=doubt, detail=said | seen)
    if made:
        return _left_behind(state, made)
    verdict = Verdict.PERMANENT if _is_missing(state) else Verdict.TRANSIENT
    return Ending(
        status=Status.FAILED, reason=reason, verdict=verdict, retry=not _is_missing(state), detail=said
    )


def _taken(attempt: Attempt, state: RunState, before: Copies) -> Ending:
    """VTS has the line: the catalogue is asked until it shows the copy, as long as the documents say since its end."""
    vts = attempt.place.vts.vtspolicy
    assert vts
    if vts.waits:
        attempt.hands.book.note(
            attempt.entry, Status.BMA_OK, attempt.hands.clock, "VTS says that its BMA ended well"
        )
    passed = max(0, state.clock - state.beat)
    found = _awaited(attempt, before, attempt.hands.now() + vts.within - passed)
    if found is None and attempt.is_cancelled:
        return Ending(
            status=Status.CANCELLED,
            reason="cancelled; VTS has taken the line, and what it has begun may go on",
        )
    return _proven(attempt, found, waits=vts.waits)


# ---- the catalogue


def _unanswered() -> Ending:
    return Ending(
        status=Status.FAILED,
        reason="not handed over: the catalogue does not say what it holds, so a new copy could not be told from an old one",
        verdict=Verdict.TRANSIENT,
        retry=True,
    )


def _copies(attempt: Attempt, question: str, number: int) -> Copies | None:
    """All copies of the tape, whoever made them; None: the catalogue has not answered.

    A question of the same name and number is asked once: what was there before the line was given is not asked again after.
    """
    shown = attempt.look_up("", question, number)
    return shown.copies if shown.answered else None


def _new(attempt: Attempt, before: Copies) -> Located | None:
    """A copy that was not there before; one of the right size where there are several.

    The question is named by the moment, so that an executor that was started anew hears no old answer, and forgotten.
    """
    question = f"look{int(attempt.hands.now() * 1000)}"
    now = _copies(attempt, question, attempt.entry.attempt) or ()
    with suppress(Unreachable):  # then it lies there a while longer
        attempt.hands.yard.with_server(
            attempt.place.host,
            lambda server, place: server.forget([f"{attempt.job.mark}-{question}"], place.state_dir),
        )
    return min(fresh(now, before), key=lambda one: bool(one.unlike(attempt.job.bytes)), default=None)


def _awaited(attempt: Attempt, before: Copies, deadline: float) -> Located | None:
    """The copy that VTS has made, once the catalogue shows it; it is asked at least once."""
    pause = _FIRST
    while True:
        found = _new(attempt, before)
        if found is not None or attempt.hands.now() > deadline or attempt.is_cancelled:
            return found
        attempt.hands.pause(pause)
        pause = min(pause * 2, _LONGEST)


def _proven(attempt: Attempt, found: Located | None, *, waits: bool) -> Ending:
    """Two witnesses, or it is unproven."""
    witnesses = {"bma": "VTS waited for it, and says that it ended well"} if waits else {}
    if found is not None:
        witnesses["catalogue"] = told(found)
    detail: dict[str, Any] = {"witnesses": witnesses}
    if doubt := _doubt(attempt, found, waits=waits):
        return Ending(status=Status.UNPROVEN, reason=f"VTS took the line; {doubt}", detail=detail)
    assert found
    if changed := checksum.changed(attempt, detail):
        return changed
    witnesses["file"] = checksum.word("unchanged", attempt.checksum)
    detail["checksum"] = attempt.checksum
    attempt.prove(found, witnesses, token=found.token)
    reason = "archived by VTS, and found in the catalogue"
    return Ending(status=Status.DONE, reason=reason, verdict=Verdict.SUCCESS, detail=detail)


def _doubt(attempt: Attempt, found: Located | None, *, waits: bool) -> str:
    """Why it is not proven; "" when it is."""
    if change := attempt.changed({}):
        return f"the tape changed meanwhile: {change}"
    if found is None:
        return "its catalogue shows no new copy of the tape"
    if doubt := found.unlike(attempt.job.bytes):
        return doubt
    return "" if waits else "that the command waits for the BMA's verdict is not known (vts.vtspolicy.waits)"

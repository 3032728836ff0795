"""Hands a tape over to the server's own VTSPolicy command: VTS runs the BMA and marks the tape; the catalogue proves it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from vtsconf.bma.contract import Command, Located, Verdict
from vtsconf.core.errors import Refused
from vtsconf.core.migrate.job import Status
from vtsconf.core.problem import errors
from vtsconf.core.vtspolicy.render import render
from vtsconf.core.vtspolicy.write import write
from vtsconf.engine.migrate import checksum
from vtsconf.engine.migrate.attempt import Attempt, Ending, output_of, told
from vtsconf.engine.migrate.hands import Stopped

_FIRST, _LONGEST = 5.0, 300.0  # seconds between two questions to the catalogue


def hand_over(attempt: Attempt) -> Ending:
    """Exit 0 means "accepted", unless the documents say that the command waits for the BMA."""
    job, vts = attempt.job, attempt.place.vts
    if vts.vtspolicy is None:
        raise Refused(
            f"the VTSPolicy command of {job.host} is not known",
            remedy="set vts.vtspolicy.command, or submit: run",
        )
    command = Command(argv=(*vts.vtspolicy.command, line_for(attempt)))
    summed = checksum.summed(attempt)
    if isinstance(summed, Ending):
        return summed
    attempt = summed
    before = attempt.locate("", "before")
    state = attempt.run(attempt.spec(job.mark, command, attempt.as_planned))
    if state.state == "refused":
        return Ending(status=Status.FAILED, reason=f"not handed over: {state.reason}")
    output = output_of(state)
    if state.exit != 0:
        said = {"exit": output.exit, "said": output.text[-2000:]}
        reason = f"the VTSPolicy command ended with {output.exit}"
        return Ending(status=Status.FAILED, reason=reason, verdict=Verdict.TRANSIENT, retry=True, detail=said)
    return _proven(attempt, _awaited(attempt, before, vts.vtspolicy.within), waits=vts.vtspolicy.waits)


def line_for(attempt: Attempt) -> str:
    """The policy's line for this one tape. Raises Refused where there is no such line in this release."""
    job, vts = attempt.job, attempt.place.vts
    policy = vts.policies.get(job.policy)
    if policy is None:
        raise Refused(f"the policy {job.policy!r} is not in the documents any more", remedy="abandon the job")
    *_, vault, pool, cartridge = job.cartridge.split("/")
    only = policy.select.model_copy(update={"vaults": (vault,), "pools": (pool,), "cartridges": (cartridge,)})
    one = replace(vts, policies={job.policy: policy.model_copy(update={"select": only})})
    rendered = render(job.policy, one, host=job.host)
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


def _awaited(attempt: Attempt, before: Located | None, within: int) -> Located | None:
    """The copy that VTS has made, once the catalogue shows it; it has no mark of ours, so any of the right size counts
    that was not there before.
    """
    pause, number, deadline = _FIRST, 0, attempt.hands.now() + within
    while True:
        number += 1
        found = attempt.locate("", f"look{number}")
        if found is not None and found != before and found.size == attempt.job.bytes:
            return found
        if attempt.hands.now() > deadline or attempt.is_cancelled:
            return None
        if attempt.hands.stopping():
            raise Stopped
        threading.Event().wait(pause)
        pause = min(pause * 2, _LONGEST)


def _proven(attempt: Attempt, found: Located | None, *, waits: bool) -> Ending:
    """Two witnesses, or it is unproven."""
    witnesses = {"vts": "its command ended well" if waits else "accepted the line"}
    if found is not None:
        witnesses["catalogue"] = told(found)
    detail: dict[str, Any] = {"witnesses": witnesses}
    change = attempt.changed({})
    if found is None or change or not waits:
        why = (
            "its catalogue does not show the tape"
            if found is None
            else f"the tape changed meanwhile: {change}"
            if change
            else "that the command waits for the BMA's verdict is not known (vts.vtspolicy.waits)"
        )
        return Ending(status=Status.UNPROVEN, reason=f"VTS took the line; {why}", detail=detail)
    if changed := checksum.changed(attempt, detail):
        return changed
    file = checksum.word("unchanged", attempt.checksum)
    detail["checksum"] = attempt.checksum
    attempt.prove(
        found,
        {"bma": witnesses["vts"], "catalogue": witnesses["catalogue"], "file": file},
        token=found.token,
    )
    reason = "archived by VTS, and found in the catalogue"
    return Ending(status=Status.DONE, reason=reason, verdict=Verdict.SUCCESS, detail=detail)

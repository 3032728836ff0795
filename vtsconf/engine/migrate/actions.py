"""What is done for each kind of job. Each ends only with what was really seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vtsconf.bma.contract import Command, Located, Output, Verdict
from vtsconf.core.errors import Refused
from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.vtspolicy.erase import erase_line
from vtsconf.engine.migrate.attempt import Attempt, Ending, failed, output_of, told
from vtsconf.engine.migrate.handover import hand_over
from vtsconf.transport.runs import Guard, RunState


def migrate(attempt: Attempt) -> Ending:
    """Archive it; then two witnesses: the BMA's own verdict, and its catalogue; the tape unchanged between."""
    job = attempt.job
    if job.submit == "vtspolicy":
        return hand_over(attempt)
    if copy := _left_behind(attempt):
        return copy
    command = attempt.migrator.archive(attempt.settings, [job.cartridge], job.mark, job.options)
    state = attempt.run(attempt.spec(job.mark, command, attempt.as_planned), may_cancel=True)
    if early := _early(attempt, state):
        return early
    if state.state != "ended":
        return _lost(attempt)
    return _judged(attempt, output_of(state))


def _judged(attempt: Attempt, output: Output) -> Ending:
    """The first witness, then the catalogue."""
    job = attempt.job
    judgement = attempt.migrator.judge(attempt.settings, "archive", output, [job.cartridge])
    if judgement.verdict not in {Verdict.SUCCESS, Verdict.UNKNOWN}:
        return failed(judgement, output)
    if judgement.verdict is Verdict.SUCCESS:
        attempt.hands.book.note(attempt.entry, Status.BMA_OK, attempt.hands.clock, judgement.reason)
    found, files = attempt.look_up(job.mark)
    if found is None and judgement.verdict is Verdict.UNKNOWN:
        return replace(failed(judgement, output), retry=True)  # neither witness: it may be tried again
    witnesses = {"bma": judgement.proof or judgement.reason}
    return _witnessed(attempt, judgement.verdict, found, witnesses, files)


def _left_behind(attempt: Attempt) -> Ending | None:
    """What an earlier attempt has archived is not archived once more, whatever the BMA said of it."""
    found = attempt.locate(attempt.job.mark, "before") if attempt.entry.number > 1 else None
    if found is None:
        return None
    return Ending(
        status=Status.UNPROVEN,
        reason="an earlier attempt has left a copy in the catalogue, though the BMA did not say that it was good",
        detail={"witnesses": {"catalogue": told(found)}},
    )


def _early(attempt: Attempt, state: RunState) -> Ending | None:
    """It was not started, or somebody ended it."""
    if state.state == "refused":
        return Ending(status=Status.FAILED, reason=f"not started: {state.reason}")
    if state.state == "none":
        return Ending(status=Status.IN_DOUBT, reason=_FORGOTTEN)
    if attempt.is_cancelled:
        return Ending(status=Status.CANCELLED, reason="cancelled while it ran")
    return None


_FORGOTTEN = (
    "the server knows nothing of the run any more: perhaps it goes on, so it is not started again by itself"
)


def _lost(attempt: Attempt) -> Ending:
    """Its server was restarted in the middle. The catalogue says whether anything came of it."""
    found = attempt.locate(attempt.job.mark)
    if found is None:
        return Ending(status=Status.FAILED, reason="the run was lost: its server was restarted", retry=True)
    return Ending(
        status=Status.IN_DOUBT,
        reason="the run was lost with its server's processes, yet the catalogue has a copy under its mark",
        detail={"witnesses": {"catalogue": told(found)}},
    )


def _witnessed(
    attempt: Attempt,
    verdict: Verdict,
    found: Located | None,
    witnesses: dict[str, str],
    files: Mapping[str, Tape | None],
) -> Ending:
    """The second witness, and that nobody has written to the tape meanwhile."""
    if found is not None:
        witnesses["catalogue"] = told(found)
    detail: dict[str, Any] = {"witnesses": witnesses}
    if doubt := _doubt(attempt, found, verdict, files):
        return Ending(status=Status.UNPROVEN, reason=doubt, detail=detail)
    assert found
    witnesses["file"] = "unchanged"
    attempt.prove(found, witnesses)
    reason = f"archived, and found in the catalogue{_until(found.expires)}"
    return Ending(status=Status.DONE, reason=reason, verdict=verdict, detail=detail)


def _until(expires: str) -> str:
    """A warning behind a reason: a copy that expires is kept no longer than that [endit]."""
    return f"; the copy expires {expires}" if expires else ""


def _doubt(
    attempt: Attempt, found: Located | None, verdict: Verdict, files: Mapping[str, Tape | None]
) -> str:
    """Why it is not proven; "" when it is."""
    if found is None:
        return "the BMA says yes; its catalogue does not show the tape"
    if doubt := found.doubt or _size_doubt(found, attempt.job.bytes):
        return doubt
    if change := attempt.changed(files):
        return f"the tape changed meanwhile: {change}"
    return "" if verdict is Verdict.SUCCESS else "what the BMA said is not known to mean yes"


def _size_doubt(found: Located, wanted: int) -> str:
    """NetWorker's catalogue has sizes of save sets only, one tape each: never less than the tape unless compressed."""
    if found.size is not None:
        return "" if found.size == wanted else f"the catalogue has {found.size} bytes, the tape {wanted}"
    if found.stored is None:
        return "the catalogue has the tape, and does not say its exact size"
    return (
        "" if found.stored >= wanted else f"the catalogue's copy has {found.stored} bytes, the tape {wanted}"
    )


def restore(attempt: Attempt) -> Ending:
    """Into place over the empty stub; whatever goes wrong, the stub is back: VTS takes a file with bytes for a tape."""
    job = attempt.job
    proof, about = _copy(attempt)
    stub = Guard(path=job.cartridge, size=0)
    options = about.get("options", job.options)
    command = attempt.migrator.restore(
        attempt.settings, [job.cartridge], proof.token, options, when=proof.when
    )
    state = attempt.run(attempt.spec(job.mark, command, stub), may_cancel=True)
    if state.state == "refused":
        return _there_already(attempt) or Ending(status=Status.FAILED, reason=f"not started: {state.reason}")
    if state.state == "none":
        return Ending(status=Status.IN_DOUBT, reason=_FORGOTTEN)
    output = output_of(state)
    judgement = attempt.migrator.judge(attempt.settings, "restore", output, [job.cartridge])
    seen = attempt.tape()
    if state.state == "ended" and judgement.verdict is Verdict.SUCCESS and seen and seen.size == proof.size:
        attempt.hands.book.prove(replace(proof, mtime=seen.mtime, inode=seen.inode), about)
        witnesses = {"bma": judgement.proof or judgement.reason, "file": f"{proof.size} bytes"}
        return Ending(
            status=Status.DONE,
            reason="restored whole",
            verdict=judgement.verdict,
            detail={"witnesses": witnesses},
        )
    size = "is not there" if seen is None else f"has {seen.size} of {proof.size} bytes"
    return _not_restored(attempt, failed(judgement, output), f"the file {size}; {_stub_back(attempt)}")


def _there_already(attempt: Attempt) -> Ending | None:
    """Another request has brought it back meanwhile, and nobody has written to it since."""
    proof, _ = _copy(attempt)
    seen = attempt.tape()
    if seen is None or seen.is_erased or not proof.is_of(seen):
        return None
    return Ending(
        status=Status.DONE,
        reason="it was there already, as it is proven on tape: nothing to restore",
        verdict=Verdict.SUCCESS,
        detail={"witnesses": {"file": f"{seen.size} bytes"}},
    )


def _not_restored(attempt: Attempt, ending: Ending, told: str) -> Ending:
    if attempt.is_cancelled:
        return Ending(status=Status.CANCELLED, reason=f"cancelled while it ran; {told}")
    is_short = ending.verdict is Verdict.SUCCESS  # the BMA says yes, and the file says no
    return replace(ending, reason=f"{ending.reason}; {told}", retry=ending.retry or is_short)


def _copy(attempt: Attempt) -> tuple[Proof, Mapping[str, Any]]:
    """The copy that is meant: the one that was asked for, or the last. Raises Refused."""
    job = attempt.job
    found = [
        (proof, about)
        for proof, about in attempt.hands.book.proofs(job.host, [job.cartridge])
        if job.token in {"", proof.token}
    ]
    if not found:
        raise Refused(
            f"no copy of {job.cartridge} is on record",
            remedy="`vtsconf migrate status` shows what is; what was copied otherwise comes back by the BMA itself",
        )
    return found[-1]


_EMPTY = 'test -f "$1" && ! test -L "$1" && : >"$1"'


def _stub_back(attempt: Attempt) -> str:
    """Empty the file again; what is said is what was seen afterwards."""
    path = attempt.job.cartridge
    command = Command(argv=("sh", "-c", _EMPTY, "sh", path), timeout=60)
    attempt.run(attempt.spec(f"{attempt.job.mark}-stub", command))
    seen = attempt.tape()
    return (
        "the empty stub is back" if seen and seen.size == 0 else "the stub could NOT be put back: look at it"
    )


def erase(attempt: Attempt) -> Ending:
    """By the server's own `VTSPolicy Erase`, and only what is proven on tape and unchanged since."""
    job, place = attempt.job, attempt.place
    if not place.vts.vtspolicy or not place.vts.tape_is_free:
        raise Refused(
            f"it is not known how {job.host} erases a tape, or tells that one is free",
            remedy="set vts.vtspolicy.command and vts.tape_is_free: nothing else may erase a tape",
        )
    proof, _ = _copy(attempt)
    if not proof.is_complete or (proof.size, proof.mtime, proof.inode) != (job.bytes, job.mtime, job.inode):
        return Ending(status=Status.FAILED, reason="it is not, as it is now, proven on tape: not erased")
    if proof.has_expired(attempt.hands.clock):
        reason = f"not erased{_until(proof.expires)}: the BMA need not have it any more"
        return Ending(status=Status.FAILED, reason=reason)
    line = erase_line(job.cartridge.rsplit("/", 1)[1], release=place.vts.release)
    command = Command(argv=(*place.vts.vtspolicy.command, line), timeout=600)
    state = attempt.run(attempt.spec(job.mark, command, attempt.as_planned))
    if state.state == "refused":
        return Ending(status=Status.FAILED, reason=f"not erased: {state.reason}")
    seen = attempt.tape()
    if seen is not None and seen.size == 0:
        witnesses = {"vts": f"exit {state.exit}", "file": "0 bytes"}
        reason = f"erased{_until(proof.expires)}"
        return Ending(
            status=Status.DONE, reason=reason, verdict=Verdict.SUCCESS, detail={"witnesses": witnesses}
        )
    return Ending(
        status=Status.UNPROVEN,
        reason=f"the command ended with {state.exit}; the tape has its bytes still",
        detail={"said": output_of(state).text[-2000:]},
    )


ACTIONS: Mapping[str, Callable[[Attempt], Ending]] = {"migrate": migrate, "restore": restore, "erase": erase}

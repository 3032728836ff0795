"""What is done for each kind of job. Each ends only with what was really seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vtsconf.bma.contract import Command, Judgement, Output, Verdict, fresh
from vtsconf.bma.judging import TIMED_OUT
from vtsconf.core.errors import Refused
from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.vtspolicy.erase import erase_line
from vtsconf.engine.migrate import checksum
from vtsconf.engine.migrate.attempt import Attempt, Ending, Shown, failed, output_of, refused, told
from vtsconf.engine.migrate.handover import hand_over
from vtsconf.resources.desired import is_cluster
from vtsconf.transport.runs import Guard, RunState

_WAIT = 20.0  # seconds that the answer waits for the stub to be back
_NO_WORD = Output(exit=None, text="")
_NOTHING = Shown(answered=True, reason="")
_FORGOTTEN = (
    "the server knows nothing of the run any more: perhaps it goes on, so it is not started again by itself"
)


def migrate(attempt: Attempt) -> Ending:
    """Archive it; then two witnesses: the BMA's own verdict, and its catalogue; the tape unchanged between."""
    job = attempt.job
    if job.submit == "vtspolicy":
        return hand_over(attempt)
    before = _before(attempt)
    if not before.answered:
        return replace(_unanswered(before), status=Status.FAILED, goes_on=False)
    if early := _left_behind(attempt, before):
        return early
    summed = checksum.summed(attempt)
    return summed if isinstance(summed, Ending) else _archived(summed, before)


def _before(attempt: Attempt) -> Shown:
    """What the catalogue had before the first attempt, where it cannot tell our copy from any other of the tape.

    Once it has answered, it is not asked again: what has come since is ours. Where copies have our mark it need not be asked.
    """
    if attempt.migrator.has_mark(attempt.job.options):
        return _NOTHING
    shown = _NOTHING
    for number in range(1, attempt.entry.number + 1):
        shown = attempt.look_up(attempt.job.mark, f"picture{number}", 1)
        if shown.answered:
            break
    return shown


def _ours(attempt: Attempt, question: str, number: int, before: Shown) -> Shown:
    """What the catalogue has under our mark, or what was not there before."""
    shown = attempt.look_up(attempt.job.mark, question, number)
    return replace(shown, copies=fresh(shown.copies, before.copies))


def _archived(attempt: Attempt, before: Shown) -> Ending:
    job = attempt.job
    command = attempt.migrator.archive(attempt.settings, [job.cartridge], job.mark, job.options)
    state = attempt.begin(attempt.spec(job.mark, command, attempt.as_planned))
    if state.state == "refused":
        return refused(state)
    if state.state == "none":
        return Ending(status=Status.IN_DOUBT, reason=_FORGOTTEN)
    return _lost(attempt, before) if state.state == "lost" else _judged(attempt, output_of(state), before)


def _judged(attempt: Attempt, output: Output, before: Shown) -> Ending:
    """The first witness, then the catalogue."""
    job = attempt.job
    judgement = attempt.migrator.judge(attempt.settings, "archive", output, [job.cartridge])
    if output.exit == TIMED_OUT:
        _stop_for_good(attempt, output)
    if judgement.verdict is not Verdict.SUCCESS and attempt.is_cancelled:
        beside = "; the BMA may go on with it on its own servers" if attempt.migrator.outlives() else ""
        return Ending(status=Status.CANCELLED, reason=f"cancelled while it ran{beside}")
    if judgement.verdict not in {Verdict.SUCCESS, Verdict.UNKNOWN}:
        return failed(judgement, output)
    if judgement.verdict is Verdict.SUCCESS:
        attempt.hands.book.note(attempt.entry, Status.BMA_OK, attempt.hands.clock, judgement.reason)
    shown = _ours(attempt, "locate", attempt.entry.attempt, before)
    if not shown.answered:
        return _unanswered(shown, is_good=judgement.verdict is Verdict.SUCCESS)
    if not shown.copies and judgement.verdict is Verdict.UNKNOWN:
        # Neither witness: it may be tried again, if nothing of it goes on.
        return _elsewhere(attempt, output) or replace(failed(judgement, output), retry=True)
    return _witnessed(attempt, judgement.verdict, shown, {"bma": judgement.proof or judgement.reason})


def _unanswered(shown: Shown, *, is_good: bool = False) -> Ending:
    """Nobody knows what the catalogue has: the same is asked again, and nothing is archived until it has answered.

    `is_good`: the BMA itself has said yes.
    """
    return Ending(
        status=Status.UNPROVEN if is_good else Status.IN_DOUBT,
        reason=f"the catalogue did not answer: {shown.reason}",
        verdict=Verdict.TRANSIENT,
        retry=True,
        goes_on=True,
    )


def _stop_for_good(attempt: Attempt, output: Output) -> None:
    """Its client was ended, and has not said how it went: the BMA's own command ends what it has set going elsewhere."""
    if command := attempt.cancelling(output):
        attempt.run(attempt.spec(f"{attempt.job.mark}-cancel", command))


def _elsewhere(attempt: Attempt, output: Output) -> Ending | None:
    """The client was ended before its time, and perhaps the BMA goes on without it: nothing is begun beside that."""
    was_ended = output.exit is None or output.exit >= TIMED_OUT
    if not (was_ended and attempt.migrator.outlives()):
        return None
    return Ending(
        status=Status.IN_DOUBT,
        reason="its client was ended, and the BMA may go on with it on its own servers: look there, then retry",
        detail={"exit": output.exit, "said": output.text[-2000:]},
    )


def _left_behind(attempt: Attempt, before: Shown) -> Ending | None:
    """What an earlier attempt has archived is not archived once more, whatever the BMA said of it."""
    number = attempt.entry.number
    shown = _ours(attempt, "before", number, before) if number > 1 else _NOTHING
    if not shown.answered:
        return replace(_unanswered(shown), status=Status.FAILED, goes_on=False)
    if not shown.copies:
        return None
    return Ending(
        status=Status.UNPROVEN,
        reason="an earlier attempt has left a copy in the catalogue, though the BMA did not say that it was good",
        detail={"witnesses": {"catalogue": told(shown.copies[-1])}},
    )


def _lost(attempt: Attempt, before: Shown) -> Ending:
    """Its server was restarted in the middle. The catalogue says whether anything came of it."""
    shown = _ours(attempt, "locate", attempt.entry.attempt, before)
    if not shown.answered:
        return _unanswered(shown)
    if not shown.copies:
        reason = "the run was lost: its server was restarted"
        return _elsewhere(attempt, _NO_WORD) or Ending(status=Status.FAILED, reason=reason, retry=True)
    return Ending(
        status=Status.IN_DOUBT,
        reason="the run was lost with its server's processes, yet the catalogue has a copy under its mark",
        detail={"witnesses": {"catalogue": told(shown.copies[-1])}},
    )


def _witnessed(attempt: Attempt, verdict: Verdict, shown: Shown, witnesses: dict[str, str]) -> Ending:
    """The second witness, and that nobody has written to the tape meanwhile."""
    found = shown.copy
    if found is not None:
        witnesses["catalogue"] = told(found)
    detail: dict[str, Any] = {"witnesses": witnesses}
    if doubt := _doubt(attempt, shown, verdict):
        return Ending(status=Status.UNPROVEN, reason=doubt, detail=detail)
    assert found
    if changed := checksum.changed(attempt, detail):
        return changed
    witnesses["file"] = checksum.word("unchanged", attempt.checksum)
    detail["checksum"] = attempt.checksum
    attempt.prove(found, witnesses)
    reason = f"archived, and found in the catalogue{_until(found.expires)}"
    return Ending(status=Status.DONE, reason=reason, verdict=verdict, detail=detail)


def _until(expires: str) -> str:
    """A warning behind a reason: a copy that expires is kept no longer than that [endit]."""
    return f"; the copy expires {expires}" if expires else ""


def _doubt(attempt: Attempt, shown: Shown, verdict: Verdict) -> str:
    """Why it is not proven; "" when it is."""
    found = shown.copy
    if found is None:
        several = f"its catalogue shows {len(shown.copies)} copies of different sizes"
        return f"the BMA says yes; {several if shown.copies else 'its catalogue does not show the tape'}"
    if doubt := found.unlike(attempt.job.bytes):
        return doubt
    if change := attempt.changed(shown.files):
        return f"the tape changed meanwhile: {change}"
    return "" if verdict is Verdict.SUCCESS else "what the BMA said is not known to mean yes"


def restore(attempt: Attempt) -> Ending:
    """Into place over the empty stub; whatever goes wrong, the stub is back: VTS takes a file with bytes for a tape."""
    job = attempt.job
    proof, about = _copy(attempt)
    stub = Guard(path=job.cartridge, size=0)
    options = about.get("options", job.options)
    command = attempt.migrator.restore(
        attempt.settings, [job.cartridge], proof.token, options, when=proof.when
    )
    state = attempt.begin(attempt.spec(job.mark, command, stub))
    if state.state == "refused":
        return _there_already(attempt) or refused(state)
    if state.state == "none":
        return Ending(status=Status.IN_DOUBT, reason=_FORGOTTEN)
    output = output_of(state)
    judgement = attempt.migrator.judge(attempt.settings, "restore", output, [job.cartridge])
    if judgement.verdict is Verdict.UNKNOWN:
        _stop_for_good(attempt, output)  # nothing may write to the stub that is put back
    seen = attempt.tape()
    if seen is not None and not seen.is_erased and not _is_work_of(state, seen, proof):
        return _written_since(judgement)
    if state.state == "ended" and judgement.verdict is Verdict.SUCCESS and seen and seen.size == proof.size:
        if unlike := checksum.unlike(attempt, proof.checksum):
            return _not_restored(attempt, unlike, output, proof, seen)
        return _restored(attempt, proof, about, seen, judgement)
    return _not_restored(attempt, failed(judgement, output), output, proof, seen)


_SLACK = {"ended": 2, "lost": 15}  # seconds between the last that was seen of a run, and its end


def _is_work_of(state: RunState, seen: Tape, proof: Proof) -> bool:
    """Nobody has written to the file after the restore: a BMA gives it the time of the copy, or of its own writing."""
    return seen.mtime == proof.mtime or seen.mtime // 10**9 <= state.beat + _SLACK.get(state.state, 0)


def _written_since(judgement: Judgement) -> Ending:
    """The host waits for the mount: the answer may have been lost for hours, and a tape stands there that nobody has a copy of."""
    return Ending(
        status=Status.IN_DOUBT,
        reason="the file was written to after the restore had ended: it is left as it is, and not taken for the copy",
        verdict=judgement.verdict,
        detail={"witnesses": {"bma": judgement.proof or judgement.reason}},
    )


def _restored(
    attempt: Attempt, proof: Proof, about: Mapping[str, Any], seen: Tape, judgement: Judgement
) -> Ending:
    back = replace(proof, mtime=seen.mtime, inode=seen.inode, back=attempt.hands.clock)
    attempt.hands.book.prove(back, about)
    file = checksum.word(f"{proof.size} bytes", proof.checksum)
    witnesses = {"bma": judgement.proof or judgement.reason, "file": file}
    return Ending(
        status=Status.DONE,
        reason="restored whole",
        verdict=judgement.verdict,
        detail={"witnesses": witnesses, "checksum": proof.checksum},
    )


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


def _not_restored(
    attempt: Attempt, ending: Ending, output: Output, proof: Proof, seen: Tape | None
) -> Ending:
    """The stub is put back, unless that could destroy what is not ours."""
    if seen is None:
        return replace(ending, reason=f"{ending.reason}; the file is not there any more", retry=False)
    if seen.size != proof.size:
        ending = replace(ending, reason=f"{ending.reason}; the file has {seen.size} of {proof.size} bytes")
    if seen.size > proof.size:
        why = f"{ending.reason}: somebody else has written to it, so it is left as it is"
        return replace(ending, status=Status.IN_DOUBT, reason=why, retry=False)
    if trouble := _stub_back(attempt, seen):
        why = f"{ending.reason}, and the stub could NOT be put back: {trouble}"
        return replace(ending, status=Status.IN_DOUBT, reason=why, retry=False)
    why = f"{ending.reason}; the empty stub is back"
    if doubt := _elsewhere(attempt, output):
        return replace(doubt, reason=f"{why}; {doubt.reason}")
    if attempt.is_cancelled:
        return replace(ending, status=Status.CANCELLED, reason=f"cancelled while it ran; {why}", retry=False)
    is_short = ending.verdict is Verdict.SUCCESS  # the BMA says yes, and the file says no
    return replace(ending, reason=why, retry=ending.retry or is_short)


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


# A new file: whoever may still be writing, writes to one that has no name any more. The vault's owner and mode stay.
_EMPTY = (
    'n=${1%/*}/.vtsconf.$$.new; o=$(stat -c "%u:%g %a" -- "$1") && : >"$n" && chown "${o% *}" "$n" &&'
    ' chmod "${o#* }" "$n" && mv -f -T -- "$n" "$1" || { rm -f -- "$n"; exit 1; }'
)


def _stub_back(attempt: Attempt, seen: Tape) -> str:
    """Empty the file again; why that did not happen, "" when it did.

    It must be just what was seen, and nothing of the restore may be at work: else somebody writes to it now.
    """
    if seen.is_erased:
        return ""
    path = attempt.job.cartridge
    command = Command(argv=("sh", "-c", _EMPTY, "sh", path), timeout=60)
    guard = Guard(path=path, size=seen.size, mtime=seen.mtime, inode=seen.inode)
    spec = replace(attempt.spec(f"{attempt.job.mark}-stub", command, guard), after=(attempt.job.mark,))
    state = attempt.run(spec, patience=_WAIT, paths=[path])
    if state.state == "refused":
        return state.reason
    now = state.files.get(path) or attempt.tape()
    return "" if now is not None and now.is_erased else "look at it"


def erase(attempt: Attempt) -> Ending:
    """By the server's own `VTSPolicy Erase`, and only what is proven on tape and unchanged since."""
    job, place = attempt.job, attempt.place
    if not place.vts.vtspolicy or not place.vts.tape_is_free:
        raise Refused(
            f"it is not known how {job.host} erases a tape, or tells that one is free",
            remedy="set vts.vtspolicy.command and vts.tape_is_free: nothing else may erase a tape",
        )
    _must_be_allowed(attempt)
    proof, _ = _copy(attempt)
    if not proof.is_complete or (proof.size, proof.mtime, proof.inode) != (job.bytes, job.mtime, job.inode):
        return Ending(status=Status.FAILED, reason="it is not, as it is now, proven on tape: not erased")
    if proof.has_expired(attempt.hands.clock):
        reason = f"not erased{_until(proof.expires)}: the BMA need not have it any more"
        return Ending(status=Status.FAILED, reason=reason)
    if unlike := checksum.unlike(attempt, proof.checksum, attempt.as_planned):
        # Tried again only where somebody had the tape: what is not what was copied, or cannot be read, stays.
        return replace(unlike, reason=f"not erased: {unlike.reason}", retry=unlike.is_open)
    line = erase_line(job.cartridge.rsplit("/", 1)[1], _who(attempt), place.vts.release)
    command = Command(argv=(*place.vts.vtspolicy.command, line), timeout=600)
    state = attempt.begin(attempt.spec(job.mark, command, attempt.as_planned, _only(attempt)))
    if state.state == "refused":
        return refused(state, "not erased")
    seen = attempt.tape()
    if seen is not None and seen.size == 0:
        witnesses = {"vts": f"exit {state.exit}", "file": "0 bytes"}
        detail = {"witnesses": witnesses, "checksum": proof.checksum}
        reason = f"erased{_until(proof.expires)}"
        return Ending(status=Status.DONE, reason=reason, verdict=Verdict.SUCCESS, detail=detail)
    return Ending(
        status=Status.UNPROVEN,
        reason=f"the command ended with {state.exit}; the tape has its bytes still",
        detail={"said": output_of(state).text[-2000:]},
    )


def _must_be_allowed(attempt: Attempt) -> None:
    """Its policy or rule may have been taken out, or its leave, since the job was planned. Raises Refused."""
    job, vts = attempt.job, attempt.place.vts
    names = {f"rules/{job.rule}"} if job.rule else {job.policy, f"policies/{job.policy}"}
    is_there = job.rule in vts.rules if job.rule else job.policy in vts.policies
    if not is_there or names.isdisjoint({*vts.allow_erase, *attempt.hands.allowed}):
        raise Refused(
            f"not erased: {min(names) if job.rule else f'the policy {job.policy}'} may not erase any more",
            remedy="neither vts.allow_erase nor --allow-erase names it now, or it is gone",
        )


def _who(attempt: Attempt) -> str:
    """In a cluster a line must say who is to act [8.2 Config p.77]. Raises Refused where nobody knows how."""
    vts, host = attempt.place.vts, attempt.job.host
    if not is_cluster(vts):
        return ""
    policy = vts.policies.get(attempt.job.policy)
    named = (policy.options.get("source") if policy else None) or (host if "." in host else "")
    if not named:
        raise Refused(
            f"not erased: {host} is in a cluster, and who is to act there is not known by its whole name",
            remedy="add options.source to the policy: the fully qualified name of this server",
        )
    return str(named)


def _only(attempt: Attempt) -> Guard:
    """The line names a tape without its pool: another one of that name could be hit [8.2 SIG p.21: names are unique]."""
    named = tuple(vault.lstrip("/") for vault in attempt.place.vts.vaults)
    return Guard(path=attempt.job.cartridge, only_in=("VAULT??", *named))


ACTIONS: Mapping[str, Callable[[Attempt], Ending]] = {"migrate": migrate, "restore": restore, "erase": erase}

"""What is to be done next, as a pure function of what is known: so a rollout goes on from any point, on any machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vtsconf.core.rollout.gate import Answer, Verdict
from vtsconf.core.rollout.state import Rollout


@dataclass(frozen=True, kw_only=True)
class Begin:
    """Begin a wave: write it down, and where the event logs end if a gate will ask."""

    wave: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """Change these servers of a wave; those among them that were begun already are settled first."""

    wave: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Ask the gates of a wave."""

    wave: int
    ask: Literal["first", "last"]


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Nothing to do until then (seconds since 1970): soak time, or a window that is closed."""

    until: int
    why: str
    is_soak: bool = True


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A person has to approve this wave."""

    wave: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Somebody, or a gate that was unsure, paused it. `news`: it is not written down yet."""

    why: str
    news: bool = False


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Nothing more is changed; to be written down."""

    why: str
    cause: Literal["gate", "budget", "abort"]
    revert: bool


@dataclass(frozen=True, kw_only=True)
class Settle:
    """These were begun and not heard of since: find out how they ended, change nothing more there."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Revert:
    """Take back what was changed on these servers."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Write down the end; what was never tried is skipped, with this reason."""

    state: Literal["done", "stopped", "aborted"]
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class End:
    """It has ended."""


Move = Begin | Change | Ask | Wait | Approval | Pause | Stop | Settle | Revert | Finish | End


def next_move(rollout: Rollout, now: int) -> Move:
    """`now`: seconds since 1970."""
    if rollout.is_finished:
        return End()
    if rollout.stopped:
        return _ending(rollout)
    if stop := _stop(rollout):
        return stop
    if rollout.paused:
        return Pause(why=rollout.paused)
    while rollout.behind < len(rollout.waves):
        if move := _wave(rollout, rollout.behind + 1, now):
            return move
        rollout.behind += 1  # what has passed stays passed
    return Finish(state="done")


def _stop(rollout: Rollout) -> Stop | None:
    reverts = rollout.strategy.on_failure == "revert"
    if rollout.abort:
        body = rollout.abort.body
        asked = body.get("revert")
        who = f"aborted by {body.get('by', '?')}"
        why = f"{who}: {body['why']}" if body.get("why") else who
        return Stop(why=why, cause="abort", revert=reverts if asked is None else bool(asked))
    if rollout.is_spent:
        why = f"{rollout.failures} of {len(rollout.seen.hosts)} servers failed; {rollout.tolerated} are tolerated"
        return Stop(why=why, cause="budget", revert=reverts)
    return None


def _ending(rollout: Rollout) -> Move:
    active = tuple(name for name in rollout.seen.hosts if rollout.is_active(name))
    if active:
        return Settle(hosts=active)
    if rollout.reverts and (left := tuple(rollout.to_revert())):
        return Revert(hosts=left)
    return Finish(state="aborted" if rollout.stop_cause == "abort" else "stopped", why=rollout.stopped)


def _wave(rollout: Rollout, wave: int, now: int) -> Move | None:
    """None: it is behind us."""
    if unfinished := rollout.open_hosts(wave):
        return _before(rollout, wave, now) or Change(wave=wave, hosts=unfinished)
    return _after(rollout, wave, now)


def _before(rollout: Rollout, wave: int, now: int) -> Move | None:
    """What has to be so before a wave begins. One that has begun is brought to its end; after a pause the window counts anew."""
    if wave in rollout.running:
        return None
    has_begun = wave in rollout.begun
    if not has_begun and wave not in rollout.approved and (why := _needs_approval(rollout, wave)):
        return Approval(wave=wave, why=why)
    window = rollout.strategy.window
    if window and (opens := window.opens(now)) > now:
        return Wait(until=opens, why=f"the window {window} is closed", is_soak=False)
    return None if has_begun else Begin(wave=wave)


def _needs_approval(rollout: Rollout, wave: int) -> str:
    points = rollout.strategy.approve
    if wave == 1:
        return "approval is asked for before the first wave" if "start" in points else ""
    if wave == 2 and rollout.has_canary and "canary" in points:
        return "approval is asked for after the canary"
    return f"approval is asked for before wave {wave}" if "each" in points else ""


def _after(rollout: Rollout, wave: int, now: int) -> Move | None:
    if rollout.strategy.gates is None:
        return None
    first = rollout.answers(wave, "first")
    if first is None:
        return Ask(wave=wave, ask="first")
    if first.verdict is not Verdict.PASS:
        return _says_no(rollout, wave, first.answers, first.verdict)
    soak = rollout.strategy.canary_soak if wave == 1 and rollout.has_canary else rollout.strategy.soak
    return _soaked(rollout, wave, first.at + soak, now) if soak else None


def _soaked(rollout: Rollout, wave: int, until: int, now: int) -> Move | None:
    last = rollout.answers(wave, "last")
    if last is None:
        return (
            Wait(until=until, why=f"soaking after wave {wave}") if now < until else Ask(wave=wave, ask="last")
        )
    return None if last.verdict is Verdict.PASS else _says_no(rollout, wave, last.answers, last.verdict)


def _says_no(rollout: Rollout, wave: int, answers: tuple[Answer, ...], verdict: Verdict) -> Move:
    first = next(answer for answer in answers if answer.verdict is verdict)
    where = f" on {first.host}" if first.host else ""
    why = f"gate {first.gate} after wave {wave}{where}: {first.reason}"
    if verdict is Verdict.FAIL:
        return Stop(why=why, cause="gate", revert=rollout.strategy.on_failure == "revert")
    return Pause(why=f"inconclusive: {why}", news=True)

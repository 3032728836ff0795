"""Brings one attempt of a job to its end. May be done again from its start at any time: it asks before it does.

What is started on a server is found again under the job's mark and attempt, so nothing is started twice; where it
stands is in the book; what happened is in the journal.
"""

from __future__ import annotations

import random
from dataclasses import replace

from vtsconf.bma.contract import Verdict
from vtsconf.core.errors import Failed, StoreLost, Unreachable, VtsconfError, bug
from vtsconf.core.migrate.job import Status
from vtsconf.engine.migrate.actions import ACTIONS
from vtsconf.engine.migrate.attempt import NOBODY, Attempt, Ending, NotBegun
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.hands import Hands, Stopped

_LONGEST_BACKOFF = 3600  # seconds
_AWAY = 5.0  # seconds until a store that is away is asked again


def bring(id_: str, attempt: int, hands: Hands, *, is_adopted: bool = False) -> str:
    """Returns the status. What has ended already is only told. Raises Stopped. `is_adopted`: somebody may have been at it
    before.

    While the store is away nothing is lost: what runs on the server is found again.
    """
    while True:
        try:
            return _bring(id_, attempt, hands, is_adopted=is_adopted)
        except StoreLost:
            hands.pause(_AWAY)
            is_adopted = True


def _bring(id_: str, attempt: int, hands: Hands, *, is_adopted: bool) -> str:
    found = hands.book.get(id_)
    if not found or found[0].attempt != attempt or found[0].state != "taken":
        return found[0].status.value if found else ""
    entry = found[0]
    ending = _not_begun(entry, hands) or _ending(entry, hands, is_adopted=is_adopted)
    return _end(entry, ending, hands).value


def _not_begun(entry: Entry, hands: Hands) -> Ending | None:
    """Why it is not for us to begin it."""
    if entry.job.host not in hands.yard.places:  # taken over from somebody whose inventory has it
        return _later(f"{entry.job.host} is not in the inventory of this controller")
    return None


def _later(reason: str, *, goes_on: bool = True) -> Ending:
    """Whoever comes next goes on with it, or begins; it is nobody's failure."""
    return Ending(status=Status.PLANNED, reason=reason, retry=True, goes_on=goes_on, is_free=True)


def _taken_up(attempt: Attempt, *, is_adopted: bool) -> Ending | None:
    """Where an earlier turn, or an executor that died, may have begun the run: does the server know it? If not, nothing has
    happened: a job that was cancelled has ended, and another waits for a turn of its own, under a number of its own, so that
    no answer counts which was given for the other one.
    """
    entry, is_cancelled = attempt.entry, attempt.is_cancelled
    is_new = entry.number == entry.attempt and not is_adopted
    if (is_new and not is_cancelled) or attempt.has_begun:
        return None
    if is_cancelled:
        return Ending(status=Status.CANCELLED, reason="cancelled before it ran")
    return _later("it was interrupted before anything began", goes_on=False)


def _ending(entry: Entry, hands: Hands, *, is_adopted: bool) -> Ending:
    """Every way it can end is a value."""
    try:
        place = hands.yard.place(entry.job.host)
        migrator, settings = place.bma(entry.job.bma) if entry.job.bma else (NOBODY, None)
        made = Attempt(entry=entry, place=place, hands=hands, migrator=migrator, settings=settings)
        return _taken_up(made, is_adopted=is_adopted) or ACTIONS[entry.job.action](made)
    except (Stopped, StoreLost):
        raise
    except Unreachable as error:  # no failure of the tape, and its run may go on
        hands.book.away(entry.job.host, str(error), hands.clock)
        return _later(str(error))
    except Failed as error:  # nothing was started, for want of room, say
        goes_on = not isinstance(error, NotBegun)
        return Ending(status=Status.FAILED, reason=str(error), retry=True, goes_on=goes_on)
    except VtsconfError as error:
        return Ending(status=Status.FAILED, reason=str(error), verdict=Verdict.PERMANENT)
    except Exception as error:  # noqa: BLE001 a bug of ours on one tape must not stop the others
        return Ending(status=Status.IN_DOUBT, reason=bug(error))


def _end(entry: Entry, ending: Ending, hands: Hands) -> Status:
    """Write it down: in the journal first, then where the job stands."""
    if not ending.is_free:
        _budget(entry, ending, hands)
    if ending.retry and not ending.goes_on and hands.book.wish_of(entry.id) == "cancel":
        ending = replace(ending, status=Status.CANCELLED, retry=False)
    if ending.retry and (ending.is_free or entry.tried < entry.job.attempts):
        return _again(entry, ending, hands)
    if ending.retry:
        told = f"{ending.reason} (tried {entry.tried} times)"
        status = Status.PARKED if ending.status is Status.FAILED else ending.status
        ending = replace(ending, status=status, reason=told)
    earlier = {"said": "", "exit": None} if ending.status is Status.DONE else {}  # of an attempt that failed
    detail = earlier | {**ending.detail, "seconds": hands.clock - entry.updated}
    hands.write(entry, "job-ended", status=ending.status.value, reason=ending.reason, **detail)
    hands.book.end(
        entry,
        ending.status,
        hands.clock,
        reason=ending.reason,
        detail=detail,
        goes_on=ending.goes_on,
        is_open=ending.is_open,
    )
    hands.told(entry, ending.status.value)
    return ending.status


def _again(entry: Entry, ending: Ending, hands: Hands) -> Status:
    """It waits for its next turn."""
    after = 0 if ending.is_free else _backoff(entry)
    hands.write(entry, "job-waits" if ending.is_free else "job-retry", reason=ending.reason, after=after)
    hands.book.again(
        entry,
        hands.clock,
        after=after,
        reason=ending.reason,
        goes_on=ending.goes_on,
        is_free=ending.is_free,
    )
    hands.told(entry, "waits" if ending.is_free else "retry")
    return Status.SUBMITTED if ending.goes_on else Status.PLANNED


def _budget(entry: Entry, ending: Ending, hands: Hands) -> None:
    """Failures in a row, of a BMA and of a policy: who fails again and again is parked instead of hammered."""
    is_well, host = ending.status is Status.DONE, ("host", entry.job.host)
    both = [(kind, name) for kind, name in (("bma", entry.job.bma), ("policy", entry.job.policy)) if name]
    hands.book.relief(host, *(both if is_well else ()))
    if not is_well and ending.verdict in {Verdict.TRANSIENT, Verdict.PERMANENT}:
        for kind, name in both:
            hands.book.trouble(kind, name, ending.reason, hands.clock)


def _backoff(entry: Entry) -> int:
    """Twice as long each time, up to an hour, and never at the same moment as all the others."""
    usual: int = entry.job.backoff * 2 ** (entry.tried - 1)
    return int(min(usual, _LONGEST_BACKOFF) * random.uniform(0.8, 1.2))  # noqa: S311 jitter

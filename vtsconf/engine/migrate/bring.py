"""Brings one attempt of a job to its end. May be done again from its start at any time: it asks before it does.

What is started on a server is found again under the job's mark and attempt, so nothing is started twice; where it
stands is in the book; what happened is in the journal.
"""

from __future__ import annotations

import random
from dataclasses import replace

from vtsconf.bma.contract import Verdict
from vtsconf.core.errors import Failed, Unreachable, VtsconfError, bug
from vtsconf.core.migrate.job import Status
from vtsconf.engine.migrate.actions import ACTIONS
from vtsconf.engine.migrate.attempt import NOBODY, Attempt, Ending
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.hands import Hands, Stopped

_LONGEST_BACKOFF = 3600  # seconds


def bring(id_: str, attempt: int, hands: Hands) -> str:
    """Returns the status. What has ended already is only told. Raises Stopped."""
    found = hands.book.get(id_)
    if not found or found[0].attempt != attempt or found[0].state != "taken":
        return found[0].status.value if found else ""
    entry = found[0]
    return _end(entry, _not_begun(entry, hands) or _ending(entry, hands), hands).value


def _not_begun(entry: Entry, hands: Hands) -> Ending | None:
    """Why it is not for us to begin it."""
    if entry.job.host not in hands.yard.places:  # taken over from somebody whose inventory has it
        reason = f"{entry.job.host} is not in the inventory of this controller"
        return Ending(status=Status.PLANNED, reason=reason, is_put_back=True)
    if entry.number == entry.attempt and hands.book.wish_of(entry.id) == "cancel":
        return Ending(status=Status.CANCELLED, reason="cancelled before it ran")
    return None


def _ending(entry: Entry, hands: Hands) -> Ending:
    """Every way it can end is a value."""
    try:
        place = hands.yard.place(entry.job.host)
        migrator, settings = place.bma(entry.job.bma) if entry.job.bma else (NOBODY, None)
        made = Attempt(entry=entry, place=place, hands=hands, migrator=migrator, settings=settings)
        return ACTIONS[entry.job.action](made)
    except Stopped:
        raise
    except Unreachable as error:  # no failure of the tape, and its run may go on
        hands.book.away(entry.job.host, str(error), hands.clock)
        return Ending(status=Status.PLANNED, reason=str(error), is_put_back=True)
    except Failed as error:  # nothing was started, for want of room, say
        return Ending(status=Status.FAILED, reason=str(error), verdict=Verdict.UNKNOWN, retry=True)
    except VtsconfError as error:
        return Ending(status=Status.FAILED, reason=str(error), verdict=Verdict.PERMANENT)
    except Exception as error:  # noqa: BLE001 a bug of ours on one tape must not stop the others
        return Ending(status=Status.IN_DOUBT, reason=bug(error))


def _end(entry: Entry, ending: Ending, hands: Hands) -> Status:
    """Write it down: in the journal first, then where the job stands."""
    if ending.is_put_back:
        hands.write(entry, "job-waits", reason=ending.reason)
        hands.book.put_back(entry, hands.clock, ending.reason)
        hands.told(entry, "waits")
        return Status.PLANNED
    _budget(entry, ending, hands)
    if ending.retry and hands.book.wish_of(entry.id) == "cancel":
        ending = replace(ending, status=Status.CANCELLED, retry=False)
    if ending.retry and entry.tried < entry.job.attempts:
        after = _backoff(entry)
        hands.write(entry, "job-retry", reason=ending.reason, after=after)
        hands.book.again(entry, hands.clock, after=after, reason=ending.reason)
        hands.told(entry, "retry")
        return Status.PLANNED
    if ending.retry:
        told = f"{ending.reason} (tried {entry.tried} times)"
        ending = replace(ending, status=Status.PARKED, reason=told)
    detail = {**ending.detail, "seconds": hands.clock - entry.updated}
    hands.write(entry, "job-ended", status=ending.status.value, reason=ending.reason, **detail)
    hands.book.end(entry, ending.status, hands.clock, reason=ending.reason, detail=detail)
    hands.told(entry, ending.status.value)
    return ending.status


def _budget(entry: Entry, ending: Ending, hands: Hands) -> None:
    """Failures in a row, of a BMA and of a policy: who fails again and again is parked instead of hammered."""
    hands.book.relief("host", entry.job.host)
    for kind, name in (("bma", entry.job.bma), ("policy", entry.job.policy)):
        if not name:
            continue
        if ending.status is Status.DONE:
            hands.book.relief(kind, name)
        elif ending.verdict in {Verdict.TRANSIENT, Verdict.PERMANENT}:
            hands.book.trouble(kind, name, ending.reason, hands.clock)


def _backoff(entry: Entry) -> int:
    """Twice as long each time, up to an hour, and never at the same moment as all the others."""
    usual: int = entry.job.backoff * 2 ** (entry.tried - 1)
    return int(min(usual, _LONGEST_BACKOFF) * random.uniform(0.8, 1.2))  # noqa: S311 jitter

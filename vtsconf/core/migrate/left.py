"""What a run leaves on the list, and what each of these jobs waits for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vtsconf.core.migrate.words import lasting, moment
from vtsconf.core.printable import printable


@dataclass(frozen=True, kw_only=True)
class Held:
    """Open jobs that are alike. `is_at_work`: they were taken; `is_bound`: neither a restore, nor perhaps at work already, so a window or a BMA that
    is parked holds them back. `first`: before then none of them may begin; 0: any moment.
    """

    host: str
    policy: str
    bma: str
    is_bound: bool
    jobs: int
    first: int = 0
    is_at_work: bool = False


@dataclass(frozen=True, kw_only=True)
class Parked:
    """A BMA or policy (`kind`, `name`) that has failed too often in a row, the first time at `since`."""

    kind: str
    name: str
    failures: int
    since: int
    reason: str

    @property
    def remedy(self) -> str:
        return f"vtsconf migrate retry --{self.kind} {self.name}"

    def told(self, now: int) -> str:
        failures = "a failure" if self.failures == 1 else f"{self.failures} failures, the first"
        return (
            f"{self.kind} {self.name} is parked after {failures} {lasting(now - self.since)} ago: "
            f"{printable(self.reason)}"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Left:
    """Jobs that wait for the same: a bma or policy that is `parked`, a `window`, a `host` that is away, their next attempt
    (`later`), or only for somebody to carry them out (`turn`); or they were begun, and nobody is with them now (`end`). `opens`: when the first of them may begin, where that is known.
    """

    waits_for: str
    name: str
    jobs: int
    opens: int | None = None
    parked: Parked | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def told(self, now: int) -> str:
        """One sentence for people."""
        is_one = self.jobs == 1
        if self.waits_for == "end":
            return f"{'1 job is' if is_one else f'{self.jobs} jobs are'} at work: `vtsconf migrate run` finds them again"
        some = "1 job waits" if is_one else f"{self.jobs} jobs wait"
        since = f": from {moment(self.opens)}, in {lasting(self.opens - now)}" if self.opens else ""
        if self.parked:
            return f"{some}: {self.parked.told(now)}"
        return some + {
            "host": f" for {self.name}, which is away",
            "window": f" for the window of {self.name}{since}",
            "later": f" for the next attempt{since}",
            "turn": " on the list: `vtsconf migrate run` goes on with them",
        }[self.waits_for]  # fmt: skip


def left_of(
    held: Iterable[Held],
    *,
    parked: Collection[Parked] = (),
    away: Collection[str] = (),
    opens: Mapping[tuple[str, str], int] | None = None,
) -> list[Left]:
    """`away`: hosts; `opens`: by host and policy when a window opens that is closed now. What is parked comes first."""
    troubles = {(one.kind, one.name): one for one in parked}
    found: dict[tuple[str, str], Left] = {}
    for one in held:
        kind, name, first = _cause(one, troubles, away, opens or {})
        known = found.get((kind, name))
        moments = [at for at in (first, known.opens if known else None) if at]
        jobs = one.jobs + (known.jobs if known else 0)
        found[kind, name] = Left(
            waits_for="parked" if kind in {"bma", "policy"} else kind,
            name=name,
            jobs=jobs,
            opens=min(moments, default=None),
            parked=troubles.get((kind, name)),
        )
    return sorted(found.values(), key=lambda left: (_ORDER.index(left.waits_for), left.name))


_ORDER = ("parked", "end", "host", "window", "later", "turn")


def _cause(
    one: Held,
    troubles: Collection[tuple[str, str]],
    away: Collection[str],
    opens: Mapping[tuple[str, str], int],
) -> tuple[str, str, int]:
    """What holds these back, and until when, if that is known."""
    if one.is_at_work:
        return "end", "", 0
    if one.host in away:
        return "host", one.host, 0
    for own in (("bma", one.bma), ("policy", one.policy)):
        if one.is_bound and own in troubles:
            return *own, 0
    if one.is_bound and (one.host, one.policy) in opens:
        return "window", one.policy, max(opens[one.host, one.policy], one.first)
    return ("later", "", one.first) if one.first else ("turn", "", 0)

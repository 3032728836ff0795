"""What a plan shows of policies that are not as they were meant: they take nothing, or each other's tapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vtsconf.core.migrate.judge import Tally
from vtsconf.core.migrate.plan import MigrationPlan
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.why import Why
from vtsconf.core.migrate.words import sized


@dataclass(frozen=True, kw_only=True)
class Warning:  # noqa: A001 the trade's word, as everywhere here
    """`code` is for machines. `policy` "": of all together. `examples`: paths."""

    code: str
    text: str
    policy: str = ""
    examples: tuple[str, ...] = ()


def warnings(plan: MigrationPlan) -> list[Warning]:
    """Of each policy, then of tapes."""
    sums = plan.tallies()
    found = [w for name, policy in plan.policies.items() for w in _of_policy(plan, policy, sums[name])]
    return [*found, *_of_tapes(plan)]


def _of_policy(plan: MigrationPlan, policy: Policy, tally: Tally) -> Iterator[Warning]:
    name = policy.name
    if impossible := _impossible(policy):
        yield Warning(code="impossible", policy=name, text=f"{name} can never take a tape: {impossible}")
    elif not tally.matched and not tally.counts[Why.FORBIDDEN]:
        yield Warning(code="matched-nothing", policy=name, text=f"{name} takes no tape: {leading(tally)}")
    elif tally.matched and not tally.taken:
        by = ", ".join(shadows(tally))
        text = (
            f"{name} is wholly shadowed: all {tally.matched} tapes that it wants go to {by}, which goes first"
        )
        yield Warning(code="shadowed", policy=name, text=text)
    if forbidden := tally.counts[Why.FORBIDDEN]:
        text = f"{name} would erase {forbidden} tapes, and vts.allow_erase does not name it: they are left"
        yield Warning(code="forbidden", policy=name, text=text)
    if circle := next((p.circles[name] for p in plan.parts if name in p.circles), ()):
        yield Warning(code="circle", policy=name, text=_round(name, circle))


def _round(name: str, circle: tuple[str, ...]) -> str:
    if circle == (name,):
        return f"{name} would take what it has just done again, in every run"
    return f"{name}: its tapes would go round for ever: {' → '.join((*circle, circle[0]))}"


def _impossible(policy: Policy) -> str:
    select = policy.select
    match policy.action:
        case "migrate" if select.state == "erased":
            return "an erased tape has nothing to migrate"
        case "erase" if select.state == "erased":
            return "an erased tape has nothing to erase"
        case "restore" if select.state == "present":
            return "only erased tapes are restored"
        case "erase" | "restore" if select.migrated in ("never", "changed"):
            return f"it wants `migrated: {select.migrated}`, and only what is proven can be {_done(policy)}"
    return ""


def _done(policy: Policy) -> str:
    return {"erase": "erased", "restore": "restored"}.get(policy.action, policy.action)


def shadows(tally: Tally) -> list[str]:
    """Who goes first, most first."""
    return sorted(tally.shadowed_by, key=lambda name: (-tally.shadowed_by[name], name))


def left(tally: Tally) -> list[tuple[Why, int]]:
    """Why tapes are left, most first."""
    counted = [(why, tally.counts[why]) for why in Why if why is not Why.TAKEN and tally.counts[why]]
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))


def leading(tally: Tally, most: int = 4) -> str:
    """The first reasons in words: "12 too young, 3 in another pool"."""
    reasons = left(tally)
    more = sum(count for _, count in reasons[most:])
    words = [f"{count} {why.word}" for why, count in reasons[:most]]
    return ", ".join([*words, *([f"{more} for other reasons"] if more else [])]) or "no tape was seen"


_OF_TAPES = {  # of one, of several
    "wanted-twice": ("is wanted by more than one policy; the first gets it",
                     "are wanted by more than one policy; the first gets them"),
    "unwanted": ("is wanted by no policy, and not proven on tape as it is",
                 "are wanted by no policy, and not proven on tape as they are"),
    "unknown": ("cannot be judged, and is left", "cannot be judged, and are left"),
}  # fmt: skip


def _of_tapes(plan: MigrationPlan) -> Iterator[Warning]:
    judges = [part.judge for part in plan.parts if part.judge]
    for code, somes in (
        ("wanted-twice", [judge.wanted_twice for judge in judges]),
        ("unwanted", [judge.unwanted for judge in judges]),
        ("unknown", [judge.unknown for judge in judges]),
    ):
        if count := sum(some.count for some in somes):
            octets = sized(sum(some.bytes for some in somes))
            tapes = "1 tape" if count == 1 else f"{count:,} tapes"
            text = f"{tapes} ({octets}) {_OF_TAPES[code][count > 1]}"
            examples = [path for some in somes for path in some.examples][:5]
            yield Warning(code=code, text=text, examples=tuple(examples))

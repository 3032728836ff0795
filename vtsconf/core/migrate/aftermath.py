"""What becomes of a tape when its job is done: a policy that would take it again goes round for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vtsconf.core.migrate.decide import decide
from vtsconf.core.migrate.grid import elsewhere
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.why import Why


def circle(
    policies: Sequence[Policy], number: int, tape: Tape, proof: Proof | None, now: int
) -> tuple[str, ...]:
    """The names of policies that hand this tape on to each other without an end; () when it comes to rest.

    `policies` in the order they are asked; `number`: the one that takes the tape now. Nobody writes to it meanwhile.
    """
    passed: list[tuple[str, int]] = []
    policy: Policy | None = policies[number]
    while policy is not None:
        if (policy.name, tape.size) in passed:
            names = [name for name, _ in passed]
            return tuple(names[passed.index((policy.name, tape.size)) :])
        passed.append((policy.name, tape.size))
        tape, proof = _after(policy, tape, proof, now)
        policy = _taker(policies, tape, proof, now)
    return ()


def _after(policy: Policy, tape: Tape, proof: Proof | None, now: int) -> tuple[Tape, Proof | None]:
    """Ages stay as they are, so that a rule that waits a month is seen to come round all the same."""
    if policy.action == "erase":
        return replace(tape, size=0, allocated=0), proof
    if policy.action == "restore":
        return replace(tape, size=proof.size if proof else 0), proof
    fresh = Proof(
        host="", cartridge=tape.path, size=tape.size, mtime=tape.mtime, inode=tape.inode, bma=policy.bma, token="", at=now
    )  # fmt: skip
    return tape, fresh


def _taker(policies: Sequence[Policy], tape: Tape, proof: Proof | None, now: int) -> Policy | None:
    for policy in policies:
        if elsewhere(policy, tape) is None and decide(policy, tape, proof=proof, now=now) is Why.TAKEN:
            return policy
    return None

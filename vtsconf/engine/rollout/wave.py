"""One wave: its servers at once, each brought to its end; the same function for `apply` and for a rollout."""

from __future__ import annotations

from collections.abc import Sequence

from vtsconf.engine.apply import HostResult
from vtsconf.engine.fan import fan
from vtsconf.engine.rollout.bring import bring, learn, settle
from vtsconf.engine.rollout.desk import Desk


def change_wave(wave: int, hosts: Sequence[str], desk: Desk) -> None:
    """Change these servers, at most `desk.parallel` at once; what is not begun when it is to stop is left."""
    desk.targets(hosts)

    def work(host: str) -> HostResult | None:
        return bring(host, wave, desk)

    for _, result in fan(hosts, work, parallel=desk.parallel):
        if result is not None:
            desk.watch.done(result)


def settle_all(hosts: Sequence[str], desk: Desk) -> None:
    """Find out how these ended that were begun; nothing new is done there."""
    desk.targets(hosts)
    for _, result in fan(hosts, lambda host: settle(host, desk), parallel=desk.parallel):
        desk.watch.done(result)


def learn_all(hosts: Sequence[str], desk: Desk) -> None:
    """Ask those again that were lost in the middle of their change."""
    seen = desk.ledger.read().seen
    lost = [
        host for host in hosts if seen.is_unsettled(host) and seen.hosts[host].get("outcome") == "unreachable"
    ]
    desk.targets(lost)
    for _, result in fan(lost, lambda host: learn(host, desk), parallel=desk.parallel):
        if result is not None:
            desk.watch.done(result)

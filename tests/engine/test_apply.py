"""One host's change against a server that is three dictionaries: every way it can end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from vtsconf.core.connection import Target
from vtsconf.core.content import Content
from vtsconf.core.errors import Unreachable
from vtsconf.core.outcome import PlanOutcome, RunOutcome
from vtsconf.core.plan import Health, HostPlan, base_of, reversed_host
from vtsconf.core.probe import FileKind, FileSeen, QuerySeen
from vtsconf.core.secret import FingerprintKey, Secret, SecretRef
from vtsconf.core.step import FileState, PutFile, RunCommand, Service
from vtsconf.engine.apply import Order, change_host
from vtsconf.transport.fake import MemoryServer
from vtsconf.transport.server import Confirmed

PATH = "/etc/vts.conf"
KEY = FingerprintKey(Secret(b"00ff"))
TARGET = Target(name="vts1")
PASSWORD = SecretRef("env", "PASSWORD")


def seen(data: bytes, mode: str = "0644") -> FileSeen:
    return FileSeen(kind=FileKind.FILE, data=data, owner="root", group="root", mode=mode)


def state(data: bytes) -> FileState:
    return FileState(
        content=Content.plain(data), digest=hashlib.sha256(data).hexdigest(), owner="root", group="root"
    )


def plan(**more: object) -> HostPlan:
    step = PutFile(path=PATH, before=state(b"old"), after=state(b"new"), restart=("ems",))
    made = HostPlan(
        host="vts1",
        outcome=PlanOutcome.CHANGES,
        state_dir="/var/lib/vtsconf",
        base=(base_of(PATH, step.before),),
        steps=(step,),
        restarts=("ems",),
        services=(Service(name="ems", restart=("restart-ems",), status=("status-ems",)),),
    )
    return replace(made, **more)


class Way:
    """A way to one server, that can be cut from the n-th connection on."""

    def __init__(self, server: MemoryServer, *, cut_from: int = 99) -> None:
        self.server, self.connections, self.cut_from = server, 0, cut_from

    def __call__(self, target: Target) -> MemoryServer:
        self.connections += 1
        if self.connections >= self.cut_from:
            raise Unreachable("connection refused", remedy="start it")
        return self.server


def order(way: Callable[[Target], MemoryServer], **more: object) -> Order:
    made = Order(
        run="r1",
        holder="ops@here",
        reach=way,
        secrets_of=lambda _: {PASSWORD: Secret(b"hunter2")},
        fingerprints=lambda: KEY,
        pause=lambda _: None,
        clock=iter(range(10_000)).__next__,
    )
    return replace(made, **more)


def server(**more: object) -> MemoryServer:
    return MemoryServer(files={PATH: seen(b"old")}, key=KEY, **more)


def test_a_change_is_kept_over_a_second_connection() -> None:
    host = server()
    way = Way(host)

    result = change_host(plan(), TARGET, order(way))

    assert (RunOutcome.CHANGED, 2, b"new") == (result.outcome, way.connections, host.files[PATH].data)
    assert host.outcomes == {"r1": ("confirmed", "ops@here")}
    assert host.debts == {}


def test_nothing_to_do_makes_no_connection() -> None:
    way = Way(server())

    result = change_host(plan(steps=(), restarts=()), TARGET, order(way))

    assert (RunOutcome.UNCHANGED, 0) == (result.outcome, way.connections)


@pytest.mark.parametrize("data", [b"edited", None])
def test_a_server_that_was_changed_since_is_not_touched(data: bytes | None) -> None:
    host = server()
    host.files = {} if data is None else {PATH: seen(data)}
    before = dict(host.files)

    result = change_host(plan(), TARGET, order(Way(host)))

    assert (RunOutcome.STALE, before, None) == (result.outcome, host.files, host.armed)
    assert "make the plan again" in result.remedy


def test_a_changed_mode_is_a_change_too() -> None:
    host = server()
    host.files[PATH] = seen(b"old", mode="0600")

    assert change_host(plan(), TARGET, order(Way(host))).outcome is RunOutcome.STALE


@pytest.mark.parametrize("failing", ["restart-ems", "status-ems"])
def test_a_service_that_fails_takes_the_change_back(failing: str) -> None:
    host = server(command=lambda argv: QuerySeen(exit=int(argv == (failing,))))

    result = change_host(plan(), TARGET, order(Way(host)))

    assert (RunOutcome.REVERTED, b"old") == (result.outcome, host.files[PATH].data)


def test_a_failing_health_check_takes_the_change_back() -> None:
    host = server(command=lambda argv: QuerySeen(exit=int(argv == ("healthy?",))))
    wish = plan(health=(Health(name="mounts", run=("healthy?",)),))

    result = change_host(wish, TARGET, order(Way(host)))

    assert (RunOutcome.REVERTED, b"old") == (result.outcome, host.files[PATH].data)
    assert "mounts" in result.reason


def test_a_health_check_on_the_controller_counts_as_well() -> None:
    host = server()
    wish = plan(health=(Health(name="ticket", run=("false",), on="controller"),))

    result = change_host(wish, TARGET, order(Way(host)))

    assert (RunOutcome.REVERTED, b"old") == (result.outcome, host.files[PATH].data)


def test_a_server_that_cannot_be_reached_again_is_in_doubt() -> None:
    host = server()

    result = change_host(plan(), TARGET, order(Way(host, cut_from=2)))

    assert RunOutcome.UNREACHABLE is result.outcome
    assert result.reason.startswith("in doubt: armed change")
    assert host.armed is not None


def test_a_connection_that_fails_once_is_tried_again() -> None:
    host = server()
    way = Way(host)
    calls: list[int] = []

    def shaky(target: Target) -> MemoryServer:
        calls.append(1)
        if len(calls) == 2:
            raise Unreachable("connection refused")
        return way(target)

    assert change_host(plan(), TARGET, order(shaky)).outcome is RunOutcome.CHANGED


def test_a_server_that_was_never_reached_is_unreachable_and_not_in_doubt() -> None:
    result = change_host(plan(), TARGET, order(Way(server(), cut_from=1)))

    assert (RunOutcome.UNREACHABLE, "connection refused", "start it") == (
        result.outcome,
        result.reason,
        result.remedy,
    )


def test_without_confirmation_it_waits() -> None:
    host = server()

    result = change_host(plan(), TARGET, order(Way(host), confirm=False))

    assert (RunOutcome.WAITING, "vtsconf confirm vts1") == (result.outcome, result.remedy)
    assert host.armed is not None


def test_a_server_that_does_not_show_what_was_put_there_takes_it_back() -> None:
    class Liar(MemoryServer):
        def apply(self, *args: object) -> object:
            answer = super().apply(*args)
            return replace(answer, reading=replace(answer.reading, files={PATH: seen(b"something else")}))

    host = Liar(files={PATH: seen(b"old")}, key=KEY)

    result = change_host(plan(), TARGET, order(Way(host)))

    assert (RunOutcome.REVERTED, b"old") == (result.outcome, host.files[PATH].data)
    assert result.reason == f"verification: {PATH} is not what was put there"


def with_secret(digest: str) -> HostPlan:
    after = FileState(
        content=Content((b"pw=", PASSWORD)), digest=digest, keyed=True, owner="root", group="root"
    )
    return plan(steps=(PutFile(path=PATH, before=state(b"old"), after=after),), restarts=())


def test_a_secret_is_put_in_on_the_way_and_compared_by_its_keyed_digest() -> None:
    host = server()

    result = change_host(with_secret(KEY.digest(b"pw=hunter2")), TARGET, order(Way(host)))

    assert (RunOutcome.CHANGED, b"pw=hunter2") == (result.outcome, host.files[PATH].data)


def test_a_secret_that_was_changed_since_the_plan_is_refused_unseen() -> None:
    way = Way(server())

    result = change_host(with_secret(KEY.digest(b"pw=older")), TARGET, order(way))

    assert (RunOutcome.REFUSED, 0) == (result.outcome, way.connections)
    assert "secret://env/PASSWORD" in result.reason
    assert "hunter2" not in repr(result)


def test_the_reversed_plan_brings_back_what_was_there() -> None:
    host = server()
    change_host(plan(), TARGET, order(Way(host)))

    result = change_host(reversed_host(plan(), "r1"), TARGET, order(Way(host), run="r2"))

    assert (RunOutcome.CHANGED, b"old") == (result.outcome, host.files[PATH].data)


def test_the_reversed_plan_takes_secret_bytes_from_the_servers_own_backup() -> None:
    host = server()
    host.files[PATH] = seen(b"pw=older")
    before = FileState(content=None, digest=KEY.digest(b"pw=older"), keyed=True, owner="root", group="root")
    made = with_secret(KEY.digest(b"pw=hunter2"))
    made = replace(made, base=(base_of(PATH, before),), steps=(replace(made.steps[0], before=before),))
    change_host(made, TARGET, order(Way(host)))

    result = change_host(reversed_host(made, "r1"), TARGET, order(Way(host), run="r2"))

    assert (RunOutcome.CHANGED, b"pw=older") == (result.outcome, host.files[PATH].data)


def test_a_command_is_run_only_while_its_check_still_fails() -> None:
    done: list[str] = []

    def answer(argv: tuple[str, ...]) -> QuerySeen:
        if argv == ("make",):
            done.append("made")
        return QuerySeen(exit=0 if argv == ("make",) or done else 1)

    step = RunCommand(name="index", check=("made?",), run=("make",))
    wish = plan(steps=(step,), base=(), restarts=())

    assert change_host(wish, TARGET, order(Way(server(command=answer)))).outcome is RunOutcome.CHANGED
    assert change_host(wish, TARGET, order(Way(server(command=answer)))).outcome is RunOutcome.STALE
    assert done == ["made"]


@pytest.mark.parametrize(
    ("planned", "ended"),
    [
        (PlanOutcome.UNREACHABLE, RunOutcome.UNREACHABLE),
        (PlanOutcome.LOCKED, RunOutcome.LOCKED),
        (PlanOutcome.INVALID, RunOutcome.REFUSED),
        (PlanOutcome.ERROR, RunOutcome.FAILED),
    ],
)
def test_a_host_that_could_not_be_planned_ends_as_what_it_was(
    planned: PlanOutcome, ended: RunOutcome
) -> None:
    way = Way(server())

    result = change_host(plan(outcome=planned, reason="because"), TARGET, order(way))

    assert (ended, "because", 0) == (result.outcome, result.reason, way.connections)


class Stuck(MemoryServer):
    """Does not show what it did, and cannot take it back either."""

    def apply(self, *args: object) -> object:
        return replace(super().apply(*args), reading=None)

    def revert(self, run: str, reason: str, state_dir: str) -> Confirmed:
        what = "could not be taken back: command:1"
        return Confirmed(outcome="broken", reason=f"{what} ({reason})", detail="rm: no such index")


def test_what_could_not_be_taken_back_is_said_with_what_to_do() -> None:
    host = Stuck(files={PATH: seen(b"old")}, key=KEY)

    result = change_host(plan(), TARGET, order(Way(host)))

    wrong = "verification: the server showed nothing"
    assert (RunOutcome.FAILED, f"{wrong}; could not be taken back: command:1", "rm: no such index") == (
        result.outcome,
        result.reason,
        result.detail,
    )
    assert "vtsconf rollback --armed -l vts1" in result.remedy


def test_a_stale_rollback_does_not_ask_for_another_plan() -> None:
    host = server()
    host.files[PATH] = seen(b"edited")

    result = change_host(reversed_host(plan(), "r1"), TARGET, order(Way(host), run="r2", reverses="r1"))

    assert RunOutcome.STALE is result.outcome
    assert "make the plan again" not in result.remedy
    assert "vtsconf history -l vts1" in result.remedy

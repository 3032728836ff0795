"""The same protocol with other shells and without tools that an old or small Linux does not have."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from tests.transport.box import Box, command, put, wait_until
from vtsconf.core.errors import Unreachable
from vtsconf.core.probe import Query
from vtsconf.transport.local import LocalSession
from vtsconf.transport.server import Exit

OLD, NEW = b"old\n", b"new\n"
SHELLS = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "bash-as-sh": ("bash",),
    "busybox": ("busybox", "sh"),
}


@pytest.fixture(params=SHELLS)
def server(box: Box, request: pytest.FixtureRequest) -> Box:
    shell = SHELLS[request.param]
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    box.file().write_bytes(OLD)
    box.file().chmod(0o604)
    box.restart()
    box.speak(*shell)
    box.hurry()
    return box


def steps(box: Box, name: str = "b.conf"):
    return [put(box.file(), OLD, NEW), put(box.file(name), None, b"")]


def test_a_change_is_kept(server):
    run = server.run_name()
    applied = server.apply(steps(server), run=run)

    assert (applied.outcome, applied.reason) == ("armed", "waits to be confirmed")
    assert server.confirm(run, Query("fine", ("true",))).outcome == "confirmed"
    assert server.file().read_bytes() == NEW
    assert (server.is_free(), server.debts(), server.loaded) == (True, [], NEW)


def test_a_change_takes_itself_back(server):
    run = server.run_name()
    before = server.tree()
    server.apply(steps(server), run=run, within=5)
    wait_until(server.is_free)

    assert server.tree() == before
    assert server.outcome(run) == "reverted not confirmed within 5 s"


def test_a_change_that_is_cut_off_goes_back(server):
    before = server.tree()

    def strike(event: str) -> None:
        if event.startswith("swapped"):
            server.reboot()

    with pytest.raises(Unreachable):
        server.apply([*steps(server), command("slow", ["false"], ["sleep", "3"], ["true"])], on_event=strike)
    reading = server.read()

    assert reading.settled[0].startswith("reverted its processes had died")
    assert server.tree() == before
    assert server.is_free()


def test_a_write_that_fails_is_an_answer_not_an_end(server):
    """In a POSIX sh a special builtin whose redirection fails ends the shell: none of ours may."""
    steps_ = [put(server.root / "proc" / "b.conf", None, b"")]
    (server.root / "proc").symlink_to("/proc")
    applied = server.apply(steps_)

    assert (applied.outcome, applied.reason[:16]) == ("failed", "cannot write in ")
    assert server.is_free()


def test_a_command_that_hangs_is_ended(server):
    hang = replace(command("hang", ["false"], ["sleep", "60"], ["true"]), timeout=1)
    before = server.tree()

    assert server.apply([*steps(server), hang]).outcome == "reverted"
    assert server.tree() == before


# ---- tools that are not there: hidden in a mount namespace of their own


class Without(LocalSession):
    """A session that cannot see some programs."""

    def __init__(self, *programs: str) -> None:
        self._hide = "; ".join(f"mount --bind /dev/null $(readlink -f $(command -v {p}))" for p in programs)

    def execute(self, command: str, stdin: Iterable[bytes], on_stdout: Callable[[bytes], None]) -> Exit:
        inner = f"{self._hide}; export PATH; {command}"
        me = "" if os.geteuid() == 0 else "--map-root-user "
        quoted = inner.replace("'", "'\\''")
        return super().execute(f"exec unshare -m {me}sh -c '{quoted}'", stdin, on_stdout)


def can_hide() -> bool:
    flags = ["-m"] if os.geteuid() == 0 else ["-m", "--map-root-user"]
    return subprocess.run(["unshare", *flags, "true"], check=False, capture_output=True).returncode == 0


needs_namespace = pytest.mark.skipif(not can_hide(), reason="mount namespaces are not allowed here")


@pytest.fixture
def plain(box: Box) -> Box:
    box.file().write_bytes(OLD)
    box.file().chmod(0o604)
    box.restart()
    box.hurry()
    return box


@needs_namespace
def test_without_timeout_as_on_rhel_5(plain):
    run = plain.run_name()
    events: list[str] = []
    applied = plain.apply(
        [*steps(plain), command("one", ["test", "-e", f"{plain.root}/x"], ["touch", f"{plain.root}/x"], ["true"])],
        session=Without("timeout"), on_event=events.append, run=run,
    )  # fmt: skip

    assert (applied.outcome, applied.detail) == ("armed", "")
    assert "ran one" in events
    assert plain.confirm(run).outcome == "confirmed"


@needs_namespace
def test_without_timeout_a_command_that_hangs_is_ended_with_its_children(plain):
    hang = command("hang", ["false"], ["sh", "-c", "/usr/bin/sleep 61 & /usr/bin/sleep 62; true"], ["true"])
    before = plain.tree()
    applied = plain.apply([*steps(plain), replace(hang, timeout=1)], session=Without("timeout"))

    assert (applied.outcome, applied.reason) == ("reverted", "command hang failed")
    assert plain.tree() == before
    wait_until(lambda: plain.processes() == [])


@needs_namespace
def test_a_timeout_that_cannot_kill_later_as_on_rhel_6(plain):
    """coreutils 8.4 knows no -k: it says 125, and has run nothing."""
    said = '[ "$1" != -k ] || { echo "invalid option" >&2; exit 125; }'
    plain.stand_in("timeout", f'#!/bin/sh\n{said}\nexec /usr/bin/timeout "$@"\n')
    probes = (Query("yes", ("echo", "yes")), Query("own", ("sh", "-c", "exit 125")))
    seen = plain.server().read(probes, str(plain.state)).queries

    assert 0 == seen["yes"].exit
    assert b"yes" == seen["yes"].stdout.strip().splitlines()[-1]
    assert 125 == seen["own"].exit


def test_without_timeout_queries_answer(plain):
    seen = plain.server(Without("timeout")).read(
        [
            Query("yes", ("echo", "fine")),
            Query("no", ("sh", "-c", "exit 7")),
            Query("hangs", ("/usr/bin/sleep", "60"), 1),
        ],
        str(plain.state),
    )

    assert [q.exit for q in seen.queries.values()] == [0, 7, None]
    assert seen.queries["yes"].text == "fine"


@needs_namespace
def test_without_setsid_nothing_is_changed(plain):
    """No reverter, no change."""
    before = plain.tree()
    applied = plain.apply(steps(plain), session=Without("setsid", "systemd-run"))

    assert (applied.outcome, applied.reason) == ("reverted", "the reverter could not be started")
    assert plain.tree() == before
    assert plain.is_free()


@needs_namespace
@pytest.mark.parametrize("tool", ["chcon", "sync"])
def test_what_is_not_needed_may_be_missing(plain, tool):
    if shutil.which(tool) is None:
        pytest.skip("it is missing already")
    run = plain.run_name()

    assert plain.apply(steps(plain), session=Without(tool), run=run).outcome == "armed"
    assert plain.confirm(run).outcome == "confirmed"


@needs_namespace
def test_systemd_runs_the_reverter_where_there_is_systemd(plain):
    """A stand-in that keeps what it was asked for, and does it."""
    log = plain.root / "run/systemd"
    plain.stand_in(
        "systemd-run",
        f'#!/bin/sh\necho "$*" >{log}\nwhile [ "$1" != sh ]; do shift; done\nsetsid "$@" </dev/null >/dev/null 2>&1 &\n',
    )
    run = plain.run_name()
    session = LocalSession()
    inner = session.execute

    def with_systemd(line, stdin, on_stdout):
        quoted = f"mount -t tmpfs none /run && mkdir -p /run/systemd/system; {line}".replace("'", "'\\''")
        return inner(f"exec unshare -m sh -c '{quoted}'", stdin, on_stdout)

    session.execute = with_systemd
    applied = plain.apply(steps(plain), session=session, run=run, within=5)

    assert applied.outcome == "armed"
    assert log.read_text().startswith(f"--quiet --no-block --unit vtsconf-revert-{run} sh ")
    wait_until(plain.is_free)
    assert plain.file().read_bytes() == OLD


def test_where_systemd_run_fails_setsid_does_it(plain):
    plain.stand_in("systemd-run", "#!/bin/sh\nexit 1\n")
    run = plain.run_name()

    assert plain.apply(steps(plain), run=run).outcome == "armed"
    assert plain.confirm(run).outcome == "confirmed"


@pytest.mark.parametrize("skew", ["+3600", "-3600", "jumps"])
def test_a_clock_that_is_wrong_decides_nothing(plain, skew):
    """Times on a server are for people; waiting is counted, not looked up."""
    real = {"+3600": "$(($(/usr/bin/date +%s) + 3600))", "-3600": "$(($(/usr/bin/date +%s) - 3600))",
            "jumps": "$(($(/usr/bin/date +%s) + $$ % 7 * 3600))"}[skew]  # fmt: skip
    plain.stand_in("date", f'#!/bin/sh\necho "{real}"\n')
    kept, taken = plain.run_name(), plain.run_name()
    before = plain.tree()
    first = plain.apply(steps(plain), run=taken, within=8)
    wait_until(plain.is_free)

    assert (first.outcome, plain.tree()) == ("armed", before)
    assert plain.apply(steps(plain), run=kept, within=300).outcome == "armed"
    assert plain.confirm(kept).outcome == "confirmed"

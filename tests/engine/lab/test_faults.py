"""Each fault, shown on a real connection."""

from __future__ import annotations

import time

import pytest

from tests.engine.lab.servers import DETACH, survivors, wait_until
from vtsconf.core.errors import Unreachable, Usage
from vtsconf.core.eventlog import events
from vtsconf.engine.lab.faults import KINDS, NAMES


def test_every_fault_is_shown_here():
    """A new fault without a test of its own is noticed."""
    shown = {
        "refuse", "hang", "drop-on-connect", "drop", "drop-after", "kill-after", "reboot-after", "reboot", "slow",
        "disk-full", "service-fails", "status-fails", "logs-error", "clock-skew", "old-algorithms",
        "bma",  # in test_library.py
        "vtspolicy",  # in test_vtspolicy.py
    }  # fmt: skip

    assert shown == set(NAMES)


@pytest.mark.parametrize("fault", ["refuse", "drop-on-connect"])
def test_no_connection(run, host, fault):
    host.break_(fault, once=True)
    with pytest.raises(Unreachable):
        run("true")

    assert run("true").code == 0


def test_hang(run, host):
    host.break_("hang", once=True)
    started = time.monotonic()
    with pytest.raises(Unreachable):
        run("true", connect_timeout=0.5, auth_timeout=0.5)

    assert time.monotonic() - started < 4
    assert run("true").code == 0


def test_drop_in_the_middle_of_stdin(run, host):
    host.break_("drop", 1000, once=True)
    with pytest.raises(Unreachable):
        run("cat >tmp/got", b"x" * 300_000)
    got = host.path("/tmp/got")
    wait_until(lambda: got.exists() and got.stat().st_size >= 1000 and not host.processes())

    assert got.stat().st_size == 1000
    assert run("wc -c", b"x" * 3000).stdout.strip() == b"3000"


def test_drop_before_the_command_begins(run, host):
    host.break_("drop", once=True)
    with pytest.raises(Unreachable):
        run("touch tmp/began")

    assert not host.path("/tmp/began").exists()


@pytest.mark.parametrize("event", ["armed", "2"])
def test_drop_after_an_event(run, host, event):
    host.break_("drop-after", event, once=True)
    with pytest.raises(Unreachable):
        run(f"echo 1 event locked by me; echo 1 event armed; cat >/dev/null; echo x >tmp/after-{event}")
    wait_until(lambda: host.path(f"/tmp/after-{event}").exists() and not host.processes())


def test_kill_after_an_event_spares_what_is_detached(run, host):
    host.break_("kill-after", "armed")
    ended = run(f"{DETACH}; echo 1 event armed; sleep 61; echo no")

    assert (ended.code, ended.stdout) == (None, b"1 event armed\n")
    assert survivors(host) == 1


def test_reboot_after_an_event_spares_nothing_but_files(run, host):
    host.break_("reboot-after", "armed", once=True)
    with pytest.raises(Unreachable):
        run(f"{DETACH}; echo kept >tmp/kept; echo 1 event armed; sleep 61")
    wait_until(lambda: _answers(run))

    assert survivors(host) == 0
    assert host.service("tapeserver") == "current"
    assert host.path("/tmp/kept").read_text() == "kept\n"


def test_reboot(run, host):
    run(f"{DETACH}; vts-service ems stop")
    host.break_("reboot")

    assert host.processes() == []
    assert host.service("ems") == "current"
    assert host.faults == []
    assert run("true").code == 0


def test_slow(run, host):
    quick = _seconds(lambda: run("head -c 20000 /dev/zero"))
    host.break_("slow", 30, 40_000)
    slow = _seconds(lambda: run("head -c 20000 /dev/zero"))

    assert slow > quick + 0.5


def test_disk_full(run, host):
    host.break_("disk-full", 512)
    full = run("cat >tmp/full; echo $?; echo note >tmp/note && cat tmp/note", b"x" * 5000)

    assert full.stdout == b"1\nnote\n"
    assert b"File too large" in full.stderr
    assert host.path("/tmp/full").stat().st_size == 512
    host.mend("disk-full")
    assert run("cat >tmp/full", b"x" * 5000).code == 0


def test_disk_full_strikes_what_is_detached_too(run, host):
    host.break_("disk-full", once=True)
    run("setsid sh -c 'echo x >tmp/late; echo $? >&2' 2>&1 | cat >/dev/null; true")

    assert host.path("/tmp/late").stat().st_size == 0


def test_service_fails(run, host):
    host.break_("service-fails", "ems", "isc")
    failed = run("vts-service ems restart")

    assert failed.code == 1
    assert b"service-fails" in failed.stderr
    assert host.service("ems") == "stopped"
    assert run("vts-service tapeserver restart").code == 0
    host.mend()
    assert run("vts-service ems restart && vts-service ems status").stdout == b"ems: running\n"


def test_service_fails_once(run, host):
    host.break_("service-fails", "ems", once=True)

    assert [run("vts-service ems restart").code for _ in range(2)] == [1, 0]
    assert host.faults == []


def test_status_fails(run, host):
    host.break_("status-fails", "ems")

    assert run("vts-service ems restart").code == 0
    assert run("vts-service ems status").code == 1
    assert run("vts-service isc status").code == 0


def test_logs_an_error(run, host):
    host.break_("logs-error", "ems", once=True)
    before = host.tree.event_log.read_bytes()

    assert [run(f"vts-service {service} restart").code for service in ("isc", "ems", "ems")] == [0, 0, 0]

    new = events(host.tree.event_log.read_bytes().removeprefix(before))

    assert ["INFO", "INFO", "ERROR", "INFO"] == [event.level for event in new]


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_clock_skew(run, host, seconds):
    host.break_("clock-skew", seconds)
    told = int(run("date +%s").stdout)

    assert abs(told - time.time() - seconds) < 10


def test_old_algorithms(run, host):
    host.break_("old-algorithms")
    with pytest.raises(Unreachable, match="vts1"):
        run("true")

    assert run("echo old", legacy=True).stdout == b"old\n"
    host.mend()
    assert run("echo new").stdout == b"new\n"


BAD = [
    ("servise-fails", ["ems"]), ("service-fails", []), ("service-fails", ["cron"]), ("drop", ["many"]), ("drop", ["-1"]),
    ("drop", ["1", "2"]), ("drop-after", []), ("drop-after", ["amred"]), ("clock-skew", []), ("clock-skew", ["1h"]),
    ("refuse", ["now"]), ("slow", []), ("../id", []), ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), BAD)
def test_a_fault_that_makes_no_sense_is_refused(host, name, arguments):
    with pytest.raises(Usage) as refusal:
        host.break_(name, *arguments)

    assert refusal.value.remedy
    assert host.faults == []


def test_a_fault_replaces_the_same_fault(host):
    host.break_("drop", 1, once=True)
    host.break_("drop", 2)

    assert [str(fault) for fault in host.faults] == ["drop 2"]


def test_every_fault_says_what_it_does():
    assert all(kind.does for kind in KINDS)


def _answers(run):
    try:
        return run("true").code == 0
    except Unreachable:
        return False


def _seconds(act):
    started = time.monotonic()
    act()
    return time.monotonic() - started

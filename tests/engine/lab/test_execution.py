"""What a command meets on a lab server: streams, ending, environment, as on a real one."""

from __future__ import annotations

import random
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.lab.servers import DETACH, survivors
from vtsconf.engine.lab.execution import Events


def test_passes_everything_through(run):
    data = random.Random(1).randbytes(3_000_000)

    assert run("cat; echo oops >&2; exit 7", data) == (7, data, b"oops\n")


def test_a_command_that_does_not_read_its_input_ends(run):
    assert run("head -c 3; exec 0<&-; exit 4", b"x" * 5_000_000) == (4, b"xxx", b"")


def test_quick_commands_are_never_refused(run):
    """The answer to the request must not be overtaken by the end of what was requested."""
    assert [run("exit 5").code for _ in range(25)] == [5] * 25


def test_a_signal_is_no_exit_code(run):
    assert run("kill -9 0").code is None


def test_the_environment_is_that_of_a_fresh_login(run, host, monkeypatch):
    monkeypatch.setenv("FROM_THE_CONTROLLER", "yes")
    told = dict(line.split("=", 1) for line in run("env; echo CWD=$PWD").stdout.decode().splitlines())

    assert told["CWD"] == str(host.tree.root)
    assert told["HOME"] == str(host.tree.root / "root")
    assert told["PATH"].startswith(f"{host.tree.root}/bin:")
    assert told["USER"] == "vtsa"
    assert "FROM_THE_CONTROLLER" not in told


def test_what_is_detached_outlives_the_channel(run, host):
    run(DETACH)

    assert survivors(host) == 1


def test_a_cut_connection_kills_nothing(run, host):
    """As sshd does without a terminal: the command finds out when it reads or writes."""
    host.break_("drop-after", "armed", once=True)
    with pytest.raises(Exception, match="vts1"):
        run("echo 1 event armed; exec sleep 61")

    assert survivors(host) == 1


def test_only_the_labs_user_with_the_labs_key_comes_in(run):
    with pytest.raises(Exception, match="vts1"):
        run("true", user="root")


@pytest.mark.skipif(
    subprocess.run(("sh", "-c", "command -v ssh"), check=False).returncode != 0, reason="no ssh"
)
def test_openssh_gets_the_same(lab, host):
    """Another client than ours: the server is no mirror of it."""
    own = lab.folder / ".lab"
    options = ("-F", "none", "-o", f"UserKnownHostsFile={own}/known_hosts", "-o", "IdentitiesOnly=yes")
    argv = ("ssh", *options, "-i", own / "id", "-p", str(host.port), "vtsa@127.0.0.1")
    data = random.Random(2).randbytes(1_000_000)
    ended = subprocess.run(
        (*argv, "cat; echo oops >&2; exit 7"), input=data, capture_output=True, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (7, data, b"oops\n")


def test_two_servers_at_once_do_not_wait_for_each_other(lab, run, host):
    host.break_("slow", 300)
    started = time.monotonic()
    run("true", port=lab.host("vts2").port)

    assert time.monotonic() - started < 2


LINES = st.lists(
    st.sampled_from(
        [b"a event armed\n", b"a event saved as /x\n", b"x\n", b"event armed\n", b"\n", b"a event ", b"\0"]
    )
    | st.binary(max_size=8)
)


@given(LINES, st.lists(st.integers(1, 9), min_size=1))
def test_events_are_found_however_the_stream_is_cut(lines, sizes):
    stream = b"".join(lines)
    whole = [event for _, event in Events().split(stream) if event]
    events, found, passed, at, turn = Events(), [], b"", 0, 0
    while at < len(stream):
        chunk = stream[at : at + sizes[turn % len(sizes)]]
        at, turn = at + len(chunk), turn + 1
        for piece, event in events.split(chunk):
            passed += piece
            found += [event] if event else []

    assert passed == stream
    assert found == whole


def test_a_line_that_is_too_long_is_no_event():
    pieces = Events().split(b"n event armed " + b"x" * 600 + b"\nn event swapped\n")

    assert [event for _, event in pieces] == ["", "swapped"]

"""Commands over a real OpenSSH: bytes, codes, time-outs, lost servers."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.real.reaching import connector, execute, refused
from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.server import Exit


class TestCommands:
    def test_stdin_stdout_stderr_and_exit_code_come_back(self, server, tmp_path):
        ending, out = execute(
            server.target(), "cat; echo oops >&2; exit 7", b"a\0b", b"\xff\n", tmp_path=tmp_path
        )

        assert (Exit(code=7, stderr=b"oops\n"), b"a\0b\xff\n") == (ending, out)

    def test_any_character_of_a_command_arrives(self, server, tmp_path):
        strange = """printf '%s|' 'a!b' "it's" '\\n$HOME' "`echo x`" 'ü€' <<'E'\nE\nprintf 'line\\n'"""

        assert (
            execute(server.target(), strange, tmp_path=tmp_path)[1]
            == b"a!b|it's|\\n$HOME|x|\xc3\xbc\xe2\x82\xac|line\n"
        )

    def test_several_commands_take_one_connection(self, server, tmp_path):
        session = connector(tmp_path).connect(server.target())
        codes = [session.execute(f"exit {n}", (), lambda _: None).code for n in (0, 3, 200)]
        session.close()
        session.close()

        assert (codes, server.connections(), server.execs()) == ([0, 3, 200], 1, 3)

    def test_a_signal_leaves_no_exit_code(self, server, tmp_path):
        assert execute(server.target(), "kill -9 $$", tmp_path=tmp_path)[0].code is None

    def test_fifty_megabytes_both_ways_at_once(self, server, tmp_path):
        block = os.urandom(1024 * 1024)
        digest, size = hashlib.sha256(), 0

        def take(data: bytes) -> None:
            nonlocal size
            digest.update(data)
            size += len(data)

        session = connector(tmp_path).connect(server.target())
        ending = session.execute("cat", (block for _ in range(50)), take)
        session.close()

        expected = hashlib.sha256(block * 50).hexdigest()
        assert (0, 50 * len(block), expected) == (ending.code, size, digest.hexdigest())

    def test_a_flood_on_stderr_is_bounded_and_blocks_nobody(self, server, tmp_path):
        ending, out = execute(
            server.target(), "head -c 40000000 /dev/zero >&2; echo done", b"x" * 3_000_000, tmp_path=tmp_path
        )

        assert (ending.code, len(ending.stderr), out) == (0, 65536, b"done\n")

    def test_a_server_that_closes_its_stdin_early_is_no_error(self, server, tmp_path):
        ending, out = execute(
            server.target(), "exec 0<&-; sleep 0.2; echo fine; exit 4", b"y" * 8_000_000, tmp_path=tmp_path
        )

        assert (ending.code, out) == (4, b"fine\n")

    def test_a_child_that_keeps_stdout_does_not_hold_us(self, server, tmp_path):
        began = time.monotonic()
        ending, out = execute(server.target(), "echo now; sleep 30 & exit 2", tmp_path=tmp_path)

        assert (ending.code, out) == (2, b"now\n")
        assert time.monotonic() - began < 10

    def test_what_the_callers_own_code_raises_comes_back_as_it_is(self, server, tmp_path):
        def stdin():
            yield b"one"
            raise LookupError("mine")

        session = connector(tmp_path).connect(server.target())
        with pytest.raises(LookupError, match="mine"):
            session.execute("cat", stdin(), lambda _: None)
        with pytest.raises(OSError, match="disk full"):
            session.execute("echo x", (), lambda _: (_ for _ in ()).throw(OSError("disk full")))
        assert session.execute("exit 5", (), lambda _: None).code == 5
        session.close()

    def test_many_threads_each_with_a_session(self, server, tmp_path):
        mine = connector(tmp_path)

        def work(n: int) -> bytes:
            session = mine.connect(server.target(name=f"vts{n}"))
            out: list[bytes] = []
            session.execute(f"echo {n}", (), out.append)
            session.close()
            return b"".join(out)

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(work, range(24)))

        assert [f"{n}\n".encode() for n in range(24)] == answers

    def test_a_server_without_python_and_its_own_paths(self, openssh, tmp_path):
        bare = openssh(python=False, own=("/usr/local/tape", "/VAULT01"))
        bare.path("/usr/local/tape/vts.conf").write_text("ems_enable='YES'\n")
        _, out = execute(
            bare.target(),
            "command -v python3 python; cat /usr/local/tape/vts.conf; ls -d /VAULT01",
            tmp_path=tmp_path,
        )

        assert out == b"ems_enable='YES'\n/VAULT01\n"
        assert not Path("/VAULT01").exists()

    def test_csh_as_login_shell(self, openssh, tmp_path):
        setup = """cat > /bin/oddsh <<'E'
#!/bin/sh
# Stands for a csh in the one thing that differs: no newline and no history mark in a command.
case $2 in *'!'*|*'
'*) echo 'Unmatched quote.' >&2; exit 1;; esac
exec /bin/sh -c "$2"
E
chmod 755 /bin/oddsh; usermod -s /bin/oddsh root
"""
        odd = openssh(setup=setup)

        assert execute(odd.target(), "echo a\necho 'b!'", tmp_path=tmp_path)[1] == b"a\nb!\n"


class TestTimes:
    def test_silence_is_given_up(self, server, tmp_path):
        session = connector(tmp_path).connect(server.target(idle_timeout=0.3))
        with pytest.raises(Unreachable, match=r"nothing heard from the command for 0\.3 s$"):
            session.execute("sleep 20", (), lambda _: None)
        with pytest.raises(Unreachable):  # a time-out ends the connection
            session.execute("true", (), lambda _: None)

    def test_a_chatty_command_ends_at_the_total(self, server, tmp_path):
        error = refused(
            server.target(idle_timeout=5, total_timeout=0.6), tmp_path, "while :; do echo x; sleep 0.1; done"
        )

        assert str(error) == "vts1: the command did not end within 0.6 s"

    def test_a_silent_listener(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            began = time.monotonic()
            error = refused(
                Target(name="vts1", address="127.0.0.1", port=port, connect_timeout=0.4, ssh_config=""),
                tmp_path,
            )

        assert str(error) == f"vts1: 127.0.0.1 port {port} gave no SSH greeting within 0.4 s"
        assert time.monotonic() - began < 3

    def test_something_that_is_no_ssh_server(self, tmp_path):
        def hello(listener: socket.socket) -> None:
            connection, _ = listener.accept()
            connection.sendall(b"\x1b[31mHTTP/1.1 400 no\r\n" * 200)
            connection.close()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=hello, args=(listener,), daemon=True).start()
            port = listener.getsockname()[1]
            error = refused(Target(name="vts1", address="127.0.0.1", port=port, ssh_config=""), tmp_path)

        assert "is not an SSH server" in str(error)
        assert "\x1b" not in str(error)

    def test_a_closed_port_and_an_unknown_name(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        closed = refused(Target(name="vts1", address="127.0.0.1", port=port, ssh_config=""), tmp_path)
        nobody = refused(Target(name="vts1", address="no-such-host.invalid", ssh_config=""), tmp_path)

        assert str(closed) == f"vts1: 127.0.0.1 port {port} refuses connections"
        assert str(nobody) == "vts1: the address `no-such-host.invalid` cannot be found"

    def test_a_server_that_freezes_while_we_upload(self, server, tmp_path):
        session = connector(tmp_path).connect(server.target(idle_timeout=0.5))
        began = time.monotonic()
        try:
            with pytest.raises(Unreachable) as caught:
                session.execute(
                    "echo up; cat >/dev/null",
                    (bytes(1_000_000) for _ in range(100)),
                    lambda _: server.freeze(),
                )
            session.close()
        finally:
            server.thaw()

        assert str(caught.value) == "vts1: nothing heard from the command for 0.5 s"
        assert time.monotonic() - began < 4

    def test_a_server_that_freezes_at_login(self, server, tmp_path):
        server.freeze()
        try:
            error = refused(server.target(connect_timeout=0.4), tmp_path)
        finally:
            server.thaw()

        assert "gave no SSH greeting within 0.4 s" in str(error)

    def test_a_server_that_dies_in_the_middle(self, server, tmp_path):
        session = connector(tmp_path).connect(server.target())
        seen = threading.Event()
        killer = threading.Thread(target=lambda: (seen.wait(5), server.kill()))
        killer.start()
        with pytest.raises(Unreachable) as caught:
            session.execute("echo up; sleep 60", (b"x" for _ in range(3)), lambda _: seen.set())
        with pytest.raises(Unreachable):
            session.execute("true", (), lambda _: None)
        session.close()
        killer.join()

        assert str(caught.value) == "vts1: connection lost while a command was running"
        server.restart()
        assert execute(server.target(), "exit 0", tmp_path=tmp_path)[0].code == 0


def test_a_reboot_ends_every_process_and_keeps_the_disk(openssh, tmp_path):
    server = openssh(own=("/var/lib/vtsconf",))
    execute(
        server.target(),
        "setsid sh -c 'sleep 300' >/dev/null 2>&1 & echo kept > /etc/kept; echo here > /var/lib/vtsconf/x",
        tmp_path=tmp_path,
    )
    deadline = time.monotonic() + 5
    while not any("sleep 300" in line for line in server.commands().values()):
        assert time.monotonic() < deadline
    server.kill()

    assert server.processes() == []
    assert server.path("/var/lib/vtsconf/x").read_text() == "here\n"
    server.restart()
    assert execute(server.target(), "cat /etc/kept", tmp_path=tmp_path)[1] == b"kept\n"
    assert not Path("/etc/kept").exists()

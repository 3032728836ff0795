"""SSH against a real OpenSSH: what a session promises."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.real.conftest import StartOpenSsh
from tests.real.openssh import OpenSsh, keys
from vtsconf.core.connection import Become, Target
from vtsconf.core.errors import Unreachable
from vtsconf.core.secret import Secret
from vtsconf.transport.endpoint import Here
from vtsconf.transport.server import Exit
from vtsconf.transport.ssh import SshConnector


def connector(tmp_path: Path, said: list[str] | None = None) -> SshConnector:
    """One whose home is empty."""
    told = [] if said is None else said
    return SshConnector(warn=told.append, here=Here(user="operator", home=str(tmp_path)))


def execute(target: Target, command: str, *stdin: bytes, tmp_path: Path) -> tuple[Exit, bytes]:
    session = connector(tmp_path).connect(target)
    try:
        out: list[bytes] = []
        return session.execute(command, stdin, out.append), b"".join(out)
    finally:
        session.close()


def refused(target: Target, tmp_path: Path, command: str = "true") -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        execute(target, command, tmp_path=tmp_path)
    text = f"{caught.value} {caught.value.remedy}"
    assert "Traceback" not in text
    assert caught.value.remedy
    return caught.value


@pytest.fixture
def server(openssh: StartOpenSsh) -> OpenSsh:
    return openssh()


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
        error = refused(server.target(idle_timeout=0.3), tmp_path, "sleep 20")

        assert str(error) == "vts1: nothing heard from the command for 0.3 s"

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


class TestHostKeys:
    def unpinned(self, server: OpenSsh, file: Path, **changes: object) -> Target:
        return server.target(host_key="", known_hosts=(str(file),), **changes)

    def test_known_in_every_form(self, server, tmp_path):
        file = tmp_path / "known"
        for names in (("host_ed25519",), ("host_rsa",), ("host_ed25519", "host_rsa")):
            file.write_text(server.known_hosts(*names))
            execute(self.unpinned(server, file), "true", tmp_path=tmp_path)
            subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
            execute(self.unpinned(server, file), "true", tmp_path=tmp_path)

    def test_the_key_that_is_known_is_the_one_asked_for(self, server, tmp_path):
        file = tmp_path / "known"
        file.write_text(server.known_hosts("host_rsa"))
        session = connector(tmp_path).connect(self.unpinned(server, file))
        session.close()

        assert session.facts.host_key == "rsa-sha2-512"

    def test_an_unknown_key_is_refused_and_the_remedy_works(self, server, tmp_path):
        file = tmp_path / "known"
        error = refused(self.unpinned(server, file), tmp_path)
        seen = keys().fingerprint("host_ed25519")
        scan = error.remedy.partition("then: ")[2].partition(" — ")[0]

        assert str(error) == f"vts1: the host key is not known: the server shows ssh-ed25519 {seen}"
        assert scan == f"ssh-keyscan -p {server.port} -t ed25519 127.0.0.1 >> {file}"
        subprocess.run(["/bin/sh", "-c", scan], check=True, capture_output=True)
        execute(self.unpinned(server, file), "true", tmp_path=tmp_path)

    def test_a_changed_key_is_refused_and_the_remedy_works(self, server, tmp_path):
        file = tmp_path / "known"
        file.write_text(f"[127.0.0.1]:{server.port} {keys().public('other_ed25519')}\n")
        error = refused(self.unpinned(server, file), tmp_path)
        mend = error.remedy.partition("reinstalled: ")[2].partition(". If not")[0]

        assert keys().fingerprint("host_ed25519") in str(error)
        assert f"expected is ssh-ed25519 {keys().fingerprint('other_ed25519')} ({file}:1)" in str(error)
        subprocess.run(["/bin/sh", "-c", mend], check=True, capture_output=True)
        execute(self.unpinned(server, file), "true", tmp_path=tmp_path)

    def test_a_wrong_pin_a_revoked_key_and_an_authority(self, server, tmp_path):
        file = tmp_path / "known"
        pinned = refused(server.target(host_key=keys().public("other_ed25519")), tmp_path)
        file.write_text("@revoked * " + keys().public("host_ed25519") + "\n" + server.known_hosts())
        revoked = refused(self.unpinned(server, file), tmp_path)
        file.write_text("@cert-authority * " + keys().public("other_ed25519") + "\n")
        authority = refused(self.unpinned(server, file), tmp_path)

        assert "(pinned)" in str(pinned)
        assert keys().public("host_ed25519") in pinned.remedy
        assert "revoked" in str(revoked)
        assert "not supported" in authority.remedy

    def test_nothing_is_sent_to_a_server_with_the_wrong_key(self, server, tmp_path):
        refused(server.target(host_key=keys().public("other_ed25519"), password=Secret(b"pw")), tmp_path)

        assert "Accepted" not in server.log.read_text()
        assert server.execs() == 0


class TestLogin:
    @pytest.mark.parametrize("name", ["user_ed25519", "user_ecdsa", "user_rsa"])
    def test_kinds_of_key(self, server, tmp_path, name):
        path = str(keys().directory / name)
        session = connector(tmp_path).connect(server.target(key_files=(path,)))
        session.close()

        assert session.facts.auth == f"publickey ({path})"

    def test_an_encrypted_key(self, server, tmp_path):
        path = str(keys().directory / "user_encrypted")
        execute(
            server.target(key_files=(path,), key_passphrase=Secret(b"open sesame")), "true", tmp_path=tmp_path
        )
        none = refused(server.target(key_files=(path,)), tmp_path)
        wrong = refused(server.target(key_files=(path,), key_passphrase=Secret(b"shazam")), tmp_path)

        assert f"the key file {path} is encrypted and no passphrase is given" in str(none)
        assert f"the passphrase of the key file {path} is wrong" in str(wrong)
        assert "shazam" not in f"{wrong} {wrong.remedy}"

    def test_key_files_that_are_none(self, server, tmp_path):
        absent = refused(server.target(key_files=(str(tmp_path / "no"),)), tmp_path)
        public = refused(server.target(key_files=(str(keys().user) + ".pub",)), tmp_path)

        assert "cannot read the key file" in str(absent)
        assert "is not a private key" in str(public)

    def test_a_key_that_the_server_does_not_take(self, server, tmp_path):
        path = str(keys().directory / "other_ed25519")
        error = refused(server.target(key_files=(path,)), tmp_path)

        assert str(error) == f"vts1: login as root failed: tried {path}; the server takes publickey, password"
        assert "authorized_keys" in error.remedy

    def test_keys_of_the_agent(self, server, tmp_path, monkeypatch):
        place = tmp_path / "agent"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
        try:
            while not place.exists():
                time.sleep(0.01)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
            for name in ("other_ed25519", "user_ecdsa"):
                subprocess.run(["ssh-add", "-q", keys().directory / name], check=True)
            session = connector(tmp_path).connect(server.target(key_files=(), use_agent=True))
            session.close()
            encrypted = str(keys().directory / "user_encrypted")
            second = connector(tmp_path).connect(server.target(key_files=(encrypted,), use_agent=True))
            second.close()
        finally:
            agent.terminate()
            agent.wait()

        assert session.facts.auth == second.facts.auth == "publickey (agent key user_ecdsa)"

    def test_a_password_right_and_wrong(self, openssh, tmp_path):
        server = openssh(user="oper", setup="echo oper:s3cret | chpasswd\n")
        execute(server.target(key_files=(), password=Secret(b"s3cret")), "true", tmp_path=tmp_path)
        error = refused(server.target(key_files=(), password=Secret(b"guess")), tmp_path)

        assert "tried password" in str(error)
        assert "ansible_password" in error.remedy
        assert "guess" not in f"{error} {error.remedy}"

    def test_a_password_asked_for_by_pam(self, openssh, tmp_path):
        config = "PasswordAuthentication no\nKbdInteractiveAuthentication yes\n"
        server = openssh(user="oper", setup="echo oper:s3cret | chpasswd\n", config=config, pam=True)
        ending, _ = execute(
            server.target(key_files=(), password=Secret(b"s3cret")), "true", tmp_path=tmp_path
        )
        error = refused(server.target(key_files=(), password=Secret(b"guess")), tmp_path)

        assert ending.code == 0
        assert "tried password" in str(error)

    def test_too_many_keys(self, openssh, tmp_path):
        server = openssh(config="MaxAuthTries 1\n")
        paths = tuple(str(keys().directory / n) for n in ("other_ed25519", "user_ed25519"))
        error = refused(server.target(key_files=paths), tmp_path)

        assert "hung up during the login as root" in str(error)


class TestLegacy:
    def test_an_old_appliance_is_refused_by_default(self, openssh, tmp_path):
        server = openssh(legacy=True)
        error = refused(server.target(), tmp_path)

        assert str(error) == (
            "vts1: the server offers only outdated SSH algorithms: key exchange diffie-hellman-group14-sha1; "
            "host keys ssh-rsa; MACs hmac-sha1"
        )
        assert error.remedy == "update its SSH server, or set vts_ssh_legacy: true for this host alone"

    @pytest.mark.parametrize("name", ["user_rsa", "user_ed25519"])
    def test_an_old_appliance_by_opt_in_and_loudly(self, openssh, tmp_path, name):
        server = openssh(legacy=True)
        said: list[str] = []
        target = server.target(legacy=True, key_files=(str(keys().directory / name),))
        session = connector(tmp_path, said).connect(target)
        out: list[bytes] = []
        session.execute("echo old", (), out.append)
        session.close()

        assert (
            out,
            session.facts.outdated,
        ) == ([b"old\n"], ("diffie-hellman-group14-sha1", "ssh-rsa", "hmac-sha1"))
        assert len(said) == 1
        assert "outdated SSH algorithms (diffie-hellman-group14-sha1, ssh-rsa, hmac-sha1)" in said[0]

    def test_an_opt_in_that_is_not_needed_changes_nothing(self, server, tmp_path):
        said: list[str] = []
        target = server.target(legacy=True, key_files=(str(keys().directory / "user_rsa"),))
        session = connector(tmp_path, said).connect(target)
        session.close()

        assert session.facts.outdated == ()
        assert "does not need it" in said[0]


SUDO = """
useradd -m -N -s /bin/sh oper; echo 'oper:s3cret' | chpasswd; echo 'root:t0p' | chpasswd
printf 'oper ALL=(ALL) {rule}\\n' > /etc/sudoers.d/oper; chmod 440 /etc/sudoers.d/oper
"""
WHO = "id -un; cat"


class TestBecome:
    """A payload that looks like passwords must arrive whole, and no password must arrive with it."""

    payload = b"s3cret\n\nfirst line\n\0rest"

    def become(self, server: OpenSsh, word: bytes | None = None, **changes: object) -> Target:
        become = Become(password=None if word is None else Secret(word), **changes)  # type: ignore[arg-type]
        return server.target(user="oper", become=become)

    @pytest.mark.parametrize("rule", ["NOPASSWD: ALL", "ALL"])
    @pytest.mark.parametrize("word", [None, b"s3cret"])
    def test_sudo(self, openssh, tmp_path, rule, word):
        server = openssh(setup=SUDO.format(rule=rule))
        target = self.become(server, word)
        if rule == "ALL" and word is None:
            error = refused(target, tmp_path, WHO)
            assert "cannot become `root` with sudo: it asks for a password" in str(error)
            return
        ending, out = execute(target, WHO, self.payload, tmp_path=tmp_path)

        assert (0, b"root\n" + self.payload, b"") == (ending.code, out, ending.stderr)

    def test_sudo_with_a_password_that_is_cached(self, openssh, tmp_path):
        rule = "ALL\\nDefaults timestamp_type=global\\n"
        server = openssh(setup=SUDO.format(rule=rule))
        for _ in range(2):
            ending, out = execute(self.become(server, b"s3cret"), WHO, self.payload, tmp_path=tmp_path)
            assert (0, b"root\n" + self.payload) == (ending.code, out)
        ending, out = execute(self.become(server), WHO, self.payload, tmp_path=tmp_path)

        assert (0, b"root\n" + self.payload) == (ending.code, out)

    def test_a_wrong_password_is_tried_once(self, openssh, tmp_path):
        server = openssh(setup=SUDO.format(rule="ALL"))
        error = refused(self.become(server, b"guess"), tmp_path, WHO)

        assert str(error) == (
            "vts1: cannot become `root` with sudo: the password is wrong, or the account may not do it"
        )

    def test_no_sudo_rule_no_such_user_no_terminal(self, openssh, tmp_path):
        server = openssh(
            setup=SUDO.format(rule="ALL") + "useradd -m -s /bin/sh other; echo other:s3cret | chpasswd\n"
        )
        nobody = refused(self.become(server, b"s3cret", user="ghost"), tmp_path)
        other = refused(server.target(user="other", become=Become(password=Secret(b"s3cret"))), tmp_path)
        server.run("echo 'Defaults requiretty' >> /etc/sudoers.d/oper")
        terminal = refused(self.become(server, b"s3cret"), tmp_path)

        assert "there is no such user on the server" in str(nobody)
        assert "the account is not allowed to" in str(other)
        assert "requiretty" in str(terminal)

    @pytest.mark.parametrize("word", [b"t0p", b"guess", None])
    def test_su(self, openssh, tmp_path, word):
        server = openssh(setup=SUDO.format(rule="ALL"))
        target = self.become(server, word, method="su")
        if word == b"t0p":
            ending, out = execute(target, WHO, self.payload, tmp_path=tmp_path)
            assert (0, b"root\n" + self.payload) == (ending.code, out)
        else:
            assert "cannot become `root` with su" in str(refused(target, tmp_path, WHO))

    def test_the_password_is_on_no_command_line(self, openssh, tmp_path):
        server = openssh(setup=SUDO.format(rule="ALL"))
        out = execute(
            self.become(server, b"s3cret"),
            "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '",
            tmp_path=tmp_path,
        )[1]

        assert b"sudo -H -S" in out
        assert b"s3cret" not in out

    def test_output_before_the_command_and_codes_of_the_command(self, openssh, tmp_path):
        setup = (
            SUDO.format(rule="NOPASSWD: ALL")
            + "usermod -s /bin/bash oper; echo 'echo noise' > /home/oper/.bashrc\n"
        )
        server = openssh(setup=setup)
        ending, out = execute(self.become(server), "echo x; echo sudo: y >&2; exit 1", tmp_path=tmp_path)

        assert (Exit(code=1, stderr=b"sudo: y\n"), b"x\n") == (ending, out)

    def test_becoming_who_one_is_needs_no_sudo(self, server, tmp_path):
        server.run("rm -f /usr/bin/sudo")

        assert execute(server.target(become=Become()), "true", tmp_path=tmp_path)[0].code == 0


class TestWays:
    def test_through_a_jump_host_which_sessions_share(self, openssh, tmp_path):
        gate, inner = openssh(), openssh()
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "config").write_text(
            f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n  User root\n  IdentityFile {keys().user}\n"
        )
        (tmp_path / ".ssh" / "known_hosts").write_text(gate.known_hosts())
        mine = connector(tmp_path)
        target = inner.target(ssh_config=None, proxy_jump="gate")
        sessions = [mine.connect(target) for _ in range(3)]
        codes = [s.execute("exit 6", (), lambda _: None).code for s in sessions]
        for session in sessions:
            session.close()

        assert (codes, gate.connections(), inner.connections()) == ([6, 6, 6], 1, 3)
        mine.connect(target).close()
        assert gate.connections() == 2

    def test_a_jump_host_that_dies_in_the_middle(self, openssh, tmp_path):
        gate, inner = openssh(), openssh()
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "known_hosts").write_text(gate.known_hosts())
        (tmp_path / ".ssh" / "config").write_text(f"Host *\n  User root\n  IdentityFile {keys().user}\n")
        mine = connector(tmp_path)
        target = inner.target(ssh_config=None, proxy_jump=f"127.0.0.1:{gate.port}")
        sessions = [mine.connect(target), mine.connect(target)]
        with pytest.raises(Unreachable) as caught:
            sessions[0].execute("echo up; sleep 60", (), lambda _: gate.kill())
        for session in sessions:
            session.close()
        gate.restart()
        again = mine.connect(target)
        again.close()

        assert str(caught.value) == "vts1: connection lost while a command was running"

    def test_a_jump_host_that_is_not_trusted_is_named(self, openssh, tmp_path):
        gate, inner = openssh(), openssh()
        error = refused(inner.target(proxy_jump=f"root@127.0.0.1:{gate.port}"), tmp_path)

        assert (
            f"vts1: through the jump host root@127.0.0.1:{gate.port}: 127.0.0.1: the host key is not known"
            in str(error)
        )

    def test_a_chain_and_a_dead_end(self, openssh, tmp_path):
        first, second, inner = openssh(), openssh(), openssh()
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "config").write_text(f"Host *\n  User root\n  IdentityFile {keys().user}\n")
        (tmp_path / ".ssh" / "known_hosts").write_text(first.known_hosts() + second.known_hosts())
        chain = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
        execute(inner.target(ssh_config=None, proxy_jump=chain), "true", tmp_path=tmp_path)
        inner.stop()
        error = refused(inner.target(ssh_config=None, proxy_jump=chain), tmp_path)

        assert (first.connections(), second.connections()) == (2, 2)
        assert "refused to open a channel" in str(error)

    def test_proxy_command(self, openssh, tmp_path):
        inner = openssh()
        config = tmp_path / "config"
        config.write_text("Host *\n  ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3'\n")
        _, out = execute(inner.target(ssh_config=str(config)), "echo via", tmp_path=tmp_path)
        config.write_text("Host *\n  ProxyCommand false\n")
        error = refused(inner.target(ssh_config=str(config)), tmp_path)

        assert out == b"via\n"
        assert "hung up" in str(error)

    def test_ssh_config_gives_what_the_inventory_leaves_open(self, openssh, tmp_path):
        server = openssh(user="oper")
        known = tmp_path / "known"
        known.write_text(f"alias {keys().public('host_ed25519')}\n")
        config = tmp_path / "config"
        config.write_text(
            f"Host vts1\n  HostName 127.0.0.1\n  Port {server.port}\n  User oper\n  IdentityFile {keys().user}\n"
            f"  UserKnownHostsFile {known}\n  HostKeyAlias alias\n"
        )
        session = connector(tmp_path).connect(Target(name="vts1", ssh_config=str(config)))
        session.close()

        assert ("oper", server.port) == (session.facts.user, session.facts.port)


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

"""Ways to a real OpenSSH: jump hosts, ProxyCommand, ssh_config."""

from __future__ import annotations

import pytest

from tests.real.reaching import connector, execute, refused
from tests.real.sshkeys import keys
from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable


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

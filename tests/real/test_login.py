"""Logging in to a real OpenSSH, today's and an old one."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.real.reaching import connector, execute, refused
from tests.real.sshkeys import keys
from vtsconf.core.secret import Secret


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

    @pytest.mark.parametrize(
        ("config", "lacks"),
        [
            ("KexAlgorithms diffie-hellman-group14-sha1\n", "key exchange diffie-hellman-group14-sha1"),
            ("Ciphers aes128-ctr\nMACs hmac-sha1\n", "MACs hmac-sha1"),
            ("Ciphers aes128-cbc,3des-cbc\n", "ciphers aes128-cbc, 3des-cbc"),
            ("HostKeyAlgorithms ssh-rsa\n", "host keys ssh-rsa"),
        ],
    )
    def test_one_outdated_kind_alone_is_refused(self, openssh, tmp_path, config, lacks):
        server = openssh(config=config)
        error = refused(server.target(), tmp_path)

        assert str(error) == f"vts1: the server offers only outdated SSH algorithms: {lacks}"
        pin = keys().public("host_rsa" if "HostKey" in config else "host_ed25519")
        connector(tmp_path).connect(server.target(legacy=True, host_key=pin)).close()

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

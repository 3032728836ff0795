"""Real sudo and su: a payload arrives whole, and no password with it."""

from __future__ import annotations

import time

import pytest

from tests.real.openssh import OpenSsh
from tests.real.reaching import execute, refused
from vtsconf.core.connection import Become, Target
from vtsconf.core.secret import Secret
from vtsconf.transport.server import Exit

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
        server = openssh(setup=SUDO.format(rule="ALL\\nDefaults logfile=/var/log/sudo.log\\n"))
        error = refused(self.become(server, b"guess"), tmp_path, WHO)
        deadline = time.monotonic() + 10
        while not (log := server.run("cat /var/log/sudo.log").stdout) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert b"1 incorrect password attempt" in log
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

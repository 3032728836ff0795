from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.endpoint import Here, endpoint_of, jump_target
from vtsconf.transport.localfiles import LocalFiles
from vtsconf.transport.sshconfig import ConfigError, SshConfig, listed

HERE = Here(user="operator", home="/home/operator")

TEXT = """
# the site's file
Host gate
    HostName gate.bank
    User jumper
Host vts* !vts9
    HostName %h.tape.bank
    Port=2222
    IdentityFile "~/.ssh/tape key"
    IdentityFile ~/.ssh/%r_%h
    ProxyJump gate
Match host *.tape.bank user tape
    ConnectTimeout 7
Match exec "true"
    User never
Host *
    User tape
    User late
    IdentitiesOnly yes
    UserKnownHostsFile ~/.ssh/known_tape ~/.ssh/known_more
    HostKeyAlias none
"""


def config(text: str = TEXT) -> SshConfig:
    return SshConfig.parse(text, "config", lambda _: [])


def test_a_host_gets_what_matches_it_the_first_value_wins():
    endpoint = endpoint_of(Target(name="vts1"), config(), HERE)

    assert ("vts1.tape.bank", 2222, "tape") == (endpoint.address, endpoint.port, endpoint.user)
    assert endpoint.key_files == ("/home/operator/.ssh/tape key", "/home/operator/.ssh/tape_vts1.tape.bank")
    assert (("gate",), True, 10.0) == (endpoint.jumps, endpoint.identities_only, endpoint.connect_timeout)
    assert endpoint.known_hosts[:2] == ("/home/operator/.ssh/known_tape", "/home/operator/.ssh/known_more")
    assert endpoint.known_as == "vts1.tape.bank"


def test_the_inventory_goes_before_it():
    target = Target(
        name="x",
        address="vts1",
        port=22,
        user="root",
        key_files=("/k",),
        proxy_jump="other",
        known_hosts=("/kh",),
        connect_timeout=3,
    )
    endpoint = endpoint_of(target, config(), HERE)

    assert ("vts1.tape.bank", 22, "root", ("/k",)) == (
        endpoint.address,
        endpoint.port,
        endpoint.user,
        endpoint.key_files,
    )
    assert (("other",), ("/kh",), 3) == (endpoint.jumps, endpoint.known_hosts, endpoint.connect_timeout)


def test_match_user_counts_the_user_asked_for():
    assert endpoint_of(Target(name="vts1", user="tape"), config(), HERE).connect_timeout == 7.0


def test_a_negated_pattern_and_no_config_at_all():
    assert endpoint_of(Target(name="vts9"), config(), HERE).port == 22
    plain = endpoint_of(Target(name="vts9"), SshConfig(), HERE)

    assert ("vts9", 22, "operator", ()) == (plain.address, plain.port, plain.user, plain.jumps)
    assert plain.key_files[0] == "/home/operator/.ssh/id_ed25519"
    assert not plain.keys_asked_for


def test_what_is_not_applied_is_said():
    assert config().warnings == (
        "config:14: `Match exec` is not understood here, so its block is not applied",
    )


@pytest.mark.skipif(
    shutil.which("ssh") is None and not os.environ.get("CI"),
    reason="compares with ssh: install openssh-client",
)
def test_the_same_as_openssh(tmp_path):
    """`ssh -G` prints what OpenSSH makes of a file: ours must agree wherever we read the same words."""
    text = TEXT.replace('Match exec "true"\n    User never\n', "")
    (tmp_path / "config").write_text(text)
    for host in ("vts1", "vts9", "gate", "other"):
        said = subprocess.run(
            ["ssh", "-G", "-F", tmp_path / "config", host], capture_output=True, text=True, check=True
        ).stdout
        theirs = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
        ours = endpoint_of(Target(name=host), config(text), HERE)

        assert (theirs["hostname"], theirs["port"], theirs["user"]) == (
            ours.address,
            str(ours.port),
            ours.user,
        )
        assert theirs.get("proxyjump", "") == ",".join(ours.jumps)


@pytest.mark.parametrize("text", ["Host\x01", "Host 'a", "???", "Port"])
def test_a_line_that_is_none(text):
    with pytest.raises(ConfigError, match=r"^config:1: "):
        config(text)


@pytest.mark.parametrize("port", ["0", "70000", "ssh", "-1"])
def test_a_port_that_is_none(port):
    with pytest.raises(Unreachable, match="which is not a number that makes sense"):
        endpoint_of(Target(name="vts1"), config(f"Port {port}\n"), HERE)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        parsed = config(text)
    except ConfigError:
        return
    with contextlib.suppress(Unreachable):
        endpoint_of(Target(name="vts1"), parsed, HERE)


class TestIncludes:
    def files(self, home: Path, said: list[str]) -> LocalFiles:
        return LocalFiles(home=str(home), warn=said.append)

    def test_included_files_stand_under_their_host(self, tmp_path):
        ssh = tmp_path / ".ssh"
        (ssh / "conf.d").mkdir(parents=True)
        (ssh / "conf.d" / "a.conf").write_text("Port 2200\nHost vts2\n User two\n")
        (ssh / "config").write_text("Host vts*\n Include conf.d/*.conf\n User one\nHost *\n Port 99\n")
        config = self.files(tmp_path, []).config(None, "vts1")
        ports = [endpoint_of(Target(name=n), config, HERE).port for n in ("vts1", "other")]
        users = [endpoint_of(Target(name=n), config, HERE).user for n in ("vts1", "vts2")]

        assert ([2200, 99], ["one", "two"]) == (ports, users)

    def test_a_circle_is_an_error_and_not_a_crash(self, tmp_path):
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "config").write_text("Include config\n")
        with pytest.raises(Unreachable, match="Include goes deeper than 16 files"):
            self.files(tmp_path, []).config(None, "vts1")

    def test_a_file_is_read_once_and_warns_once(self, tmp_path):
        (tmp_path / "c").write_text('Match exec "x"\n')
        said: list[str] = []
        files = self.files(tmp_path, said)
        assert files.config(str(tmp_path / "c"), "a") is files.config(str(tmp_path / "c"), "b")
        assert len(said) == 1

    def test_absent_files(self, tmp_path):
        files = self.files(tmp_path, [])
        assert files.config(None, "vts1") == SshConfig()
        assert files.known_hosts((str(tmp_path / "none"),), "vts1") == []
        with pytest.raises(Unreachable, match="No such file"):
            files.config(str(tmp_path / "none"), "vts1")


@pytest.mark.parametrize(
    ("name", "patterns", "matches"),
    [
        ("VTS1", ["vts?"], True),
        ("vts10", ["vts?"], False),
        ("vts1", ["*", "!vts1"], False),
        ("vts1", ["!vts2"], False),
        ("[10.0.0.1]:22", ["[10.0.0.*]:22"], True),
    ],
)
def test_pattern_lists(name, patterns, matches):
    assert listed(name, patterns) is matches


class TestJumps:
    @pytest.mark.parametrize(
        ("spec", "user", "address", "port"),
        [
            ("gate", None, "gate", None),
            ("op@gate:2222", "op", "gate", 2222),
            ("[fe80::1]:22", None, "fe80::1", 22),
            ("ssh://op@gate", "op", "gate", None),
        ],
    )
    def test_words(self, spec, user, address, port):
        hop = jump_target(spec, Target(name="vts1", host_key="x", legacy=True))

        assert (user, address, port, "", False) == (hop.user, hop.address, hop.port, hop.host_key, hop.legacy)

    @pytest.mark.parametrize("spec", ["a b:c:d", "", "gate:ssh", "@gate", "-oX=y"])
    def test_nonsense(self, spec):
        with pytest.raises(Unreachable, match="is not `user@host:port`"):
            jump_target(spec, Target(name="vts1"))

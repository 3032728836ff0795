from __future__ import annotations

import pytest

from vtsconf.core.connection import Become, Target, secret_refs_of, target_of
from vtsconf.core.problem import Level, Place
from vtsconf.core.secret import Secret, SecretRef

PLACE = Place("host_vars/vts1.yaml", 3, 1)
WORD = SecretRef("env", "WORD")


def read(**variables):
    target, problems = target_of("vts1", variables, {WORD: Secret(b"w0rd")}, lambda _: PLACE)
    return target, [f"{p.level} {p.what}" for p in problems]


def test_nothing_said_leaves_everything_to_ssh_config():
    assert read() == (Target(name="vts1"), [])


def test_everything_said():
    target, problems = read(
        ansible_host="10.1.2.3",
        ansible_port="2222",
        ansible_user="tape",
        ansible_password="secret://env/WORD",
        ansible_ssh_private_key_file="~/.ssh/tape",
        ansible_timeout=30,
        ansible_connection="paramiko_ssh",
        ansible_become="yes",
        ansible_become_user="vts",
        ansible_become_method="su",
        ansible_become_password="secret://env/WORD",
        vts_ssh_legacy=True,
        vts_ssh_host_key="ssh-ed25519 AAAA comment",
        vts_ssh_known_hosts=["a", "b"],
        vts_ssh_config="",
        vts_ssh_proxy_jump="gate,inner:2200",
        vts_ssh_agent="off",
        vts_ssh_auth_timeout="1m",
        vts_ssh_idle_timeout="10m",
        vts_ssh_total_timeout="2h",
        vts_ssh_keep_alive=0,
        vts_ssh_key_passphrase="secret://env/WORD",
    )

    word = Secret(b"w0rd")
    expected = Target(
        name="vts1",
        address="10.1.2.3",
        port=2222,
        user="tape",
        password=word,
        key_files=("~/.ssh/tape",),
        key_passphrase=word,
        known_hosts=("a", "b"),
        host_key="ssh-ed25519 AAAA",
        ssh_config="",
        proxy_jump="gate,inner:2200",
        use_agent=False,
        legacy=True,
        become=Become(user="vts", method="su", password=word),
        connect_timeout=30.0,
        auth_timeout=60.0,
        idle_timeout=600.0,
        total_timeout=7200.0,
        keep_alive=0.0,
    )
    assert (expected, []) == (target, problems)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"ansible_host": 7}, "error `ansible_host` is not text"),
        ({"ansible_host": "-oProxyCommand=x"}, "error `ansible_host` is not an address"),
        ({"ansible_host": "a b"}, "error `ansible_host` is not an address"),
        ({"ansible_user": "-l"}, "error `ansible_user` is not a user name"),
        ({"ansible_user": "a\nb"}, "error `ansible_user` has a line break or NUL in it"),
        ({"ansible_port": 0}, "error `ansible_port` is not a port"),
        ({"ansible_port": True}, "error `ansible_port` is not a port"),
        ({"ansible_port": "22; rm"}, "error `ansible_port` is not a port"),
        ({"ansible_port": 22.5}, "error `ansible_port` is not a port"),
        ({"ansible_connection": "winrm"}, "error `ansible_connection` `winrm` is not supported"),
        ({"ansible_become": "maybe"}, "error `ansible_become` is neither true nor false"),
        ({"ansible_become_method": "doas"}, "error `ansible_become_method` `doas` is not supported"),
        ({"ansible_become_user": "a b"}, "error `ansible_become_user` is not a user name"),
        ({"ansible_password": 1234}, "error `ansible_password` is not text"),
        ({"ansible_password": "hunter2"}, "warning `ansible_password` is written in plain text"),
        ({"ansible_password": "secret://env/NO"}, "error `ansible_password` secret://env/NO was not resolved"),
        ({"ansible_timeout": "soon"}, "error `ansible_timeout` `soon` is not a duration: write 30s, 10m, 4h or 7d"),
        ({"ansible_timeout": 0}, "error `ansible_timeout` is out of range: 0 s"),
        ({"ansible_host_key_checking": False}, "warning `ansible_host_key_checking` is not used: host keys are always checked"),
        ({"ansible_ssh_extra_args": "-4"}, "warning `ansible_ssh_extra_args` is not used"),
        ({"vts_ssh_legcy": True}, "error `vts_ssh_legcy` is not a variable that exists"),
        ({"vts_ssh_host_key": "SHA256:abc"}, "error `vts_ssh_host_key` is not a public key"),
        ({"vts_ssh_known_hosts": [1]}, "error `vts_ssh_known_hosts` is not a list of texts"),
        ({"ansible_ssh_common_args": "-o 'x"}, "error `ansible_ssh_common_args` cannot be read: no closing quotation"),
        ({"ansible_ssh_common_args": "-R 1:2:3"}, "warning `ansible_ssh_common_args` has words that are not used: `-R`, `1:2:3`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(variables, problem):
    _, problems = target_of("vts1", variables, {}, lambda _: PLACE)

    assert [problem] == [f"{p.level} {p.what}" for p in problems]
    assert problems[0].place == PLACE
    assert problems[0].remedy or problems[0].level is Level.ERROR


def test_a_misspelt_variable_gets_a_suggestion():
    _, problems = target_of("vts1", {"vts_ssh_proxyjump": "x"}, {}, lambda _: None)

    assert problems[0].remedy == "did you mean `vts_ssh_proxy_jump`?"


def test_no_message_holds_a_secret():
    _, problems = target_of(
        "vts1", {"ansible_password": "hunter2", "vts_ssh_key_passphrase": "open"}, {}, lambda _: None
    )

    assert not [p for p in problems if "hunter2" in str(p) or "open" in f"{p}{p.remedy}{p.why}"]


@pytest.mark.parametrize(
    ("text", "jump"),
    [
        ("-J gate", "gate"),
        ("-Ja@gate:22,b", "a@gate:22,b"),
        ("-o ProxyJump=gate", "gate"),
        ("-oProxyJump=gate -C", "gate"),
        ('-o "ProxyJump gate"', "gate"),
        ("-o ProxyCommand='ssh -W %h:%p -q gate'", "gate"),
        ("-o ProxyCommand='ssh -q -W %h:%p a@gate'", "a@gate"),
        ("-o ControlMaster=auto -o ControlPersist=60s", ""),
    ],
)
def test_jump_hosts_in_common_args(text, jump):
    target, problems = read(ansible_ssh_common_args=text)

    assert (jump, []) == (target.proxy_jump, problems)


def test_the_usual_way_to_switch_checking_off_is_refused_aloud():
    target, problems = read(
        ansible_ssh_common_args="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    )

    assert target.known_hosts == ()
    assert problems == [
        "warning `ansible_ssh_common_args` asks not to check host keys; they are always checked"
    ]


def test_the_secrets_a_login_needs():
    variables = {
        "ansible_password": "secret://env/WORD",
        "ansible_become_pass": "secret://env/WORD",
        "vts_ssh_key_passphrase": "secret://file/x",
        "ansible_user": "secret://env/NO",
    }

    assert secret_refs_of(variables) == (WORD, SecretRef("file", "x"))

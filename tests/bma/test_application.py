"""How a client's answers are judged, and which patterns reach a vault."""

from __future__ import annotations

import pytest

from vtsconf import bma
from vtsconf.bma.application import reaches_vault
from vtsconf.core.probe import Query, QuerySeen
from vtsconf.core.secret import Secret, SecretRule

# A real header of dsmc 8.1.27, then of one that cannot reach its server [bma-facts 3.3, 3.4].
SESSION = b"""IBM Storage Protect
Command Line Backup-Archive Client Interface
  Client Version 8, Release 1, Level 27.0
  Client date/time: 06/01/2025 10:00:00

Node Name: VTS1
Session established with server TSM1: Linux/x86_64
  Server Version 8, Release 1, Level 26.000
"""
NO_SERVER = SESSION.split(b"Session")[0] + b"ANS1017E Session rejected: TCP/IP connection failure.\n"
SETTINGS = {
    "tsm": {"servers": {"TSM1": {"tcpserveraddress": "a"}}, "dsm_sys": "/x/dsm.sys"},
    "netbackup": {"servers": ["master"]},
    "networker": {"servers": ["nsr1"]},
    "bacula": {
        "name": "vts-fd",
        "working_directory": "/w",
        "pid_directory": "/p",
        "directors": {"d": {"password": "secret://env/X"}},
        "console": {"program": "/usr/sbin/bconsole", "config": "/etc/bacula/bconsole.conf"},
    },
}


def facts(name):
    return {f.name: f for f in bma.ALL[name].facts(bma.ALL[name].Settings.model_validate(SETTINGS[name]))}


@pytest.mark.parametrize(
    ("name", "fact", "exit_code", "stdout", "expected"),
    [
        ("tsm", "version", 0, SESSION, (True, "8.1.27.0")),
        ("tsm", "reachable", 0, SESSION, (True, "TSM1")),
        ("tsm", "version", 12, NO_SERVER, (True, "8.1.27.0")),
        ("tsm", "reachable", 12, NO_SERVER, (False, None)),
        ("tsm", "reachable", 127, b"", (False, "'/opt/tivoli/tsm/client/ba/bin/dsmc' was not found")),
        ("tsm", "reachable", None, b"", (False, "did not answer in time")),
        ("netbackup", "version", 0, b"NetBackup-RedHat2.6.18 8.1.2\n", (True, "8.1.2")),
        (
            "netbackup",
            "reachable",
            0,
            b"expecting response from server master\nCLIENT *NULL* 10.0.0.1 40000\n",
            (True, "CLIENT *NULL* 10.0.0.1 40000"),
        ),
        ("netbackup", "reachable", 0, b"expecting response from server master\n", (False, None)),
        ("networker", "version", 1, b"save: NetWorker 19.4.0.1.Build.62\n", (True, "19.4.0.1.Build.62")),
        ("networker", "reachable", 0, b"", (True, "yes")),
        ("networker", "reachable", 1, b"cannot contact nsr1", (False, None)),
        (
            "bacula",
            "reachable",
            0,
            b"other-fd Version: 9.6.7\nDaemon started 01-Jan-25 10:00.\n",
            (False, None),
        ),
        ("bacula", "version", 1, b"Copyright\n\nVersion: 9.6.7 (10 December 2020)\n", (True, "9.6.7")),
        (
            "bacula",
            "reachable",
            0,
            b"vts-fd Version: 9.6.7\nDaemon started 01-Jan-25 10:00.\n",
            (True, "vts-fd"),
        ),
        ("bacula", "reachable", 0, b"Failed to connect to Client vts-fd.\n\x1b[2J", (False, None)),
    ],
)
def test_what_a_client_said(name, fact, exit_code, stdout, expected):
    answer = facts(name)[fact].answer(QuerySeen(exit=exit_code, stdout=stdout))

    assert expected == (answer.ok, answer.text if expected[1] else None)
    assert answer.text.isprintable()


def test_what_was_never_asked():
    assert facts("tsm")["version"].answer(None).text == "was not asked"


@pytest.mark.parametrize("name", bma.ALL)
def test_facts_move_no_data_and_wait_for_nobody(name):
    assert {"version", "reachable"} == set(facts(name))
    for fact in facts(name).values():
        assert isinstance(fact.query, Query)
        assert 0 < fact.query.timeout <= 60
        assert not {"archive", "selective", "incremental", "restore", "retrieve"} & set(fact.query.argv)
        assert fact.source


def test_tsm_is_asked_where_its_options_are():
    argv = facts("tsm")["version"].query.argv

    assert argv[:3] == ("env", "LC_ALL=C", "DSM_DIR=/x")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/VAULT01", True),
        ("/VAULT01/POOL/*", True),
        ("/VAULT*/.../*", True),
        ("/V*", True),
        ("/.../*", True),
        ("*", True),
        ('"/VAULT02/x"', True),
        ("/TAPES/POOL", True),
        ("/TAPES2", False),
        ("/.../core", False),
        ("/", True),  # everything below it
        ("/home/*", False),
        ("*.tmp", False),
        ("/VAULTS", False),
    ],
)
def test_patterns_that_reach_a_vault(pattern, expected):
    assert expected == reaches_vault(pattern, ["VAULT01", "TAPES"])


@pytest.mark.parametrize(
    ("secret", "expected"),
    [(b'a"b', "characters"), (b"a\nb", "characters"), (b"x" * 128, "longer than 127"), (b"x" * 127, "")],
)
def test_secrets_that_a_format_cannot_hold(secret, expected):
    said = SecretRule(forbidden='"\n', longest=127).refusal(Secret(secret))

    assert expected in said
    assert bool(expected) == bool(said)
    assert secret.decode() not in said

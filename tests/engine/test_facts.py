"""What a server's answers mean, without a server."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.probe import FileKind, FileSeen
from vtsconf.core.secret import FingerprintKey, Secret
from vtsconf.core.tablefile import read_tables
from vtsconf.engine import share
from vtsconf.engine.facts import Disk, config_file_of, disks_of, size, skew

KEY = FingerprintKey(Secret(b"key"))
TABLES, _ = read_tables(share.parameter_tables(), {})


@pytest.mark.parametrize(
    ("clock", "began", "ended", "expected"),
    [
        (1000, 1000.2, 1000.9, 0),
        (1000, 999.9, 1000.1, 0),
        (1000, 1000.9, 1005.0, 0),  # it told early, and was slow to answer
        (1006, 1000.0, 1001.0, 5),
        (900, 1000.5, 1001.0, -99),
    ],
)
def test_skew_is_what_cannot_be_explained_by_the_way(clock, began, ended, expected):
    assert expected == skew(clock, began, ended)


@given(st.floats(0, 1e9), st.floats(0, 10), st.floats(0, 10))
def test_a_right_clock_has_no_skew(began, to_the_clock, back):
    read_at = began + to_the_clock

    assert skew(int(read_at), began, read_at + back) == 0


def test_disks_as_df_of_several_ages_prints_them():
    text = (
        "0 present /dev/sda1 1000 400 600 40% /\n"
        "1 absent /dev/mapper/VolGroup00-LogVol00 2000 100 1900 5% /var lib\n"
        "2 present host:/export with blanks 10 0 10 0% /VAULT01\n"
        "3 present - - - - - -\n"
        "df: /x: No such file or directory\n"
        "99 present /dev/sda1 1 1 1 1% /\n"
    )

    assert [
        Disk(path="/a", present=True, mount="/", total=1024000, free=614400),
        Disk(path="/b", present=False, mount="/var lib", total=2048000, free=1945600),
        Disk(path="/c", present=True, mount="/VAULT01", total=10240, free=10240),
    ] == list(disks_of(text, ["/a", "/b", "/c", "/d"]))


@given(st.text())
def test_whatever_df_prints_is_no_error(text):
    assert len(list(disks_of(text, ["/a"]))) <= len(text.splitlines())


def seen(text):
    data = text.encode()
    return FileSeen(
        kind=FileKind.FILE, data=data, owner="root", group="root", mode="0644", mtime=7, size=len(data)
    )


def test_the_configuration_file_is_counted_by_family():
    text = "ems_enable='YES'\nems_vaults_DEV2='X'\nhsm_a='1'\nlab='2'\nlab='3'\n# ems_no='1'\n"
    file = config_file_of("/c", seen(text), TABLES, KEY)

    assert {"ems": 2, "hsm": 1, "parameters": 1} == dict(file.parameters)
    assert {"lab": (4, 5)} == dict(file.duplicates)
    assert (hashlib.sha256(text.encode()).hexdigest(), False) == (file.digest, file.keyed)


def test_the_digest_of_a_file_with_a_secret_is_keyed():
    text = "hsm_password='x'\n"
    file = config_file_of("/c", seen(text), TABLES, KEY)

    assert (KEY.digest(text.encode()), True) == (file.digest, file.keyed)


def test_a_file_that_is_not_there():
    assert config_file_of("/c", FileSeen(kind=FileKind.ABSENT), TABLES, KEY).kind == "absent"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999_700, "1 MB"),
        (21_474_836_480, "21.5 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_in_words(octets, expected):
    assert expected == size(octets)

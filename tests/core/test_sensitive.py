"""What looks like a secret, and what does not although it has the word in it."""

from __future__ import annotations

import time

import pytest

from vtsconf.core.sensitive import holds_secret, is_sensitive, spans


@pytest.mark.parametrize(
    "line",
    [
        b"password = x",
        b"DB_PASSWORD='x'",
        b"hsm_passwd:x",
        b"PASSword geheim",
        b"pass geheim",
        b"passw\tgeheim",
        b'  "token": "x"',
        b"# old secret=x",
        b"a='1' pwd='2'",
        b"key_store=x",
        b"user password x",
        b"-----BEGIN RSA PRIVATE KEY-----\nabc",
    ],
)
def test_looks_like_a_secret(line):
    assert holds_secret(b"before\n" + line + b"\nafter")


@pytest.mark.parametrize(
    "line",
    [
        b"PASSWORDAccess generate",
        b"PASSWORDDIR /etc/adsm",
        b"password =",
        b'password = ""',
        b"password",
        b"compass north",
        b"the tokens are counted",
        b"-----BEGIN CERTIFICATE-----",
        b"bypass yes",
    ],
)
def test_does_not(line):
    assert not holds_secret(line)


def test_the_whole_line_is_meant_and_no_line_end():
    data = b"a\r\n x pwd=1 pwd=2\r\nb\ntoken=3"

    assert [data[start:stop] for start, stop in spans(data)] == [b" x pwd=1 pwd=2", b"token=3"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hsm_password", True),
        ("TOKEN_x", True),
        ("key_store", True),
        ("ems_enable", False),
        ("keyboard", False),
    ],
)
def test_names(name, expected):
    assert expected == is_sensitive(name)


@pytest.mark.parametrize(
    "text",
    [
        b"key_",
        b"pass ",
        b"pwd=",
        b"pwd=1 ",
        b"pass",
        b" ",
        b'"',
        b"-----BEGIN ",
        b"-----BEGIN A PRIVATE KEY-----",
    ],
)
def test_no_file_can_make_it_slow(text):
    data = (text * 1_000_000)[:4_000_000]

    started = time.process_time()
    list(spans(data))

    assert time.process_time() - started < 6

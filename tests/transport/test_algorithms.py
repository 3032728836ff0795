from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vtsconf.transport.algorithms import Offer, disabled, parse_offer

GREETING = b"Hello from the bank\r\nSSH-2.0-OpenSSH_4.3\r\n"


def kexinit(*lists: str) -> bytes:
    """A packet as RFC 4253 has it: length, padding length, message 20, cookie, name lists, padding."""
    body = b"\x14" + bytes(16)
    for names in lists:
        body += len(names).to_bytes(4, "big") + names.encode()
    body += bytes(5)
    return (len(body) + 5).to_bytes(4, "big") + b"\x04" + body + bytes(4)


OLD = kexinit(
    "diffie-hellman-group14-sha1,ext-info-s", "ssh-rsa", "aes128-cbc", "aes128-cbc", "hmac-sha1", "hmac-sha1"
)


def test_an_offer_is_read_as_soon_as_it_is_whole():
    data = GREETING + OLD
    expected = Offer(("diffie-hellman-group14-sha1",), ("ssh-rsa",), ("aes128-cbc",), ("hmac-sha1",))

    assert parse_offer(data) == expected
    assert [n for n in range(len(data)) if parse_offer(data[:n]) is not None] == []


def test_what_an_old_server_lacks_and_what_would_help():
    offer = parse_offer(GREETING + OLD)

    assert offer is not None
    assert offer.legacy_would_help
    assert offer.lacks == (
        "key exchange diffie-hellman-group14-sha1",
        "host keys ssh-rsa",
        "ciphers aes128-cbc",
        "MACs hmac-sha1",
    )


def test_a_server_beyond_help():
    assert not Offer(
        ("diffie-hellman-group1-sha1",), ("ssh-dss",), ("aes128-cbc",), ("hmac-sha1",)
    ).legacy_would_help


def test_outdated_algorithms_are_off_unless_asked_for():
    assert "ssh-rsa" in disabled(legacy=False)["keys"]
    assert disabled(legacy=True) == {"macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1-96"]}


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data):
    parse_offer(data)
    parse_offer(GREETING + data)
    parse_offer(GREETING + len(data).to_bytes(4, "big") + data)

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.transport.hostkeys import HostKey, Verdict, algorithms, entries_for, judge, parse, remedy


def key(kind: str, body: bytes) -> HostKey:
    return HostKey(kind, len(kind).to_bytes(4, "big") + kind.encode() + body)


def text(a_key: HostKey) -> str:
    return f"{a_key.type} {base64.b64encode(a_key.blob).decode()}"


ED, ED2, RSA = key("ssh-ed25519", b"one"), key("ssh-ed25519", b"two"), key("ssh-rsa", b"three")

FILE = f"""
# comment
vts1,10.0.0.1 {text(ED)} a comment
vts1 {text(RSA)}
*.lab,!odd.lab {text(ED)}
[vts1]:2222 {text(ED2)}
@revoked * {text(key("ssh-ed25519", b"lost"))}
@cert-authority *.ca {text(RSA)}
half a line
vts3 ssh-ed25519 not!base64
"""


@pytest.mark.parametrize(
    ("name", "port", "seen", "word"),
    [
        ("vts1", 22, ED, "known"),
        ("10.0.0.1", 22, ED, "known"),
        ("VTS1", 22, RSA, "known"),
        ("vts1", 22, ED2, "changed"),
        ("10.0.0.1", 22, RSA, "changed"),
        ("vts2", 22, ED, "unknown"),
        ("vts3", 22, ED, "unknown"),
        ("a.lab", 22, ED, "known"),
        ("odd.lab", 22, ED, "unknown"),
        ("vts1", 2222, ED2, "known"),
        ("vts1", 2222, ED, "changed"),
        ("vts1", 99, ED, "known"),  # as OpenSSH: the plain name vouches for any port
        ("vts1", 99, ED2, "unknown"),  # and says nothing against another key there
        ("vts1", 22, key("ssh-ed25519", b"lost"), "revoked"),
        ("b.ca", 22, ED, "authority"),
    ],
)
def test_verdicts(name, port, seen, word):
    about_it = entries_for(parse(FILE, "known_hosts"), name, port)

    assert judge(seen, about_it, name, port).word == word


def test_a_changed_key_says_what_was_expected_and_where():
    verdict = judge(ED2, entries_for(parse(FILE, "kh"), "vts1", 22), "vts1", 22)

    assert ((ED, RSA), "kh:3") == (verdict.expected, verdict.place)


def test_known_types_are_asked_for_first():
    offered = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")

    assert algorithms(["ssh-rsa"], offered) == [
        "rsa-sha2-512",
        "rsa-sha2-256",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
    ]
    assert algorithms([], offered) == list(offered)


@pytest.mark.parametrize("words", ["", "ssh-ed25519", "ssh-ed25519 %%%", "ssh-rsa " + text(ED).split()[1]])
def test_what_is_no_key(words):
    assert HostKey.parse(words) is None


@given(st.text())
def test_any_known_hosts_is_read(anything):
    for entry in parse(anything, "f"):
        entry.speaks_of("vts1")


@given(st.text(alphabet="|1AZ=+/ab,*!", max_size=60))
def test_any_host_field_is_read(field):
    for entry in parse(f"{field} {text(ED)}", "f"):
        entry.speaks_of("vts1")


@pytest.mark.parametrize(
    ("word", "address", "known_as", "port", "file", "commands"),
    [
        ("unknown", "vts1", "vts1", 22, "/h/kh", ["ssh-keyscan -t ed25519 vts1 >> /h/kh"]),
        (
            "changed",
            "10.0.0.1",
            "10.0.0.1",
            2222,
            "/my home/kh",
            [
                "ssh-keygen -R '[10.0.0.1]:2222' -f '/my home/kh'",
                "ssh-keyscan -p 2222 -t ed25519 10.0.0.1 >> '/my home/kh'",
            ],
        ),
        # Under another name the line of ssh-keyscan would not be found; what is thrown away neither.
        (
            "changed",
            "10.0.0.1",
            "vts1",
            22,
            "/h/kh",
            ["ssh-keygen -R vts1 -f /h/kh", f"vts_ssh_host_key: {text(ED)}"],
        ),
        ("unknown", "vts1", "vts1", 22, "/dev/null", [f"vts_ssh_host_key: {text(ED)}"]),
        ("changed", "vts1", "vts1", 22, "/dev/null", [f"vts_ssh_host_key: {text(ED)}"]),
    ],
)
def test_what_to_do_can_be_pasted(word, address, known_as, port, file, commands):
    advice = remedy(Verdict(word), ED, address=address, known_as=known_as, port=port, known_hosts=file)

    assert commands == re.findall("`([^`]*)`", advice)

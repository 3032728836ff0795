"""SSH algorithms: which are outdated, which a server offers, which a connection came to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

OUTDATED: Mapping[str, tuple[str, ...]] = {
    "kex": (
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group1-sha1",
    ),
    "keys": ("ssh-rsa",),
    "pubkeys": ("ssh-rsa",),
    "ciphers": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"),
    "macs": ("hmac-sha1",),
}
"""Used only where a host asks for it (`vts_ssh_legacy`)."""

NEVER: Mapping[str, tuple[str, ...]] = {"macs": ("hmac-md5", "hmac-md5-96", "hmac-sha1-96")}

_KEXINIT = 20
_LISTS = ("kex", "keys", "ciphers", "ciphers_back", "macs", "macs_back")


@dataclass(frozen=True, kw_only=True)
class SshFacts:
    """What a connection came to use: for `doctor`, and for saying loudly that something is outdated."""

    address: str
    port: int
    user: str
    server_version: str  # the server's own words, made printable
    kex: str
    host_key: str  # the algorithm
    fingerprint: str  # of the host key, "SHA256:…"
    cipher: str
    mac: str
    auth: str  # "publickey (/home/op/.ssh/id_ed25519)", "password", …
    jumps: tuple[str, ...] = ()

    @property
    def outdated(self) -> tuple[str, ...]:
        """Those of its algorithms that are off by default."""
        weak = {name for names in OUTDATED.values() for name in names}
        return tuple(a for a in (self.kex, self.host_key, self.cipher, self.mac) if a in weak)


@dataclass(frozen=True)
class Offer:
    """What a server says it can do, in its order of preference."""

    kex: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()

    @property
    def legacy_would_help(self) -> bool:
        """Each kind has something we can do once outdated algorithms are allowed."""
        return all(
            set(getattr(self, kind)) & {*OUTDATED[kind], *MODERN[kind]}
            for kind in ("kex", "keys", "ciphers", "macs")
        )

    @property
    def lacks(self) -> tuple[str, ...]:
        """The kinds in which it offers nothing of today's, each with what it does offer."""
        return tuple(
            f"{word} {', '.join(getattr(self, kind)[:4])}"
            for kind, word in _WORDS.items()
            if not set(getattr(self, kind)) & set(MODERN[kind])
        )


_WORDS = {"kex": "key exchange", "keys": "host keys", "ciphers": "ciphers", "macs": "MACs"}

MODERN: Mapping[str, tuple[str, ...]] = {
    "kex": (
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group14-sha256",
    ),
    "keys": (
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ),
    "ciphers": (
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
    ),
    "macs": (
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
    ),
}


def disabled(*, legacy: bool) -> dict[str, list[str]]:
    """What to switch off, as paramiko's `disabled_algorithms`."""
    off = {kind: list(names) for kind, names in NEVER.items()}
    if not legacy:
        for kind, names in OUTDATED.items():
            off.setdefault(kind, []).extend(names)
    return off


class Stream(Protocol):
    """The part of a socket that `ask` needs."""

    def sendall(self, data: bytes, /) -> None: ...

    def recv(self, size: int, /) -> bytes: ...


def ask(stream: Stream) -> Offer | None:
    """Read a server's offer from a fresh connection, which is then of no other use. None: it did not say."""
    stream.sendall(b"SSH-2.0-vtsconf\r\n")
    buffer = b""
    while len(buffer) < 65536:
        more = stream.recv(8192)
        buffer += more
        offer = parse_offer(buffer)
        if offer is not None or not more:
            return offer
    return None


def parse_offer(data: bytes) -> Offer | None:
    """The offer in the first bytes a server sends: lines, then one packet in the clear (RFC 4253, 6 and 7.1)."""
    start = data.find(b"SSH-") if data.startswith(b"SSH-") else data.find(b"\nSSH-") + 1
    end = data.find(b"\n", start) + 1
    packet = data[end:]
    length = int.from_bytes(packet[:4], "big")
    if not end or length < 22 or len(packet) < 4 + length or packet[5] != _KEXINIT:
        return None
    names = _name_lists(packet[22 : 4 + length])
    if len(names) < len(_LISTS):
        return None
    return Offer(names[0], names[1], names[2], names[4])


def _name_lists(data: bytes) -> Sequence[tuple[str, ...]]:
    lists = []
    for _ in _LISTS:
        size = int.from_bytes(data[:4], "big")
        if size > len(data) - 4:
            break
        names = data[4 : 4 + size].decode("ascii", "replace").split(",")
        lists.append(
            tuple(n for n in names if n.isprintable() and not n.startswith(("ext-info-", "kex-strict-")))
        )
        data = data[4 + size :]
    return lists

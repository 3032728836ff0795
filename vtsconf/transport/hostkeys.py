"""Host keys: what known_hosts files or a pin say of a server's key. Never accepts a key by itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from vtsconf.transport.sshconfig import listed

_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}


@dataclass(frozen=True)
class HostKey:
    """A public key as it travels: its type and its bytes."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -lf` prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"

    def __str__(self) -> str:
        """As a line of a known_hosts file has it."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"

    @classmethod
    def parse(cls, text: str) -> HostKey | None:
        """`ssh-ed25519 AAAA… [comment]`, or None where it is not that."""
        words = text.split()
        if len(words) < 2:
            return None
        try:
            blob = base64.b64decode(words[1], validate=True)
        except (binascii.Error, ValueError):
            return None
        # The bytes begin with the type once more: length, then name.
        named = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
        return cls(words[0], blob) if named == words[0].encode() else None


_NOT_PLAIN = frozenset("|*?!")


@dataclass(frozen=True)
class Entry:
    """One line of a known_hosts file."""

    marker: str  # "", "@revoked" or "@cert-authority"
    hosts: str
    key: HostKey
    place: str

    @cached_property
    def names(self) -> frozenset[str]:
        """Where the line has plain names only, as most do: these. A fleet asks every line about every server."""
        return frozenset() if _NOT_PLAIN & set(self.hosts) else frozenset(self.hosts.lower().split(","))

    def speaks_of(self, name: str) -> bool:
        """Hashed (`|1|salt|hash`), or a list of patterns."""
        if self.names:
            return name.lower() in self.names
        if self.hosts.startswith("|1|"):
            return _hashed(self.hosts, name)
        return listed(name, self.hosts.split(","))


@dataclass(frozen=True)
class Verdict:
    """`known`, `unknown`, `changed`, `revoked` or `authority` (only a certificate authority is known)."""

    word: str
    expected: tuple[HostKey, ...] = ()
    place: str = ""

    @property
    def trusted(self) -> bool:
        return self.word == "known"


def parse(text: str, path: str) -> list[Entry]:
    """Entries of a known_hosts file; lines that are none are left out, as OpenSSH does."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        key = HostKey.parse(" ".join(words[1:3]))
        if key is not None:
            entries.append(Entry(marker, words[0], key, f"{path}:{number}"))
    return entries


def entries_for(entries: Iterable[Entry], known_as: str, port: int) -> list[Entry]:
    """Entries that speak of a server: `[host]:port` off port 22, or else those of the plain name."""
    everything = list(entries)
    plain = [e for e in everything if e.speaks_of(known_as)]
    if port == 22:
        return plain
    exact = [e for e in everything if e.speaks_of(f"[{known_as}]:{port}")]
    if any(not e.marker for e in exact):
        plain = [e for e in plain if e.marker]
    return [*exact, *(e for e in plain if e not in exact)]


def judge(seen: HostKey, entries: Sequence[Entry], known_as: str, port: int) -> Verdict:
    """What the entries for this server say of the key it showed."""
    revoked = [e for e in entries if e.marker == "@revoked" and e.key == seen]
    if revoked:
        return Verdict("revoked", place=revoked[0].place)
    plain = [e for e in entries if not e.marker]
    if any(e.key == seen for e in plain):
        return Verdict("known")
    # A key known only for the plain name says nothing about another port's server: new, not changed.
    telling = [e for e in plain if port == 22 or e.speaks_of(f"[{known_as}]:{port}")]
    if telling:
        return Verdict("changed", tuple(e.key for e in telling), telling[0].place)
    authorities = [e for e in entries if e.marker == "@cert-authority"]
    if authorities:
        return Verdict("authority", place=authorities[0].place)
    return Verdict("unknown")


def algorithms(expected: Iterable[str], offered: Sequence[str]) -> list[str]:
    """Our host-key algorithms, those of the key types we expect first: then a server with several keys shows that one."""
    wanted = [a for kind in dict.fromkeys(expected) for a in _ALGORITHMS.get(kind, (kind,)) if a in offered]
    return [*dict.fromkeys(wanted), *(a for a in offered if a not in wanted)]


def remedy(
    verdict: Verdict, seen: HostKey, *, address: str, known_as: str, port: int, known_hosts: str
) -> str:
    """What a person does about it: every command and key whole, between backticks, ready to be pasted."""
    at = f"-p {port} " if port != 22 else ""
    where = shlex.quote(known_hosts)
    name = shlex.quote(f"[{known_as}]:{port}" if port != 22 else known_as)
    scan = f"`ssh-keyscan {at}-t {_scan_type(seen.type)} {shlex.quote(address)} >> {where}`"
    pin = f"`vts_ssh_host_key: {seen}`"
    # What ssh-keyscan writes carries the address: under another name, or in no file, it would not be found.
    is_kept = known_hosts != os.devnull
    add = f"{scan}, or pin it: vts_ssh_host_key" if is_kept and known_as == address else f"pin it: {pin}"
    match verdict.word:
        case "unknown":
            return f"compare the fingerprint with the server's own, then: {add}"
        case "changed":
            remove = f"`ssh-keygen -R {name} -f {where}`, then " if is_kept else ""
            return (
                "it may be somebody who listens in; only if the fingerprint is the server's own: "
                f"{remove}{add}"
            )
        case "authority":
            return f"host certificates are not supported: add the server's own key: {add}"
        case _:
            return f"the key is marked @revoked in {verdict.place}: give the server a new one"


def _scan_type(kind: str) -> str:
    return {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}.get(kind, "ecdsa")


def _hashed(hosts: str, name: str) -> bool:
    parts = hosts.split("|")
    if len(parts) != 4:
        return False
    try:
        salt, expected = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.lower().encode(), hashlib.sha1).digest(), expected)

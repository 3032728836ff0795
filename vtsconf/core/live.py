"""Secrets that are known to a server only: bytes of a live file that a plan needs and must not hold.

A plan refers to them as `secret://live/START-STOP/PATH`; before it is applied they are read from the
server again. The digest of the whole file, which the apply compares, proves that they are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from vtsconf.core.content import Content
from vtsconf.core.probe import FileSeen
from vtsconf.core.secret import Secret, SecretRef

PROVIDER = "live"
_REFERENCE = re.compile(r"(\d+)-(\d+)(/.*)", re.DOTALL)


def reference(path: str, start: int, stop: int) -> SecretRef:
    """The bytes `start` to `stop` of the file at `path`, as it is before the change."""
    return SecretRef(PROVIDER, f"{start}-{stop}{path}")


def paths(contents: Iterable[Content]) -> tuple[str, ...]:
    """The files that must be read before these contents can be resolved."""
    found = (cut(ref) for content in contents for ref in content.secrets if ref.provider == PROVIDER)
    return tuple(dict.fromkeys(path for path, _, _ in found))


def secrets(contents: Iterable[Content], files: Mapping[str, FileSeen]) -> dict[SecretRef, Secret]:
    """The live secrets of these contents; one whose file is gone or too short is left out."""
    known: dict[SecretRef, Secret] = {}
    for ref in (ref for content in contents for ref in content.secrets if ref.provider == PROVIDER):
        path, start, stop = cut(ref)
        seen = files.get(path)
        if seen is not None and seen.data is not None and stop <= len(seen.data):
            known[ref] = Secret(seen.data[start:stop])
    return known


def cut(ref: SecretRef) -> tuple[str, int, int]:
    """The path, first byte and end of a reference to live bytes. Raises ValueError."""
    match = _REFERENCE.fullmatch(ref.reference)
    if match is None:
        raise ValueError("a reference to a live secret is not of the form START-STOP/PATH")
    return match[3], int(match[1]), int(match[2])

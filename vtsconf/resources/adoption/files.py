"""Adopting whole files."""

from __future__ import annotations

import re

from vtsconf.core import sensitive
from vtsconf.core.fields import MODE, NAME, unprintable
from vtsconf.core.probe import FileSeen
from vtsconf.core.secret import SecretRef
from vtsconf.resources.adoption.draft import Adoption, protected


def adopt_file(adoption: Adoption, path: str, seen: FileSeen) -> None:
    """Describe a whole file: its content, owner, group and mode."""
    name = f"files/{path}"
    if seen.data is None:
        adoption.leave(name, f"it is {seen.kind.value.replace('_', ' ')}")
        return
    if why := _not_literal(seen):
        adoption.leave(name, why)
        return
    below = ("vts", "files", str(protected(path)))
    adoption.put((*below, "content"), protected(seen.data.decode()))
    for key, value in (("owner", seen.owner), ("group", seen.group)):
        if re.fullmatch(NAME, value):
            adoption.put((*below, key), value)
    adoption.put((*below, "mode"), seen.mode)


def _not_literal(seen: FileSeen) -> str:
    assert seen.data is not None
    try:
        text = seen.data.decode()
    except UnicodeDecodeError:
        return "it is not text in UTF-8"
    if sensitive.holds_secret(seen.data):
        return "it seems to hold a secret: make a template of it, with secret://… variables in those places"
    if bad := unprintable(re.sub(r"[\n\t]", "", text)):
        return f"it holds the character {bad}"
    if SecretRef.parse(text):
        return "its text is a reference to a secret"
    if not re.fullmatch(MODE, seen.mode):
        return f"its mode {seen.mode} has set-id or sticky bits, which a document cannot give"
    return ""

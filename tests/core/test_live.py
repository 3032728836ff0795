"""Bytes that only the server knows: referred to, and found again."""

from __future__ import annotations

import pytest

from vtsconf.core.content import Content
from vtsconf.core.live import paths, reference, secrets
from vtsconf.core.probe import FileKind, FileSeen
from vtsconf.core.secret import Secret, SecretRef

SEEN = FileSeen(kind=FileKind.FILE, data=b"a='secret'\n")
HIDDEN = reference("/etc/a b", 3, 9)


def test_what_is_referred_to_is_found_again():
    content = Content((b"a='", HIDDEN, b"'\n", SecretRef("env", "X")))

    assert paths([content, content]) == ("/etc/a b",)
    assert {HIDDEN: Secret(b"secret")} == secrets([content], {"/etc/a b": SEEN})
    assert SecretRef.parse(str(HIDDEN)) == HIDDEN


@pytest.mark.parametrize(
    "files",
    [{}, {"/etc/a b": FileSeen(kind=FileKind.ABSENT)}, {"/etc/a b": FileSeen(kind=FileKind.FILE, data=b"x")}],
)
def test_what_is_gone_is_left_out(files):
    assert secrets([Content((HIDDEN,))], files) == {}


def test_a_reference_of_another_form_is_refused():
    with pytest.raises(ValueError, match="START-STOP"):
        paths([Content((SecretRef("live", "../x"),))])

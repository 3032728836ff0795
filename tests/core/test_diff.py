"""What differs, in which words, and that no secret is among them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vtsconf.core.change import Action, Change
from vtsconf.core.diff import changes, detail
from vtsconf.core.resource import Keys
from vtsconf.core.secret import FingerprintKey, Secret

KEYS = Keys(fingerprints=FingerprintKey(Secret(b"key")))


def test_changes_come_by_address():
    live = {"b/1": "x", "a/1": "same", "c/1": "gone"}
    desired = {"b/1": "y", "a/1": "same", "a/0": "new"}

    expected = (
        Change(address="a/0", action=Action.CREATE, desired="new"),
        Change(address="b/1", action=Action.UPDATE, live="x", desired="y"),
        Change(address="c/1", action=Action.DELETE, live="gone"),
    )
    assert expected == changes(live, desired, KEYS)


@pytest.mark.parametrize(
    ("live", "desired"),
    [
        (Secret(b"hunter2"), Secret(b"geheim")),
        ("hunter2", Secret(b"geheim")),
        (Secret(b"hunter2"), "geheim"),
        ({"content": Secret(b"hunter2"), "mode": "0600"}, {"content": "geheim", "mode": "0644"}),
        ({"content": {"sha256": "hunter2"}}, {"content": Secret(b"geheim")}),
        (None, Secret(b"geheim")),
    ],
)
def test_secrets_are_shown_as_fingerprints_on_both_sides(live, desired):
    states = [{"a": value} if value is not None else {} for value in (live, desired)]

    (change,) = changes(*states, KEYS)

    shown = f"{change!r} {detail(change)}"
    assert change.secret
    assert "hunter2" not in shown
    assert "geheim" not in shown
    assert KEYS.fingerprints.fingerprint(b"geheim") in shown or "'geheim'" in repr(desired)


def test_equal_secrets_are_no_change():
    assert changes({"a": Secret(b"x")}, {"a": Secret(b"x")}, KEYS) == ()


@pytest.mark.parametrize(
    ("live", "desired", "expected"),
    [
        ("a", "b", ["- a", "+ b"]),
        (None, "b", ["+ b"]),
        ("a", None, ["- a"]),
        ("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nX\n6\n", ["@@ -3,5 +3,5 @@", " 3", " 4", "-5", "+X", " 6", " "]),
        (
            {"content": "x\ny\n", "mode": "0644", "owner": "root"},
            {"content": "x\nz\n", "mode": "0600", "owner": "root"},
            ["~ content:", "@@ -1,3 +1,3 @@", " x", "-y", "+z", " ", "- mode: 0644", "+ mode: 0600"],
        ),
        (None, {"content": "a\nb", "mode": "0644"}, ["+ content:", "+   a", "+   b", "+ mode: 0644"]),
        ({"content": {"bytes": 3}}, {"content": "x"}, ["- content: {'bytes': 3}", "+ content: x"]),
        ({"one": 1}, {"other": 2}, ["+ other: 2", "- one: 1"]),
        ("a", "a\n", ["@@ -1 +1,2 @@", " a", "+"]),
    ],
)
def test_detail(live, desired, expected):
    change = Change(address="a", action=Action.UPDATE, live=live, desired=desired)

    assert expected == list(detail(change))


def test_deepdiff_is_not_loaded_for_equal_states():
    script = (
        "import sys; from vtsconf.core.diff import changes; from vtsconf.core.resource import Keys;"
        "changes({'a': {'x': 1}}, {'a': {'x': 1}}, Keys()); changes({'a': 1}, {'a': 2}, Keys());"
        "sys.exit('deepdiff' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

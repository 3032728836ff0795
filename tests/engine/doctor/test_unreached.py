"""Where a connection was lost, and what was passed before."""

from __future__ import annotations

import pytest

from vtsconf.core.connection import Become, Target
from vtsconf.core.errors import Unreachable
from vtsconf.engine.doctor import unreached

PLAIN = Target(name="vts1")
BECOMING = Target(name="vts1", become=Become())


@pytest.mark.parametrize(
    ("stage", "target", "passed"),
    [
        ("network", PLAIN, []),
        ("jump host", PLAIN, []),
        ("login", PLAIN, ["network", "greeting", "algorithms", "host key"]),
        ("become", BECOMING, ["network", "greeting", "algorithms", "host key", "login"]),
        ("session", PLAIN, ["network", "greeting", "algorithms", "host key", "login"]),
        ("session", BECOMING, ["network", "greeting", "algorithms", "host key", "login", "become"]),
        ("", PLAIN, []),
    ],
)
def test_stages_before_the_one_that_failed_are_passed(stage, target, passed):
    *before, last = unreached(Unreachable("it broke", stage=stage), target)

    assert [(name, "ok") for name in passed] == [(check.name, check.verdict) for check in before]
    assert (stage or "connection", "error", "it broke") == (last.name, last.verdict, last.what)
    assert last.why
    assert last.remedy

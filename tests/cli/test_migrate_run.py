"""`vtsconf migrate run`: what it refuses before anything is moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.cli.test_migrate_plan import POLICIES, WIPE
from tests.e2e.conftest import Vtsconf
from vtsconf.core.outcome import Exit


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = project(POLICIES)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("written", "sentence"), [("abc", "`abc` is not a duration"), ("0s", "`0s` is out of range")]
)
def test_a_pause_that_is_none_is_a_wrong_command_line(
    vtsconf: Vtsconf, here: Path, written: str, sentence: str
) -> None:
    ended = vtsconf("migrate", "run", "--every", written)

    assert Exit.USAGE == ended.code
    assert sentence in ended.err


def test_a_policy_that_no_host_has_is_refused(vtsconf: Vtsconf, here: Path) -> None:
    ended = vtsconf("migrate", "run", "--policy", "nihgtly")

    assert Exit.USAGE == ended.code
    assert "no selected host has a policy 'nihgtly'" in ended.err
    assert "nightly" in ended.err


def test_an_erase_that_is_not_allowed_is_refused_with_what_to_do(
    vtsconf: Vtsconf, here: Path, project: Project
) -> None:
    project(WIPE)
    ended = vtsconf("migrate", "run", "--policy", "wipe")

    assert Exit.INVALID == ended.code
    assert "vts1  refused: the policy wipe erases tapes" in ended.err
    assert "--allow-erase wipe" in ended.err

"""Whose work may be taken over."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from vtsconf.core.errors import Locked
from vtsconf.engine.durable.owner import FileOwner, has_ended, new_name, shown


def _ended_process() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def test_names_are_never_the_same() -> None:
    assert 100 == len({new_name() for _ in range(100)})


def test_a_name_for_people() -> None:
    assert shown("vts/1234abcd/77/ffff0000") == "process 77 on vts"
    assert shown("local") == "local"


def test_certain_is_only_the_end_of_a_process_of_this_machine() -> None:
    host, machine, _, nonce = new_name().split("/")
    gone = _ended_process()

    assert has_ended(f"{host}/{machine}/{gone}/{nonce}")
    assert not has_ended(new_name())
    assert not has_ended(f"{host}/0badcafe/{gone}/{nonce}")
    assert not has_ended(f"{host}//{gone}/{nonce}")
    assert not has_ended("local")


def test_a_file_has_one_owner(tmp_path: Path) -> None:
    path = tmp_path / "state" / "vtsconf.db.engine"
    first, second = FileOwner(path), FileOwner(path)
    first.take()
    with pytest.raises(Locked) as refused:
        second.take()
    first.release()
    second.take()
    second.release()

    assert f"the engine of {path} is run by process {os.getpid()} on " in str(refused.value)
    assert "postgresql://" in refused.value.remedy
    assert 0o600 == path.stat().st_mode & 0o777


def test_all_others_of_a_file_have_ended(tmp_path: Path) -> None:
    owner = FileOwner(tmp_path / "engine")

    assert {"a", "b"} == owner.ended(["a", owner.name, "b"])

"""`vtsconf lab`: what it prints, what it refuses, and which lab it takes."""

from __future__ import annotations

import json

import pytest

from vtsconf.cli.main import run
from vtsconf.engine.lab.lab import Lab


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    if (tmp_path / "vtsconf-lab/.lab/lab.json").exists():
        Lab(tmp_path / "vtsconf-lab").down()


def test_the_life_of_a_lab(here, capfd, monkeypatch):
    assert run(["lab", "up", "--servers", "1"]) == 0
    told = capfd.readouterr()
    assert "vts1  127.0.0.1:" in told.out
    assert "next: cd vtsconf-lab && vtsconf plan" in told.err

    monkeypatch.chdir(here / "vtsconf-lab/group_vars")
    assert run(["lab", "break", "vts1", "clock-skew", "-3600"]) == 0
    assert run(["lab", "status", "--json"]) == 0
    host = json.loads(capfd.readouterr().out)["hosts"][0]
    assert host["faults"] == ["clock-skew -3600"]
    assert host["services"]["ems"] == "current"

    assert run(["lab", "break", "vts1", "--off"]) == 0
    assert run(["lab", "status"]) == 0
    assert "skew" not in capfd.readouterr().out
    monkeypatch.chdir(here)
    assert run(["lab", "down", "--purge"]) == 0
    assert list(here.iterdir()) == []


WRONG = [
    (["lab", "break", "vts9", "refuse"], "no server `vts9`"),
    (["lab", "break", "vts1", "refuze"], "did you mean `refuse`?"),
    (["lab", "break", "vts1"], "which fault?"),
    (["lab", "break", "vts1", "drop", "x"], "not a whole number"),
    (["lab", "break", "vts1", "refuze", "--off"], "did you mean `refuse`?"),
    (["lab", "break", "vts1", "reboot"], "is off"),
    (["lab", "up", "--servers", "0"], "0 is not in the range"),
    (["lab", "up", "--servers", "1", "--like", "x"], "exclude one another"),
    (["lab", "up", "--like", "nowhere.yaml"], "no inventory"),
    (["lab", "status", "nowhere"], "not a lab"),
    (["lab", "down", "--purge", "."], "not a lab"),
]


@pytest.mark.parametrize(("words", "says"), WRONG)
def test_a_mistake_is_explained(here, capfd, words, says):
    with Lab.up(here / "vtsconf-lab", servers=1):
        pass
    code = run(words)
    told = capfd.readouterr().err
    faults = [fault.name for host in Lab(here / "vtsconf-lab").hosts for fault in host.faults]

    assert code == 64
    assert says in told
    assert "Traceback" not in told
    assert faults == []


def test_the_help_lists_every_fault(capfd):
    from vtsconf.engine.lab.faults import NAMES

    assert run(["lab", "break", "--help"]) == 0
    told = capfd.readouterr().out

    assert [name for name in NAMES if f"\n  {name} " not in told] == []

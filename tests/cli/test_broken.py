"""Broken inventories, documents and templates: each gives its error at its place, and nothing is run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from vtsconf.cli.main import run
from vtsconf.core.outcome import Exit

CASES = Path(__file__).parent.parent / "cases" / "broken"
PLACES = {
    "inventories": "inventory.yaml",
    "documents": "group_vars/all.yaml",
    "templates": "group_vars/all.yaml",
}
GOOD = "all:\n  hosts:\n    vts1:\n"


@dataclass(frozen=True)
class Case:
    path: Path

    @property
    def file(self) -> str:
        return PLACES[self.path.parent.name]

    def header(self, key: str) -> str:
        found = re.search(rb"^# " + key.encode() + rb": (.*)$", self.path.read_bytes(), re.MULTILINE)
        assert found, f"{self.path} lacks its header `# {key}:`"
        return found[1].decode()


ALL = [Case(path) for path in sorted(CASES.glob("*/*.yaml"))]


def project(case: Case, folder: Path) -> Path:
    (folder / "group_vars").mkdir()
    (folder / "inventory.yaml").write_text(GOOD)
    shutil.copy(case.path, folder / case.file)
    return folder


@pytest.fixture
def started():
    """Every program started while the test runs, by Python's own audit of them."""
    return _Audit.begin()


def _place(problem):
    """ "-" where nobody can say which line it was."""
    return f"{problem['file']}:{problem['line']}:{problem['column']}" if problem["file"] else "-"


class _Audit:
    """A hook that cannot be removed, so there is one, and a list that each test has of its own."""

    seen: list[str] | None = None

    @classmethod
    def begin(cls) -> list[str]:
        if cls.seen is None:
            sys.addaudithook(cls._told)
        cls.seen = []
        return cls.seen

    @classmethod
    def _told(cls, event: str, arguments: tuple) -> None:
        if event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"}:
            cls.seen.append(f"{event} {arguments}")


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.path.parent.name}/{case.path.stem}")
def test_a_broken_input_is_told_at_its_place(case, tmp_path, monkeypatch, capsys, started):
    monkeypatch.chdir(project(case, tmp_path))

    code = run(["validate", "--json"])

    told = capsys.readouterr()
    document = json.loads(told.out)
    found = [(_place(p), p["what"]) for p in document["problems"] if p["level"] == "error"]
    at, what = case.header("at"), case.header("what")
    start = at if at == "-" else f"{case.file}:{at}"
    assert any(place.startswith(start) and what in said for place, said in found), found
    assert code == Exit.INVALID
    assert "Traceback" not in told.err
    assert started == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["group_vars", "inventory.yaml"]


@pytest.mark.parametrize("case", ALL[::20], ids=lambda case: f"{case.path.parent.name}/{case.path.stem}")
def test_the_program_itself_says_so(case, tmp_path):
    command = (sys.executable, "-m", "vtsconf", "validate", "--color", "never")

    done = subprocess.run(command, cwd=project(case, tmp_path), capture_output=True, text=True, check=False)

    assert case.header("what") in done.stderr
    assert "error" in done.stdout
    assert "Traceback" not in done.stderr
    assert done.returncode == Exit.INVALID


def test_the_corpus_is_there():
    assert len(ALL) >= 60

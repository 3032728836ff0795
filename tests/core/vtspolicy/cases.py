"""The rows of tests/cases/vtspolicy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vtsconf.core.document import read_document
from vtsconf.core.tree import plain

CASES = Path(__file__).parents[2] / "cases" / "vtspolicy"


def cases(name: str) -> list[Any]:
    root, problems = read_document((CASES / name).read_bytes(), name)
    assert root is not None, problems
    assert problems == []
    return [pytest.param(case, id=case["name"]) for case in plain(root)]

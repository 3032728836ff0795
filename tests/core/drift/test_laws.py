"""Whose difference it is, for any value before, any that our run left, any that is there and any that is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.drift.test_cases import judged

# 7 is no default of the parameter.
values = st.sampled_from([None, 7, 60, 300])
texts = st.sampled_from([None, "one\n", "two\n", "three\n"])
whole = st.sampled_from(["one\n", "two\n", "three\n"])


def expected(left: Any, live: Any, wanted: Any) -> str | None:
    """In words: the same; as our run left it; or somebody's."""
    if live == wanted:
        return None
    return "not-applied" if live == left else "edited"


def parameter(wanted: int | None) -> dict[str, Any]:
    return {"config_file": "/c", "ems": {"keep_alive": wanted}}


def line(value: int | None) -> dict[str, Any]:
    return {"files": {"/c": {"text": "# c\n" if value is None else f"# c\nems_keep_alive='{value}'\n"}}}


def motd(text: str) -> dict[str, Any]:
    return {"files": {"/m": {"content": text}}}


def there(text: str | None) -> dict[str, Any]:
    return {"files": {"/m": {"kind": "absent"} if text is None else {"text": text}}}


def classes(case: dict[str, Any]) -> dict[str, str]:
    return {finding.address: finding.cls.value for finding in judged(case)}


@given(values, values, values, values)
def test_a_parameter(before: int | None, left: int | None, live: int | None, wanted: int | None) -> None:
    if before == left:
        return  # the run had nothing to do: there is none
    run = {"run": "r1", "vts": parameter(left), "server": line(before)}
    found = classes({"vts": parameter(wanted), "server": line(live), "runs": [run]})
    cls = expected(left, live, wanted)

    assert ({"ems/ems_keep_alive": cls} if cls else {}) == found


@given(texts, whole, texts, whole)
def test_a_whole_file(before: str | None, left: str, live: str | None, wanted: str) -> None:
    if before == left:
        return
    run = {"run": "r1", "vts": motd(left), "server": there(before)}
    found = classes({"vts": motd(wanted), "server": there(live), "runs": [run]})
    cls = expected(left, live, wanted)

    assert ({"files//m": cls} if cls else {}) == found


@pytest.mark.parametrize("newest", [True, False])
@given(values, values, values)
def test_the_last_run_that_was_kept_decides(
    newest: bool, first: int | None, second: int | None, wanted: int | None
) -> None:
    """Of two runs the newer one; where that one was taken back, the one before."""
    runs = [
        {"run": "r2", "vts": parameter(second), "server": line(first)},
        {"run": "r1", "vts": parameter(first), "server": line(9)},
    ]
    if not newest:
        runs[0]["end"] = "reverted"
    live = second if newest else first
    found = classes({"vts": parameter(wanted), "server": line(live), "runs": runs})

    assert ({} if live == wanted else {"ems/ems_keep_alive": "not-applied"}) == found

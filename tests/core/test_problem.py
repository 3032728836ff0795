"""What can be wrong: suggestions and levels."""

from __future__ import annotations

import pytest

from vtsconf.core.problem import Level, Place, Problem, errors, suggestion


@pytest.mark.parametrize(
    ("word", "cutoff", "expected"),
    [
        ("keep_alvie", 0.6, "did you mean `keep_alive`?"),
        ("KEEP_ALIVE", 0.6, "did you mean `keep_alive`?"),
        ("nothing", 0.6, ""),
        ("keep_it_alive", 0.85, "did you mean `keep_alive`?"),
        ("kept_live_on", 0.85, ""),
    ],
)
def test_a_near_miss_is_asked_for(word: str, cutoff: float, expected: str) -> None:
    assert expected == suggestion(word, ["keep_alive", "enable"], cutoff=cutoff)


def test_only_errors_stop_the_work() -> None:
    problems = [Problem(what=level, level=level) for level in Level]

    assert ["error"] == [p.what for p in errors(problems)]


def test_a_problem_begins_with_its_place() -> None:
    assert "a.yaml:3:5: warning: odd" == str(
        Problem(what="odd", level=Level.WARNING, place=Place("a.yaml", 3, 5))
    )

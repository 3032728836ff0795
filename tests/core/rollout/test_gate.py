"""The three answers: which end of a wave passes, what an answer means, and what the soak time does to it."""

from __future__ import annotations

import pytest

from vtsconf.core.probe import QuerySeen
from vtsconf.core.rollout.gate import Answer, Question, Verdict, compare, confirmed, worst
from vtsconf.core.rollout.judge import judge
from vtsconf.core.rollout.state import Rollout
from vtsconf.core.rollout.strategy import Gates, Share, Strategy, to_json
from vtsconf.core.runs import Event

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def rollout(*waves: dict[str, str], canary: bool = False, tolerated: int | None = None) -> Rollout:
    """A rollout whose hosts ended so; "" did not begin, "begun" was not heard of since."""
    ends = {host: end for wave in waves for host, end in wave.items()}
    limit = None if tolerated is None else Share(number=tolerated)
    strategy = to_json(Strategy(max_failures=limit, gates=Gates()))
    body = {"command": "x", "hosts": list(ends), "waves": [list(w) for w in waves], "strategy": strategy}
    events = [Event(at=1, run="r", action="run-started", body=body | {"canary": canary})]
    for host, end in ends.items():
        outcome, _, reason = end.partition(": ")
        if outcome:
            events.append(Event(at=2, run="r", action="host-started", host=host, body={"as": "r"}))
        if outcome not in ("", "begun"):
            told = {"outcome": outcome, "reason": reason}
            events.append(Event(at=3, run="r", action="host-finished", host=host, body=told))
    return Rollout.of("r", events)


@pytest.mark.parametrize(
    ("ends", "more", "verdict", "words"),
    [
        ("changed changed", {}, PASS, "2 of 2 servers changed and confirmed, or in order already"),
        ("changed unchanged", {}, PASS, "2 of 2 servers"),
        ("unchanged", {}, PASS, "1 of 1 server changed"),
        ("changed failed", {}, PASS, "1 failed, within the budget (there is no limit): b failed"),
        ("changed failed", {"tolerated": 1}, PASS, "1 failed, within the budget (1 in all): b failed"),
        (
            "changed failed",
            {"tolerated": 0},
            FAIL,
            "1 failed, more than the budget (0 in all): b failed",
        ),
        ("changed failed", {"canary": True}, FAIL, "the canary failed: b failed"),
        ("changed unreachable", {"canary": True}, FAIL, "the canary failed: b unreachable"),
        ("failed reverted", {}, PASS, "0 of 2 servers changed and confirmed, or in order already; 2 failed"),
        ("failed", {"tolerated": 1}, PASS, "1 failed, within the budget (1 in all): a failed"),
        ("failed", {"tolerated": 0}, FAIL, "1 failed, more than the budget (0 in all): a failed"),
        ("failed", {"tolerated": 1, "canary": True}, FAIL, "the canary failed: a failed"),
        ("failed begun", {"tolerated": 0}, FAIL, "1 failed, more than the budget (0 in all): a failed"),
        ("changed begun", {}, INCONCLUSIVE, "how 1 of 2 servers ended is not known: b in doubt"),
        ("changed ", {}, INCONCLUSIVE, "how 1 of 2 servers ended is not known: b was not begun"),
        ("changed waiting", {}, INCONCLUSIVE, "b waiting"),
        ("changed skipped", {}, INCONCLUSIVE, "b skipped"),
        ("failed begun", {}, INCONCLUSIVE, "b in doubt"),
        ("failed begun", {"canary": True}, FAIL, "the canary failed: a failed"),
        ("begun", {"canary": True}, INCONCLUSIVE, "a in doubt"),
    ],
)
def test_how_a_wave_ended(ends, more, verdict, words):
    answer = confirmed(1, rollout(dict(zip("ab", ends.split(" "), strict=False)), **more))

    assert ("confirmed", "", verdict) == (answer.gate, answer.host, answer.verdict)
    assert words in answer.reason


LOST = "unreachable: in doubt: armed change"


@pytest.mark.parametrize(
    ("ends", "more", "verdict", "words"),
    [
        (("changed", LOST), {"canary": True}, INCONCLUSIVE, "how 1 of 2 servers ended is not known: b"),
        ((LOST,), {}, PASS, "1 failed, within the budget (there is no limit): a"),
        ((LOST,), {"canary": True}, INCONCLUSIVE, "how 1 of 1 server ended is not known: a"),
        (("failed", LOST), {"tolerated": 2}, PASS, "2 failed, within the budget (2 in all): a failed; b"),
        (("changed", LOST), {"tolerated": 0}, INCONCLUSIVE, "how 1 of 2 servers ended is not known: b"),
        (("changed", LOST), {"tolerated": 1}, PASS, "1 failed, within the budget (1 in all): b"),
        (("changed", LOST, ""), {}, INCONCLUSIVE, "how 1 of 3 servers ended is not known: c"),
    ],
)
def test_lost_in_the_middle_of_the_change(ends, more, verdict, words):
    """Within the budget it is a failure like others: it takes itself back. Else a person has to look."""
    answer = confirmed(1, rollout(dict(zip("abc", ends, strict=False)), **more))

    assert verdict is answer.verdict
    assert words in answer.reason


def test_the_canary_is_the_first_wave_only():
    seen = rollout({"a": "changed"}, {"b": "changed", "c": "failed: disk full"}, canary=True)

    assert [PASS, PASS] == [confirmed(wave, seen).verdict for wave in (1, 2)]
    assert "c failed (disk full)" in confirmed(2, seen).reason


def test_a_reason_names_three_servers_and_shows_no_escape():
    answer = confirmed(1, rollout({f"h{n}": "failed: \x1b[2J" for n in range(5)}))

    assert answer.reason.endswith("h2 failed (\\x1b[2J); and 2 more")


# ---- what an answer of a command means

ASK = Question(gate="checks/x", argv=("/bin/check", "-a"), unsure=(75,))
LONG = b"x" * 65536


@pytest.mark.parametrize(
    ("exit_code", "verdict", "reason"),
    [
        (0, PASS, "exit 0"),
        (1, FAIL, "exit 1, said: oh no"),
        (2, FAIL, "exit 2, said: oh no"),
        (255, FAIL, "exit 255, said: oh no"),
        (75, INCONCLUSIVE, "exit 75, which means: ask again later, said: oh no"),
        (125, INCONCLUSIVE, "`/bin/check` could not be started (exit 125), said: oh no"),
        (126, INCONCLUSIVE, "`/bin/check` could not be executed (exit 126), said: oh no"),
        (127, INCONCLUSIVE, "`/bin/check` was not found (exit 127), said: oh no"),
        (129, INCONCLUSIVE, "`/bin/check` was ended by signal 1, said: oh no"),
        (137, INCONCLUSIVE, "`/bin/check` was ended by signal 9, said: oh no"),
        (192, INCONCLUSIVE, "`/bin/check` was ended by signal 64, said: oh no"),
        (193, FAIL, "exit 193, said: oh no"),
        (-1, INCONCLUSIVE, "its exit code could not be read, said: oh no"),
        (None, INCONCLUSIVE, "it did not end within 60 s, and was ended, said: oh no"),
    ],
)
def test_the_exit_code(exit_code, verdict, reason):
    assert (verdict, reason) == judge(ASK, QuerySeen(exit=exit_code, stdout=b" oh\n\nno\n"))


@pytest.mark.parametrize(
    ("exit_code", "output", "more", "verdict"),
    [
        (0, b"Session established", {}, PASS),
        (0, b"rejected", {}, FAIL),
        (0, b"", {}, FAIL),
        (8, b"Session established", {}, FAIL),
        (8, b"Session established", {"exit_counts": False}, PASS),
        (8, b"rejected", {"exit_counts": False}, FAIL),
        (127, b"Session established", {"exit_counts": False}, INCONCLUSIVE),
        (None, b"Session established", {}, INCONCLUSIVE),
        (0, LONG, {}, INCONCLUSIVE),  # the words may stand behind the cut
        (0, LONG[20:] + b" Session established", {}, PASS),
        (1, LONG, {}, FAIL),
        (0, b"Session established", {"pattern": "("}, INCONCLUSIVE),
        (0, b"Session established", {"pattern": "", "exit_counts": False}, INCONCLUSIVE),
    ],
)
def test_an_output_that_must_match(exit_code, output, more, verdict):
    question = Question(gate="bma/tsm", argv=("dsmc",), **{"pattern": "^Session est", **more})
    output = output.replace(b" Session", b"\nSession")

    assert verdict is judge(question, QuerySeen(exit=exit_code, stdout=output))[0]


def test_a_question_that_was_left_unanswered():
    assert INCONCLUSIVE is judge(ASK, None)[0]


def test_a_reason_is_one_printable_line_without_secrets():
    said = b"\x1b[2Jbad\r\nhunter2 \xff password: other\n" + b"x" * 9999
    reason = judge(ASK, QuerySeen(exit=1, stdout=said), lambda: [b"", b"hunter2"])[1]

    assert reason.startswith(
        "exit 1, said: \\x1b[2Jbad [not shown] \\xff password: [not shown: looks like a secret]"
    )
    assert len(reason) < 200
    assert reason.isprintable()


# ---- the worst, and the soak time


def answer(verdict: Verdict, gate: str = "health/x", host: str = "a", reason: str = "why") -> Answer:
    return Answer(gate=gate, verdict=verdict, reason=reason, host=host)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], PASS),
        ([PASS], PASS),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, FAIL, PASS], FAIL),
    ],
)
def test_one_no_is_a_no(verdicts, expected):
    assert expected is worst(answer(verdict) for verdict in verdicts)


def test_the_answers_after_the_soak_time_decide_and_say_what_changed():
    first = [answer(PASS), answer(PASS, "event-log"), answer(PASS, "health/x", "b")]
    last = [answer(PASS, reason="new"), answer(FAIL, "event-log"), answer(INCONCLUSIVE, "health/x", "b")]

    assert [
        (PASS, "new"),
        (FAIL, "passed before the soak time, now: why"),
        (INCONCLUSIVE, "passed before the soak time, now: why"),
    ] == [(one.verdict, one.reason) for one in compare(first, last)]


def test_what_was_not_asked_again_is_no_yes():
    first = [answer(PASS), answer(PASS, "event-log")]
    told = compare(first, [answer(PASS)])

    assert INCONCLUSIVE is worst(told)
    assert "passed before the soak time, and was not asked again" == told[1].reason


def test_answers_and_questions_survive_the_journal():
    question = Question(gate="checks/x", argv=("a", "b"), on="once", unsure=(75,), pattern="x", timeout=5)
    told = answer(INCONCLUSIVE)

    assert question == Question.from_json(question.to_json() | {"later": 1})
    assert told == Answer.from_json(told.to_json() | {"later": 1})

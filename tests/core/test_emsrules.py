"""EMS rules: what an event makes the executor do, and what it never does."""

from __future__ import annotations

import time
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.vtspolicy.cases import CASES, cases
from vtsconf.core.document import read_document
from vtsconf.core.emsrules import LONGEST, decide
from vtsconf.core.eventlog import parse
from vtsconf.core.tree import plain
from vtsconf.core.vtspolicy.wish import Wish
from vtsconf.resources.policies import Rule, Rules


def event(text, fields=9):
    """The event of a line of the log."""
    program = "|" if fields == 9 else ""
    line = f"2006-08-28 16:25:18|INFO|200001|5900-E|127.0.0.1|vts1|super|{program}{text}"
    found = parse(line.encode(errors="surrogateescape"))
    assert found is not None
    return found


def rules(written):
    return Rules.model_validate({"rules": written}).rules


@pytest.mark.parametrize("fields", [8, 9])
@pytest.mark.parametrize("case", cases("rules.yaml"))
def test_what_an_event_makes_the_executor_do(case, fields):
    decision = decide(event(case["text"], fields), rules(case["rules"]))

    assert (case["does"], case.get("rule", "")) == (decision.action, decision.rule)
    assert case.get("policy", "") == decision.policy
    assert case.get("reason", "") in decision.reason
    assert decision.reason
    if "wish" not in case:
        assert decision.wish is None
    else:
        wanted = {"names": ()} | case["wish"]
        wish = Wish(action=case["does"], **wanted | {"names": tuple(wanted["names"])})
        assert asdict(wish) == asdict(decision.wish) | {"reasons": ()}


ERASE = rules({"e": {"match": "^VTSPolicy Erase", "action": "erase"}})


def test_a_text_as_long_as_the_log_keeps_erases_nothing():
    whole = "VTSPolicy Erase - " + " ".join(f"X{n:05}" for n in range(22))
    cut = (whole + " X00022 s=other.bank")[:177]

    assert "erase" == decide(event(whole), ERASE).action
    assert ("none", True) == ((one := decide(event(cut), ERASE)).action, "may have cut" in one.reason)


@pytest.mark.parametrize("action", ["migrate", "restore", "erase"])
@pytest.mark.parametrize(("length", "does"), [(175, True), (176, False), (177, False)])
def test_a_name_at_the_end_of_a_text_that_may_be_cut(action, length, does):
    text = ("x" * 300)[: length - 7] + " X00001"
    one = decide(event(text), rules({"a": {"match": r" (?P<cartridge>\w+)$", "action": action}}))

    assert (action if does else "none") == one.action
    assert (
        action
        == decide(
            event(text + " s"), rules({"a": {"match": r" (?P<cartridge>X\d+)", "action": action}})
        ).action
    )


def test_a_text_longer_than_any_of_the_product_is_left_alone():
    decision = decide(event("MOUNT X" + "0" * LONGEST), rules({"a": {"match": "MOUNT", "action": "notify"}}))

    assert ("none", "") == (decision.action, decision.rule)
    assert "255" in decision.reason


def test_a_slow_pattern_is_never_tried():
    rule = Rule.model_construct(match="(a+)+b", action="notify", policy=None, bma=None, options={})
    decision = decide(event("a" * 200), {"slow": rule})

    assert ("none", "slow") == (decision.action, decision.rule)
    assert "repeat" in decision.reason


def test_an_action_of_another_version():
    rule = Rule.model_construct(match="a", action="explode", policy=None, bma=None, options={})

    assert "nobody knows" in decide(event("a"), {"x": rule}).reason


PATTERNS = st.sampled_from(
    [
        r"(?P<cartridge>.+)",
        r"(?P<path>.+)",
        r"(?P<vault>\S+) (?P<pool>\S+)",
        r"(?P<vtspolicy>.*)",
        "VTSPolicy",
        r"MOUNT (?P<cartridge>\S*)",
    ]
)
TEXT = st.lists(
    st.sampled_from(
        ["VTSPolicy ", "Erase ", "- ", "TSM ", "'archive ", "/VAULT01/P", "/../", "X1 ", "'", "s=", "MOUNT "]
    )
    | st.text(max_size=5)
).map("".join)


@given(TEXT, PATTERNS, st.sampled_from(["migrate", "restore", "erase", "vtspolicy", "notify", "ignore"]))
def test_any_text_gets_a_decision_with_a_reason(text, pattern, action):
    text = text.replace("\n", " ").replace("\r", " ")
    decision = decide(
        event(text.encode(errors="surrogatepass").decode(errors="replace")),
        rules({"a": {"match": pattern, "action": action}}),
    )

    assert decision.reason
    assert decision.action in {"none", action} or (action == "vtspolicy" and decision.action == "migrate")
    if decision.wish:
        named = [decision.wish.cartridge, decision.wish.pool, decision.wish.vault, *decision.wish.names]
        assert not any("/" in name or name in {".", ".."} for name in named if name)


def test_the_worst_of_the_patterns_that_are_let_through_is_quick():
    worst = [r"^.*a.*b\w+ ", r".*.*X", r"\w*a\w*b ", r".*a.*bX"]
    written = rules({f"r{at}": {"match": pattern, "action": "notify"} for at, pattern in enumerate(worst)})
    began = time.process_time()
    decide(event("ab" * 127), written)

    assert time.process_time() - began < 20  # a pattern that is slow takes years


def test_the_rules_of_the_page_are_rules():
    page = (CASES.parents[2] / "docs" / "vtspolicy.md").read_text()
    root, problems = read_document(page.split("```yaml\n")[1].split("```")[0], "page")
    written = plain(root)["vts"]["ems"]["rules"]

    assert [] == problems
    assert ["ignore", "restore", "migrate", "vtspolicy", "notify"] == [
        one.action for one in rules(written).values()
    ]
    assert "X00001" == decide(event("$ZSVR: 0001 MOUNT X00001 NO RING"), rules(written)).wish.cartridge


@pytest.mark.parametrize("before", ["A" * 149 + "|", "ems|", "|"])
def test_a_bar_in_a_text_of_an_eight_field_log_hides_no_cut(before):
    asked = before + "VTSPolicy Erase - " + " ".join(f"T{n:05}" for n in range(1, 30))
    one = decide(event(asked[:177], 8), ERASE)

    assert ("none", True) == (one.action, "may have cut" in one.reason)


@pytest.mark.parametrize(
    ("program", "does"), [("", "erase"), ("TapeServer", "erase"), ("/bin/ems-2.1", "erase"), ("he said:", "none"), ("A" * 65, "none")]
)  # fmt: skip
@pytest.mark.parametrize(
    ("text", "match"), [("VTSPolicy Erase - T1", "^VTSPolicy"), ("WIPE T1 now", r"WIPE (?P<cartridge>\w+)")]
)
def test_what_is_no_program_may_be_a_part_of_the_text_and_erases_nothing(program, does, text, match):
    one = decide(event(f"{program}|{text}", 8), rules({"e": {"match": match, "action": "erase"}}))

    assert (does, does == "none") == (one.action, "no name of a program" in one.reason)

"""VTSPolicy lines: the documented ones, those that cannot be understood, and hostile ones."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.vtspolicy.cases import cases
from vtsconf.core.problem import Level
from vtsconf.core.vtspolicy.facts import KEYWORDS, TYPES, VERBS, Form, fact
from vtsconf.core.vtspolicy.line import Keyword, Line, Tapes
from vtsconf.core.vtspolicy.parse import parse
from vtsconf.core.vtspolicy.tapes import tapes_of
from vtsconf.core.vtspolicy.wish import Wish, is_for, wishes
from vtsconf.core.vtspolicy.write import write

LINES = [case for param in cases("lines.yaml") for case in param.values]


def meant(case):
    """The record of a case, whole."""
    means = case["means"]
    return Line(
        verb=means["verb"],
        form=Form(means["form"]),
        type=means.get("type"),
        tapes=tapes_of(means["tapes"]) if "tapes" in means else None,
        place=means.get("place", ""),
        names=tuple(means.get("names", ())),
        keywords=tuple(
            Keyword(name=n, value=v, meaning=m, sure=s) for n, v, m, s in means.get("keywords", ())
        ),
        extra=tuple(means.get("extra", ())),
    )


@pytest.mark.parametrize("case", cases("lines.yaml"))
def test_what_a_line_means(case):
    line = parse(case["line"], case.get("release"))

    assert meant(case) == line
    assert case.get("warns", []) == [problem.code for problem in line.problems]
    assert all(problem.level is Level.WARNING for problem in line.problems)


@pytest.mark.parametrize("case", cases("lines.yaml"))
def test_every_word_is_explained_at_its_place(case):
    line = parse(case["line"], case.get("release"))

    for word in line.words:
        assert case["line"][word.column - 1 :].startswith(word.text.split("=")[0])
        assert word.says
        assert word.source or word.sure == "unknown"
    assert case.get("words", [word.column for word in line.words]) == [word.column for word in line.words]


@pytest.mark.parametrize("case", cases("lines.yaml"))
def test_what_the_executor_is_to_do(case):
    wish = wishes(parse(case["line"], case.get("release")))
    wanted = {"names": (), "left": ()} | case["wish"]
    wanted = {key: tuple(value) if isinstance(value, list) else value for key, value in wanted.items()}

    assert asdict(Wish(**wanted)) == asdict(wish) | {"reasons": ()}
    assert wish.reasons
    assert case.get("why", "") in "; ".join(reason.says for reason in wish.reasons)


@pytest.mark.parametrize("case", cases("wrong.yaml"))
def test_what_cannot_be_understood_and_where(case):
    problems = parse(case["line"], case.get("release"))

    assert isinstance(problems, tuple), problems
    wrong = [problem for problem in problems if problem.level is Level.ERROR]
    told = [f"{problem.place.column} {problem.code}: {problem.what}" for problem in wrong]
    begins = [one[: len(wanted)] for one, wanted in zip(told, case["finds"], strict=True)]

    assert case["finds"] == begins
    assert all(problem.remedy for problem in wrong)
    assert case.get("remedy", "") in wrong[0].remedy


def test_every_verb_and_every_keyword_has_a_case():
    verbs = {case["means"]["verb"] for case in LINES}
    used = {
        (Form(case["means"]["form"]), name)
        for case in LINES
        for name, _, meaning, _ in case["means"].get("keywords", ())
        if meaning
    }
    known = {
        (form, name)
        for form, facts in KEYWORDS.items()
        for one in facts
        for name in one.names
        if form is not Form.OPEN
    }
    untried = {(Form.PLAIN, "destinationTSM")}  # the same row as dt

    assert set(VERBS) == verbs
    assert known - untried <= used


def test_the_place_is_the_callers():
    (problem,) = parse("nonsense", file="lines.txt", number=7)

    assert "lines.txt:7:1" == str(problem.place)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_its_own_line_end_does_not_matter(end):
    assert Line(verb="Erase", form=Form.NAMES, place="-", names=("A",)) == parse("VTSPolicy Erase - A" + end)


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\x7f", "\u202e", "\u2028", "\udcff"])
def test_a_character_that_a_terminal_or_a_log_would_obey(char):
    (problem,) = parse(f"VTSPolicy Erase - A{char}[2J")

    assert ("character", 20) == (problem.code, problem.place.column)
    assert problem.what.isascii()


def test_a_line_too_long_for_any_event():
    (problem,) = parse("VTSPolicy Erase - " + "A" * 10_000)

    assert "length" == problem.code
    assert len(problem.what) < 100


@pytest.mark.parametrize(
    ("host", "own", "acts"),
    [
        ("", [], True),
        ("vts1", ["vts1"], True),
        ("VTS1", ["vts1.bank.example"], True),
        ("vts1.bank.example", ["vts1"], True),
        ("vts1.bank.example", ["vts1.other.example"], False),
        ("vts1.bank.example", ["vts1.other.example", "VTS1.bank.example"], True),
        ("vts2", ["vts1", "vts1.bank.example"], False),
        ("vts1.b.example", ["vts1", "vts1.a.example"], False),
        ("vts1.a.example", ["vts1", "VTS1.A.example"], True),
        ("vts1.b.example", ["vts1", "gate7.a.example"], True),
        ("vts1.b.example", ["vts1", "10.1.2.3"], True),
        ("vts1", ["vts1.a.example", "10.1.2.3"], True),
        ("10", ["vts1", "10.1.2.3"], False),
        ("10.1.2.4", ["vts1", "10.1.2.3"], False),
        ("10.1.2.3", ["vts1", "10"], False),
        ("10.1.2.3", ["vts1", "10.1.2.3"], True),
        ("vts1", [], False),
        ("vts1", [""], False),
    ],
)
def test_only_the_server_that_is_named_acts(host, own, acts):
    assert acts is is_for(Wish(action="migrate", host=host), own)


@pytest.mark.parametrize("verb", ["TSM", "NBU", "LEG", "BEX", "HPD", "ARC"])
@pytest.mark.parametrize("half", ["d=vts2", "destination=vts2", "dt=y", "destinationTSM=vts2"])
def test_half_of_a_request_is_not_taken_for_the_whole_whatever_the_verb(verb, half):
    wish = wishes(parse(f'VTSPolicy {verb} "/VAULT01/POOL s=vts1 st=y {half}"', "6.02"))

    assert ("none", True) == (wish.action, "copy on another VTS system" in wish.why)


# --- properties -----------------------------------------------------------------------------------------------------

NAME = st.from_regex(r"[A-Za-z0-9$#@_.][A-Za-z0-9$#@_.:,+%-]{0,12}", fullmatch=True).filter(
    lambda name: name not in {".", ".."}
)
HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,8}(\.[a-z]{1,6}){0,3}", fullmatch=True)
TAPES = st.builds(
    Tapes,
    vault=st.from_regex(r"VAULT[0-9A-Z]{2}", fullmatch=True),
    pool=NAME,
    cartridge=st.none() | NAME,
)
VALUES = {
    "source": HOSTS,
    "destination": HOSTS,
    "optfile": st.from_regex(r"/etc/[a-z]{1,8}\.opt", fullmatch=True),
    "sourceTSM": st.just("y"),
    "destinationTSM": st.just("y"),
    "retention": st.from_regex(r"[0-9]{1,4},d", fullmatch=True),
}


@st.composite
def keywords(draw, form):
    """Known keywords of a form, each meaning once, and some that nobody knows."""
    known = draw(st.lists(st.sampled_from(KEYWORDS[form]), unique_by=lambda one: one.meaning))
    pairs = [(draw(st.sampled_from(one.names)), draw(VALUES[one.meaning])) for one in known]
    pairs += draw(st.lists(st.tuples(st.from_regex(r"x[a-z]{0,5}", fullmatch=True), NAME), max_size=2))
    return tuple(
        Keyword(
            name=name,
            value=value,
            meaning=one.meaning if (one := fact(form, name)) else "",
            sure=one.sure if one else "unknown",
        )
        for name, value in pairs
    )


VALID = st.one_of(
    st.builds(
        Line,
        verb=st.just("TSM"),
        form=st.just(Form.TYPED),
        type=st.sampled_from(TYPES),
        tapes=TAPES,
        keywords=keywords(Form.TYPED),
    ),
    st.builds(
        Line, verb=st.just("TSM"), form=st.just(Form.PLAIN), tapes=TAPES, keywords=keywords(Form.PLAIN)
    ),
    st.builds(
        Line,
        verb=st.sampled_from(["NBU", "LEG", "BEX", "HPD", "ARC"]),
        form=st.just(Form.PLAIN),
        tapes=TAPES,
        extra=st.lists(NAME, max_size=3).map(tuple),
        keywords=keywords(Form.PLAIN),
    ),
    st.builds(
        Line,
        verb=st.sampled_from(["Erase", "Delete"]),
        form=st.just(Form.NAMES),
        place=st.just("-"),
        names=st.lists(NAME, min_size=1, max_size=5).map(tuple),
        keywords=keywords(Form.NAMES),
    ),
)


@given(VALID)
def test_what_is_written_is_read_as_what_was_meant(line):
    assert line == parse(write(line))


@given(VALID, st.randoms())
def test_blanks_do_not_matter(line, random):
    blanks = [" ", "  ", "\t", " \t "]
    spaced = "".join(
        random.choice(blanks)
        if char == " "
        else random.choice(["=", " =", "= ", " = "])
        if char == "="
        else char
        for char in write(line)
    )

    assert line == parse(spaced)


RELEASES = st.sampled_from([None, "6.02", "6.03.41", "6.04.01", "6.04.04", "8.4", "junk"])


def holds(text, release=None):
    """A line or problems with their places; and what is made of either survives JSON."""
    result = parse(text, release)
    if isinstance(result, Line):
        json.dumps(result.to_json())
        wish = wishes(result)
        json.dumps(wish.to_json())
        assert wish.reasons
        assert wish.action != "erase" or (result.verb == "Erase" and result.place == "-" and wish.names)
        assert result == parse(write(result), release)
    else:
        assert any(problem.level is Level.ERROR for problem in result)
        for problem in result:
            assert 1 <= problem.place.column <= max(len(text), 1) + 1
            assert len(problem.what) < 300


@given(st.text(st.characters() | st.sampled_from(list(" ='\"-/\udcff\x00“”")), max_size=200), RELEASES)
@example("VTSPolicy =", None)
@example("VTSPolicy Erase = = -", None)
@example("VTSPolicy TSM ''''", "8.3")
@example("\ud800", None)
def test_any_text_is_answered(text, release):
    holds(text, release)
    holds(f"VTSPolicy TSM '{text}'", release)
    holds(f"VTSPolicy TSM 'archive /VAULT01/P {text}", release)
    holds(f"VTSPolicy Erase - {text}", release)
    holds(f"VTSPolicy IDR {text}", release)


@given(
    st.sampled_from([case["line"] for case in LINES]),
    st.lists(
        st.tuples(st.integers(0, 120), st.sampled_from(list("=' \"-/sSyY.\t\x00\udcffé")) | st.just(""))
    ),
    RELEASES,
)
def test_a_line_with_some_characters_changed_is_answered(line, changes, release):
    for at, char in changes:
        line = line[: at % (len(line) + 1)] + char + line[at % (len(line) + 1) + 1 :]

    holds(line, release)


@settings(deadline=2000)
@given(st.sampled_from(["=", " = ", "'", '"', "s=", "a ", "- ", "/VAULT01/P ", "x=y ", "“", "VTSPolicy "]))
def test_long_lines_are_answered(piece):
    for start in (
        "",
        "VTSPolicy TSM '",
        "VTSPolicy Erase - ",
        "VTSPolicy IDR ",
        "VTSPolicy NBU '/VAULT01/P ",
    ):
        holds((start + piece * 10_000)[:10_000])
        holds((start + piece * 4000)[:4000])
        holds((start + piece * 4000)[:4000] + "'")

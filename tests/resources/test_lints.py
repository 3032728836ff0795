from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.change import Action, Change
from vtsconf.core.document import read_document
from vtsconf.core.problem import Place, errors
from vtsconf.core.tablefile import read_tables
from vtsconf.core.tree import plain
from vtsconf.resources.desired import read, wanted
from vtsconf.resources.lints import ALL, Subject, danger, lint
from vtsconf.resources.lints.erase import changes_could_erase, could_erase

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "lints"
SHIPPED = {f.name: f.read_text() for f in (ROOT / "schemas" / "parameters").glob("*.yaml")}
TABLES, _ = read_tables(SHIPPED, {})


@dataclass
class Host:
    variables: dict[str, Any]
    name: str = "vts1"
    places: dict[tuple, Place] = field(default_factory=dict)

    def locate(self, path, *, key=False):
        return self.places.get(tuple(path))


def cases(*files):
    for file in files:
        root, problems = read_document((CASES / file).read_bytes(), file)
        assert problems == []
        for case in plain(root):
            yield pytest.param(case, id=f"{case.get('code', 'erase')}: {case['name']}")


def subject(case):
    host = Host({"vts": case["vts"]}, name=case.get("host", "vts1"))
    vts, problems = read(host, TABLES)
    assert errors(problems) == []
    return Subject(
        vts=vts,
        wanted=wanted(vts, TABLES, host.locate),
        tables=TABLES,
        live=case.get("live"),
        host=host.name,
        address=case.get("address", ""),
        locate=host.locate,
    )


LINT_CASES = list(cases("ems.yaml", "document.yaml", "vtspolicy.yaml"))


@pytest.mark.parametrize("case", LINT_CASES)
def test_a_lint_finds_what_it_should_and_nothing_else(case):
    found = [f"{p.level}: {p.what}" for p in lint(subject(case)) if p.code == case["code"]]

    assert found == case["finds"]


def test_every_lint_is_seen_firing_and_silent():
    fires = {p.values[0]["code"] for p in LINT_CASES if p.values[0]["finds"]}
    silent = {p.values[0]["code"] for p in LINT_CASES if not p.values[0]["finds"]}

    assert {check.code for check in ALL} == fires == silent


def test_every_finding_says_why_and_names_its_source():
    found = [p for case in LINT_CASES for p in lint(subject(case.values[0]))]

    assert [p for p in found if not (p.why and p.source and p.host)] == []


@pytest.mark.parametrize("case", list(cases("erase.yaml")))
def test_what_could_erase_is_refused_unless_allowed_by_name(case):
    of = subject(case)
    problems = could_erase(
        of.vts,
        of.wanted,
        of.live,
        case.get("allowed", ()),
        of.locate,
        rendered=case.get("rendered"),
        host="vts1",
    )
    found = [f"{p.level} {p.address or 'no-bma'}: {p.what}" for p in problems]

    assert found == case["finds"]


def test_every_refusal_says_how_it_could_be_allowed_and_that_name_allows_it():
    for case in cases("erase.yaml"):
        of = subject(case.values[0])
        for refused in errors(could_erase(of.vts, of.wanted, of.live, (), of.locate)):
            name = refused.remedy.rpartition(" ")[2]
            again = could_erase(of.vts, of.wanted, of.live, (name,), of.locate)

            assert refused.what not in {p.what for p in errors(again)}


def test_a_finding_stands_where_its_value_was_written():
    place = Place("group_vars/all.yaml", 7, 5)
    host = Host({"vts": {"cleanup": {"autoerase": True}}}, places={("vts", "cleanup", "autoerase"): place})
    vts, _ = read(host, TABLES)
    parameters = wanted(vts, TABLES, host.locate)
    risk = could_erase(vts, parameters, None, (), host.locate)[0]
    check = next(
        p
        for p in lint(Subject(vts=vts, wanted=parameters, tables=TABLES, locate=host.locate))
        if p.code == "C15"
    )

    assert (place, place) == (risk.place, check.place)


@pytest.mark.parametrize(
    ("change", "live", "expected"),
    [
        (
            Change(address="cleanup/cleanup_autoerase", action=Action.UPDATE, live="NO", desired="YES"),
            {"cleanup_autoerase": "NO"},
            ["cleanup_autoerase is YES"],
        ),
        (
            Change(address="cleanup/cleanup_autoerase", action=Action.UPDATE, live="YES", desired="NO"),
            {"cleanup_autoerase": "YES"},
            [],
        ),
        (
            Change(address="hsm/hsm_retention", action=Action.DELETE, live="14"),
            {"hsm_retention": "14"},
            ["`hsm_retention` would change"],
        ),
        (Change(address="commands/retention", action=Action.CREATE, desired="done"), {}, []),
        (Change(address="files//etc/cleanup_x", action=Action.CREATE, desired={}), {}, []),
    ],
)
def test_recorded_changes_are_judged_without_their_document(change, live, expected):
    assert expected == [p.what for p in changes_could_erase([change], live, ())]
    assert errors(changes_could_erase([change], live, {change.address.partition("/")[2]})) == []


SPACES = st.sampled_from([" ", "  ", "\t", " -- ", " -f ", " -rf '", ' "'])
TAPES = st.from_regex(r"/VAULT[0-9A-Z]{2}(/[A-Z0-9*?]{1,8}){0,2}", fullmatch=True)
DESTROYERS = st.sampled_from(
    ["rm", "/bin/rm", "unlink", "shred", "truncate", "sudo rm", "x;rm", "$(rm", "`rm"]
)


@given(DESTROYERS, SPACES, TAPES, st.text(max_size=30))
def test_a_tape_and_a_destroyer_in_one_line_are_seen_whatever_stands_around(word, space, tape, around):
    line = f"{word}{space}{tape}"

    assert danger.in_text(f"{around}\n{line} {around}")
    assert danger.in_words(["sh", "-c", line])


@given(st.lists(st.text(max_size=20), max_size=6))
def test_no_words_make_the_search_fail(words):
    assert isinstance(danger.in_words(words, "/etc/vts.conf"), str)


def test_a_long_text_is_searched_in_time():
    text = "rm dsmc nsrarchive > . " * 20_000

    assert danger.in_text(text) == ""

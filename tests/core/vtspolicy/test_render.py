"""Policies as VTSPolicy lines, and the macro around them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.vtspolicy.cases import cases
from vtsconf.core.vtspolicy import tacl
from vtsconf.core.vtspolicy.facts import EVENT_TEXT
from vtsconf.core.vtspolicy.line import Line
from vtsconf.core.vtspolicy.parse import parse
from vtsconf.core.vtspolicy.render import render
from vtsconf.core.vtspolicy.write import write
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Policies


def server(vts):
    """A desired state without its checks."""
    policies = Policies.model_validate({"policies": vts["policies"]}).policies
    return Vts(
        release=vts.get("release"),
        vaults=tuple(vts.get("vaults", ())),
        allow_erase=tuple(vts.get("allow_erase", ())),
        policies=policies,
    )


@pytest.mark.parametrize("case", cases("render.yaml"))
def test_the_lines_of_a_policy(case):
    done = render("p", server(case["vts"]), host=case.get("host", ""), is_cluster=case.get("cluster", False))
    told = [f"{problem.level} {problem.code}: {problem.what}" for problem in done.problems]
    wanted = case.get("finds", [])

    assert wanted == [one[: len(want)] for one, want in zip(told, wanted, strict=True)]
    assert case["lines"] == [write(line) for line in done.lines]


@pytest.mark.parametrize("case", [c for c in cases("render.yaml") if c.values[0]["lines"]])
def test_what_is_written_is_understood_by_the_same_release(case):
    done = render("p", server(case["vts"]), host=case.get("host", ""), is_cluster=case.get("cluster", False))

    for line in done.lines:
        assert line == parse(write(line), done.release)


def test_another_release_than_that_of_the_server():
    vts = server(
        {
            "release": "8.3",
            "policies": {
                "p": {
                    "action": "migrate",
                    "bma": "netbackup",
                    "select": {"vaults": ["VAULT01"], "pools": ["P"]},
                }
            },
        }
    )
    done = render("p", vts, "6.03.41", "vts1")

    assert ("6.03.41", ()) == (done.release, done.problems)
    assert ['VTSPolicy NBU "/VAULT01/P s=vts1"'] == [write(line) for line in done.lines]


def test_allowed_for_this_time():
    vts = server({"release": "8.2", "policies": {"p": {"action": "erase", "select": {"cartridges": ["A"]}}}})

    assert () == render("p", vts).lines
    assert ["VTSPolicy Erase - A"] == [write(line) for line in render("p", vts, allowed=["p"]).lines]
    assert () == render("p", vts, allowed=["q"]).lines


def test_an_erase_of_many_is_never_longer_than_the_event_log_keeps():
    names = [f"X{number:05}" for number in range(100)]
    policies = {"p": {"action": "erase", "select": {"cartridges": names}}}
    lines = render("p", server({"release": "8.2", "policies": policies}), allowed=["p"]).lines

    assert max(len(write(line)) for line in lines) < EVENT_TEXT
    assert names == [name for line in lines for name in line.names]
    assert len(lines) < 6


@pytest.mark.parametrize(
    ("length", "codes"),
    [(20, []), (200, ["length"]), (2900, ["length"]), (2990, ["length"]), (5000, ["unsayable"])],
)
def test_a_line_too_long_for_the_log_or_the_buffer(length, codes):
    options = {"type": "archive", "optfile": "/" + "o" * length}
    policies = {
        "p": {
            "action": "migrate",
            "bma": "tsm",
            "select": {"vaults": ["VAULT01"], "pools": ["P"]},
            "options": options,
        }
    }
    done = render("p", server({"release": "8.3", "policies": policies}))

    assert codes == [problem.code for problem in done.problems]
    assert (length < 2950) is bool(done.lines)


NAMES = st.text(st.sampled_from(list("AZ09 ='\"-/.*?[]éÿ\x00\n$")), max_size=6)


@given(NAMES, NAMES, NAMES, st.sampled_from(["8.3", "6.03.41", None]))
def test_nothing_leaves_that_does_not_read_back(pool, cartridge, optfile, release):
    policy = {
        "action": "migrate",
        "bma": "tsm",
        "select": {"vaults": ["VAULT01"], "pools": [pool], "cartridges": [cartridge]},
        "options": {"type": "archive", "optfile": optfile},
    }
    done = render("p", server({"release": release, "policies": {"p": policy}}), host="vts1.bank")

    for line in done.lines:
        read = parse(write(line), release)

        assert isinstance(read, Line)
        assert pool == read.tapes.pool
        assert (cartridge if cartridge != "*" else None) == read.tapes.cartridge
        assert (optfile or None) == read.value("optfile")


# --- the macro ------------------------------------------------------------------------------------------------------

MIGRATE = "VTSPolicy TSM 'archive /VAULT01/PROD s=vts1.bank o=/etc/dsm.opt'"
ERASE = "VTSPolicy Erase - X00001 s=vts1.bank"


def test_the_documented_macro_sends_each_line_as_an_event():
    macro = tacl.macro([MIGRATE, ERASE])

    assert [MIGRATE, ERASE] == re.findall(r"^#SET evt_text (.*)$", macro, re.MULTILINE)
    assert 2 == macro.count("\n#APPENDV req_prompt evt_buf\n")
    assert 1 == macro.count("#DEF evt_buf STRUCT BEGIN BYTE b(1:3000); END;\n")
    assert macro.startswith("?TACL MACRO\n#PUSH ")
    assert all(len(line) <= tacl.LONGEST for line in macro.splitlines())
    assert [] == tacl.faults([MIGRATE, ERASE])


def test_the_number_of_the_event_is_free():
    assert "#SET evt_num 77\n" in tacl.macro([ERASE], 77)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 225, None),
        ("x" * 226, "tacl-length"),
        ("a[b", "tacl-character"),
        ("a]b", "tacl-character"),
        ("a{b}", "tacl-character"),
        ("|then|", "tacl-character"),
        ("a~;b", "tacl-character"),
        ("a&", "tacl-character"),
        ("a==b", "tacl-character"),
        ("a\nb", "tacl-character"),
        ("é", "tacl-character"),
        ("\udcff", "tacl-character"),
    ],
)
def test_what_tacl_would_cut_or_read_as_its_own_is_refused(text, code):
    assert ([code] if code else []) == [problem.code for problem in tacl.faults([text])]

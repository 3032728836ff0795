"""Words on their way to a real sh: what was meant is what arrives, and what no plan of ours holds is not sent."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.box import put, state_of
from vtsconf.core.content import Content
from vtsconf.core.errors import Refused
from vtsconf.core.probe import Query, ReadFile
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.core.step import Base, RunCommand, Service
from vtsconf.transport.program import apply_program, confirm_program, read_program
from vtsconf.transport.putting import puts_of
from vtsconf.transport.server import Transaction
from vtsconf.transport.words import call

SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.text(
    st.sampled_from("'\"\\$`(){}[]*?!~#&|;<> -=%éü\u2028"), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(TEXT, max_size=5), min_size=1, max_size=12))
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_word_arrives_as_it_is(shell, calls):
    program = "\n".join(['f() { printf "%s\\0" "$#" "$@"; }', *(call("f", *words) for words in calls)])
    try:
        done = subprocess.run(
            [*shell, "-c", program],
            capture_output=True,
            check=True,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )
    except FileNotFoundError:
        pytest.skip(f"{shell[0]} is not installed")
    wanted = [part for words in calls for part in (str(len(words)), *words)]

    assert done.stdout.decode().split("\0")[:-1] == wanted


@pytest.mark.parametrize("word", ["a\nb", "a\0b", "\x1b[0m", "\r", "\t", "\x7f", chr(0xD800), chr(0xDCFF)])
def test_a_character_that_no_shell_should_see_is_refused(word):
    with pytest.raises(Refused):
        call("f", word)
    with pytest.raises(Refused):
        read_program([ReadFile(f"/x{word}")], "/s", "m")
    with pytest.raises(Refused):
        read_program([], f"/s{word}", "m")
    with pytest.raises(Refused):
        confirm_program(f"r{word}", [], "/s", "m", host="h", who="w")
    with pytest.raises(Refused):
        read_program([Query("q", ("echo", word))], "/s", "m")


PLAIN = Transaction(
    host="h", run="20260101-000000-abcd", holder="me@here", state_dir="/s", base=(Base(path="/etc/x", digest=""),),
    steps=(put("/etc/x", None, b"x"),), restarts=("ems",), services=(Service(name="ems", restart=("true",)),), confirm_within=60,
    probes=(),
)  # fmt: skip
STEP = PLAIN.steps[0]
STRANGE = {
    "a relative path": {"steps": (replace(STEP, path="etc/x"),)},
    "a path that is an option": {"steps": (replace(STEP, path="-rf"),)},
    "the root": {"steps": (replace(STEP, path="/"),)},
    "a folder": {"steps": (replace(STEP, path="/etc/"),)},
    "a path with a newline": {"steps": (replace(STEP, path="/etc/x\ny"),)},
    "a base that is relative": {"base": (Base(path="x", digest=""),)},
    "a relative state directory": {"state_dir": "state"},
    "no state directory": {"state_dir": ""},
    "a state directory that is the root": {"state_dir": "/"},
    "a service that is a path": {
        "restarts": ("../../etc/passwd",),
        "services": (Service(name="../../etc/passwd"),),
    },
    "a service that hides": {"steps": (replace(STEP, restart=(".x",)),)},
    "a service that nobody describes": {"restarts": ("other",)},
    "a run that is a path": {"run": "../x"},
    "a run that is an option": {"run": "-x"},
    "no time to confirm": {"confirm_within": 0},
    "less than no time": {"confirm_within": -5},
    "years to confirm": {"confirm_within": 10**12},
    "a command for ever": {"steps": (RunCommand(name="c", check=("true",), run=("true",), timeout=10**9),)},
    "a mode in words": {"steps": (replace(STEP, after=state_of(b"x", "u+s")),)},
    "an owner with a newline": {"steps": (replace(STEP, after=state_of(b"x", owner="root\n")),)},
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_no_plan_of_ours_holds_is_refused(what):
    with pytest.raises(Refused):
        apply_program(replace(PLAIN, **STRANGE[what]), {}, "", "m")


def test_an_ordinary_plan_is_not():
    assert apply_program(PLAIN, {}, "", "m").payload == ()


@pytest.mark.parametrize("data", [b"\0", b"\xff", "é".encode(), b"\r\n", b"x" * 16385], ids=repr)
def test_what_is_not_a_short_text_is_fed_and_not_written_into_the_program(data):
    made = apply_program(replace(PLAIN, steps=(put("/etc/x", None, data),)), {}, "", "m")

    assert made.payload == (data,)


def test_a_secret_is_not_written_into_the_program():
    ref = SecretRef("env", "PASSWORD")
    after = replace(STEP.after, content=Content((b"password ", ref, b"\n")))
    made = apply_program(
        replace(PLAIN, steps=(replace(STEP, after=after),)), {ref: Secret(b"hunter2")}, "", "m"
    )

    assert made.payload == (b"password hunter2\n",)
    assert b"hunter2" not in made.body


@settings(max_examples=40, deadline=None)
@given(
    st.text(
        st.characters(max_codepoint=126, exclude_categories=["Cc"], include_characters="\n\t"), max_size=200
    )
)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_text_is_staged_as_it_is(shell, text):
    (put_,) = puts_of(replace(PLAIN, steps=(put("/etc/x", None, text.encode()),)), {})
    (line,) = put_.staging.lines
    program = 'B=$(cat); eval "$B"'
    body = f'vt_stage_text() {{ printf "%s" "$3"; }}\n{line}\n: end'
    try:
        done = subprocess.run([*shell, "-c", program], input=body.encode(), capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip(f"{shell[0]} is not installed")

    assert done.stdout == text.encode()


def test_the_command_line_holds_nothing_of_the_request():
    """No path, no word, no secret: it is what `ps` shows on the server."""
    long = replace(PLAIN, steps=(put("/etc/SECRET-PATH", None, b"x" * 9),), base=())
    line = apply_program(long, {}, "SECRET-KEY", "MARK").command

    assert "SECRET" not in line
    assert "MARK" not in line
    assert len(line) < 200

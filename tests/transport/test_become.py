from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.connection import Become
from vtsconf.core.secret import Secret
from vtsconf.transport.become import portable, refusal, wrapped

ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


def sh(line: str) -> bytes:
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=False).stdout


@settings(max_examples=60, deadline=None)
@given(ANY)
def test_a_command_arrives_byte_for_byte(text):
    # Its last characters are the interesting ones: $( ) would eat newlines there.
    assert sh(portable(f"printf %s {shlex.quote(text)}\n\n")) == text.encode()
    assert sh(portable(portable(f"printf %s {shlex.quote(text)}"))) == text.encode()


@given(ANY)
def test_a_csh_finds_nothing_to_trip_over(text):
    line = portable(f"echo {shlex.quote(text)}")

    assert "\n" not in line
    assert "!" not in line


def test_a_plain_command_stays_as_it_is():
    assert portable("uname -r") == "uname -r"
    assert portable("echo $HOME") == "sh -c 'echo $HOME'"


def test_the_commands_exit_code_is_the_lines():
    code = subprocess.run(["/bin/sh", "-c", portable("x='!'\nexit 43")], check=False).returncode

    assert code == 43


def test_the_lines():
    assert wrapped("id -un", None, "T").line == "id -un"
    no_word = wrapped("id", Become(), "T")
    assert no_word.line == portable("LC_ALL=C sudo -H -n -u root -- sh -c 'echo vtsconf-T; id'")
    assert (no_word.mark, no_word.prompt) == (b"vtsconf-T", b"")
    word = wrapped("id", Become(password=Secret(b"w0rd")), "T")
    assert "sudo -H -S -p ask-T: -u root" in word.line
    assert word.prompt == b"ask-T:"
    assert "w0rd" not in word.line


@pytest.mark.parametrize(
    "become",
    [
        Become(user="-u"),
        Become(user=""),
        Become(user="a\nb"),
        Become(method="doas"),
        Become(password=Secret(b"two\nlines")),
    ],
)
def test_what_makes_no_sense_is_refused(become):
    with pytest.raises(ValueError, match=r"not a user name|not a way|line break"):
        wrapped("true", become, "T")


def test_a_hostile_user_name_is_one_word_to_sudo(tmp_path):
    (tmp_path / "sudo").write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    (tmp_path / "sudo").chmod(0o755)
    line = wrapped("id", Become(user="x; $(echo y) 'z"), "T").line
    ran = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, check=False, env={"PATH": f"{tmp_path}:/bin:/usr/bin"}
    )

    assert ran.stdout.startswith(b"<-H><-n><-u><x; $(echo y) 'z><--><sh><-c><echo vtsconf-T; id>")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"sudo: a password is required\n", "it asks for a password and none was given"),
        (b"Sorry, try again.\nincorrect password", "the password is wrong, or the account may not do it"),
        (b"su: Authentication failure\n", "the password is wrong, or the account may not do it"),
        (b"sudo: sorry, you must have a tty to run sudo\n", "it wants a terminal (requiretty, or a password that was not given)"),
        (b"tape is not in the sudoers file.\n", "the account is not allowed to"),
        (b"Sorry, user tape is not allowed to execute '/bin/sh' as root on vts1.\n", "the account is not allowed to"),
        (b"sudo: unknown user ghost\n", "there is no such user on the server"),
        (b"sh: sudo: command not found\n", "the program is not there"),
        (b"\x1b[31mstrange\n", "\\x1b[31mstrange"),
        (b"", "it said nothing"),
    ],
)  # fmt: skip
def test_refusals_in_one_sentence(said, reason):
    what, remedy = refusal(Become(), said)

    assert what == f"cannot become `root` with sudo: {reason}"
    assert remedy

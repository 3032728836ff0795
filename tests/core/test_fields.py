import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vtsconf.core.fields import Argv, Mode, Name, Path, Reference, Seconds, found
from vtsconf.core.secret import SecretRef

KINDS = {"path": Path, "argv": Argv, "mode": Mode, "name": Name, "reference": Reference, "seconds": Seconds}
ADAPTERS = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


def reading(kind, value):
    """What becomes of a value, or the first reason why nothing does."""
    try:
        return ADAPTERS[kind].validate_python(value)
    except ValidationError as error:
        return ValueError, error.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("path", "/etc/motd", "/etc/motd"),
        ("path", "/etc/a b/ü", "/etc/a b/ü"),
        ("path", "/etc/motd\n", (ValueError, r"the path holds the character '\n'")),
        ("path", "/etc/\x00", (ValueError, r"the path holds the character '\x00'")),
        ("path", "/..", (ValueError, "`/..` is not in its simplest form")),
        ("path", 5, (ValueError, "the number 5 stands where a path is wanted")),
        ("argv", ["ls", "two words", "new\nline"], ("ls", "two words", "new\nline")),
        ("argv", ["ls", ""], (ValueError, "a word of the command is empty")),
        ("argv", ["ls", "a\x00b"], (ValueError, "a word of the command has a NUL character")),
        ("argv", ["ls", True], (ValueError, "true stands among the words of a command")),
        ("argv", None, (ValueError, "nothing (null) stands where a command is wanted")),
        ("mode", "0644", "0644"),
        ("mode", "644", (ValueError, "`644` is not a mode")),
        ("mode", "0888", (ValueError, "`0888` is not a mode")),
        ("mode", "1777", (ValueError, "`1777` is not a mode")),
        ("mode", 420, (ValueError, "the mode is the number 420")),
        ("name", "ems-2.x", "ems-2.x"),
        ("name", "-rf", (ValueError, "`'-rf'` cannot be a name")),
        ("name", "x\n", (ValueError, r"`'x\n'` cannot be a name")),
        ("reference", "secret://env/X", SecretRef("env", "X")),
        ("reference", "geheim", (ValueError, "a secret is written out here")),
        ("reference", 5, (ValueError, "a secret is written out here")),
        ("reference", "secret://live/0-1/x", (ValueError, "`secret://live/` is not for documents")),
        ("seconds", "2h", 7200),
        ("seconds", True, (ValueError, "true stands where a duration is wanted")),
        ("seconds", -1, (ValueError, "-1 is not a duration: it is below zero")),
    ],
)
def test_a_value_is_taken_or_refused_with_a_sentence(kind, value, expected):
    assert reading(kind, value) == expected


def test_a_secret_that_was_written_out_is_not_repeated():
    assert "geheim" not in str(reading("reference", "geheim"))


@given(st.text(st.sampled_from("/.ab \t\n"), max_size=12))
def test_a_path_that_is_taken_has_one_spelling_and_stays_below_the_root(text):
    path = reading("path", f"/{text}")

    assert isinstance(path, tuple) or (
        path == posixpath.normpath(path) and path != "/" and ".." not in path.split("/")
    )


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.none())
    | st.builds(dict)
)
def test_any_value_can_be_spoken_of(value):
    assert 0 < len(found(value)) < 90

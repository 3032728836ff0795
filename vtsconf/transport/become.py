"""Becoming another user: the command line that does it, and what sudo and su say when they refuse.

The inner shell prints a mark before it runs the command. What comes before the mark is not the command's;
without a mark the command never ran. A password is sent only when the prompt asks for it, and the caller's
stdin only after the mark, so neither can be taken for the other.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from vtsconf.core.connection import Become
from vtsconf.core.printable import printable

_NEEDS_CARE = frozenset("\n!\\'")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_:,+@-]*")  # means the same in every shell


@dataclass(frozen=True)
class Wrapped:
    """A command line and how to talk to it."""

    line: str
    mark: bytes = b""  # printed on stdout, with a newline, when the command starts; b"" = none
    prompt: bytes = b""  # on stderr when a password is wanted; b"" = never asked for


def portable(command: str) -> str:
    """A POSIX-sh command as one line that any login shell (sh, csh, fish, rbash) hands on unharmed.

    A csh cannot hold a newline or `!` in quotes; those travel as octal and the inner sh puts them back.
    """
    if _PLAIN.fullmatch(command):
        return command
    if not _NEEDS_CARE & set(command):
        return f"sh -c '{command}'"
    # `%b` ends at nothing but takes \0ooo; a dot keeps what $( ) would cut off at the end.
    coded = "".join(f"\\0{ord(c):03o}" if c in _NEEDS_CARE else c for c in command)
    return f"""sh -c 'c=$(printf "%b." "$1"); eval "${{c%.}}"' sh '{coded}'"""


def wrapped(command: str, become: Become | None, token: str) -> Wrapped:
    """The line to execute. `token` is letters and digits that nobody can guess. Raises ValueError for a strange user or password."""
    if become is None:
        return Wrapped(portable(command))
    if not become.user or become.user.startswith("-") or not become.user.isprintable():
        raise ValueError(f"`{printable(become.user)}` is not a user name")
    if become.password is not None and b"\n" in become.password.reveal():
        raise ValueError("the password to become another user has a line break in it")
    mark = f"vtsconf-{token}"
    inner = portable(f"echo {mark}; {command}")
    user = shlex.quote(become.user)
    match become.method, become.password:
        case "sudo", None:
            return Wrapped(portable(f"LC_ALL=C sudo -H -n -u {user} -- {inner}"), mark.encode())
        case "sudo", _:
            prompt = f"ask-{token}:"
            line = f"LC_ALL=C sudo -H -S -p {prompt} -u {user} -- {inner}"
            return Wrapped(portable(line), mark.encode(), prompt.encode())
        case "su", _:
            line = f"LC_ALL=C su {user} -c {shlex.quote(inner)}"
            return Wrapped(portable(line), mark.encode(), b": ")
        case method, _:
            raise ValueError(f"`{printable(method)}` is not a way to become another user (sudo, su)")


def refusal(become: Become, stderr: bytes) -> tuple[str, str]:
    """What sudo or su meant when the command did not start: one sentence and the remedy."""
    text = stderr.decode(errors="replace").casefold()
    who = f"cannot become `{printable(become.user)}` with {become.method}"
    for words, reason, remedy in _REFUSALS:
        if any(w in text for w in words):
            return f"{who}: {reason}", remedy
    said = printable(stderr) or "it said nothing"
    return f"{who}: {said}", "try it by hand on the server"


_REFUSALS = (
    (
        ("must have a tty", "no tty present", "must be run from a terminal", "terminal is required"),
        "it wants a terminal (requiretty, or a password that was not given)",
        "set ansible_become_password, or `Defaults:USER !requiretty` in sudoers",
    ),
    (
        ("a password is required", "no password was provided"),
        "it asks for a password and none was given",
        "set ansible_become_password to a secret://… reference, or allow it in sudoers with NOPASSWD",
    ),
    (
        (
            "incorrect password",
            "authentication failure",
            "sorry, try again",
            "permission denied",
            "su: sorry",
        ),
        "the password is wrong, or the account may not do it",
        "correct ansible_become_password",
    ),
    (
        ("is not in the sudoers", "not allowed to", "may not run sudo"),
        "the account is not allowed to",
        "add it to sudoers on the server, or set ansible_become_user or ansible_user",
    ),
    (
        ("unknown user", "does not exist", "no passwd entry", "user not found"),
        "there is no such user on the server",
        "correct ansible_become_user",
    ),
    (
        ("not found", "no such file"),
        "the program is not there",
        "install it, set ansible_become_method to sudo or su, or log in as that user",
    ),
)

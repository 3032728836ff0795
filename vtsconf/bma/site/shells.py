"""Where a command hands its words or its input to a shell, which would read what is filled in there once more. Pure.

A tape's name may hold `;` and `$(…)`. So a placeholder may stand only where a shell takes it for a value: behind the script,
among the script's own words. What is not understood (an option that is not known here) is taken for the worst.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vtsconf.bma.site.placeholders import names
from vtsconf.bma.words import parts

_SHELLS = {"sh", "bash", "rbash", "dash", "ash", "ksh", "mksh", "pdksh", "zsh", "yash", "fish", "csh", "tcsh"}
_SWITCHES = {"su", "runuser", "flock"}  # they hand the word behind -c to a shell
_JOINS = {"ssh", "rsh", "remsh", "eval"}  # they make one text of all words, for a shell to read
_CODES = {"python", "perl", "ruby", "awk", "gawk", "mawk", "tclsh", "expect", "node", "php", "lua"}
_PLAIN = re.compile(r"[-+][abcefhkmnpuvxBCEHPT]+")  # options of shells that take no word behind them
_COMMAND = re.compile(r"-[a-zA-Z]*c|--command")


def read_again(words: Sequence[str], stdin: str) -> str:
    """The first text with a placeholder that a shell or another interpreter would read once more; "" when there is none."""
    for at, word in enumerate(words):
        program, rest = _program(word), words[at + 1 :]
        if program in _JOINS or (program == "env" and any(re.match(r"-\w*S|--split", w) for w in rest)):
            return _filled([*rest, stdin])
        if program in _SHELLS:
            return _by_shell(rest, stdin)
        if program in _SWITCHES:
            return _by_switch(rest, stdin)
        if program in _CODES:
            return _by_code(rest, stdin)
    return ""


def _by_shell(rest: Sequence[str], stdin: str) -> str:
    at, is_command, is_stdin = 0, False, False
    while at < len(rest) and _PLAIN.fullmatch(rest[at]):
        is_command |= "c" in rest[at]
        at += 1
    if at < len(rest) and re.fullmatch(r"-?-", rest[at]):
        at += 1
    elif at < len(rest) and rest[at][:1] in {"-", "+"}:
        is_stdin = True  # -s, or what is not known here
    if is_stdin or at == len(rest):
        return _filled([*rest, stdin])
    script, values = rest[at], rest[at + 1 :]
    return _filled(rest[: at + 1]) or _in_script(script if is_command else "", values, stdin)


def _by_switch(rest: Sequence[str], stdin: str) -> str:
    """`su [USER] -c SCRIPT [WORD…]`; without -c, `su` starts a shell that reads its input, and `flock` the words themselves."""
    at = next((n for n, word in enumerate(rest) if _COMMAND.fullmatch(word)), None)
    if at is None:
        joined = [word for word in rest if re.match(r"-\w*c|--c", word)]
        return _filled([*joined, stdin]) or read_again(rest, stdin)
    values = rest[at + 2 :]
    again = values if any(re.match(r"-\w*c|--c", word) for word in values) else ()
    return _filled([*rest[: at + 2], *again]) or _in_script("".join(rest[at + 1 : at + 2]), values, stdin)


def _by_code(rest: Sequence[str], stdin: str) -> str:
    """Other languages: the code behind -c or -e, awk's first word, and the input where there is nothing else to read."""
    code = [rest[n + 1] for n, word in enumerate(rest[:-1]) if re.fullmatch(r"-\w*[ceEr]", word)]
    first = next((word for word in rest if not word.startswith("-")), "")
    return _filled([*code, first if not code else "", "" if first else stdin])


def _in_script(script: str, values: Sequence[str], stdin: str) -> str:
    """A script may hand its words on: to `eval`, to another shell, or as a whole command (`exec "$@"`)."""
    inner = [_program(part) for part in parts(script)]
    if any(part in _JOINS for part in inner):
        return _filled([*values, stdin])
    if any(part in _SHELLS | _SWITCHES for part in inner):
        return _filled([*values, stdin]) if re.search(r"\s-\w*c\b", script) else _filled([stdin])
    return read_again(values[1:], "")


def _filled(texts: Sequence[str]) -> str:
    return next((text for text in texts if names(text)), "")


def _program(word: str) -> str:
    """`/usr/bin/python3.11` is python."""
    return re.sub(r"[-.0-9]+$", "", word.rpartition("/")[2])

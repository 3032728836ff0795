"""What an answer means: a no only where the question was really asked and the answer is no; a yes only where it is yes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from vtsconf.core.printable import printable
from vtsconf.core.probe import QuerySeen
from vtsconf.core.rollout.gate import Question, Verdict

SHOWN = 64 * 1024  # bytes of an output that are kept; one as long as this was cut
_SAID = 160  # characters of it in a reason
HIDDEN = b"[not shown]"

Ruling = tuple[Verdict, str]  # with the reason
Secrets = Callable[[], Collection[bytes]]  # asked only where foreign output is shown


def unsure(reason: str) -> Ruling:
    return Verdict.INCONCLUSIVE, reason


def judge(question: Question, seen: QuerySeen | None, secrets: Secrets = tuple) -> Ruling:
    """What a command's end says. None of `secrets`, and nothing that looks like one, is in the reason."""
    if seen is None:
        return unsure("it was not asked: the server left it unanswered")
    if seen.exit is None:
        return unsure(f"it did not end within {question.timeout} s, and was ended{_said(seen, secrets)}")
    if why := _never_ran(question, seen.exit):
        return unsure(f"{why}{_said(seen, secrets)}")
    if seen.exit in question.unsure:
        return unsure(f"exit {seen.exit}, which means: ask again later{_said(seen, secrets)}")
    if question.exit_counts and seen.exit != 0:
        return Verdict.FAIL, f"exit {seen.exit}{_said(seen, secrets)}"
    return _by_pattern(question, seen, secrets)


def _by_pattern(question: Question, seen: QuerySeen, secrets: Secrets) -> Ruling:
    if not question.pattern:
        return (Verdict.PASS, "exit 0") if question.exit_counts else unsure("neither exit nor output counts")
    try:
        found = re.search(question.pattern, _text(seen), re.MULTILINE)
    except re.error as error:
        return unsure(f"its pattern is no regular expression: {error}")
    if found:
        return Verdict.PASS, f"exit {seen.exit}, and the output is as wanted"
    if len(seen.stdout) >= SHOWN:
        return unsure(
            f"the first {SHOWN // 1024} KiB of its output do not match `{printable(question.pattern, 60)}`"
        )
    wanted = f"its output does not match `{printable(question.pattern, 60)}`"
    return Verdict.FAIL, f"exit {seen.exit}, and {wanted}{_said(seen, secrets)}"


def _never_ran(question: Question, code: int) -> str:
    """Why the exit code says nothing about the server; "" when it does."""
    program = printable(_program(question.argv), 80)
    match code:
        case 127:
            return f"`{program}` was not found (exit 127)"
        case 126:
            return f"`{program}` could not be executed (exit 126)"
        case 125:
            return f"`{program}` could not be started (exit 125)"
    if 128 < code <= 192:
        return f"`{program}` was ended by signal {code - 128}"
    return "its exit code could not be read" if code < 0 else ""


def _program(argv: tuple[str, ...]) -> str:
    return next((word for word in argv if word != "env" and "=" not in word), "")


def _text(seen: QuerySeen) -> str:
    return f"{seen.text}\n{seen.stderr.decode(errors='replace')}"


def _said(seen: QuerySeen, secrets: Secrets) -> str:
    """What it printed, for a reason; "" when it printed nothing."""
    printed = seen.stdout.strip() or seen.stderr.strip()
    return f", said: {quoted(printed, secrets, _SAID)}" if printed else ""


def quoted(said: bytes, secrets: Secrets, limit: int) -> str:
    """Foreign output in one line of at most `limit` characters, without what may not be shown."""
    from vtsconf.core.report.redaction import sentence

    for secret in sorted(filter(None, secrets()), key=len, reverse=True):
        said = said.replace(secret, HIDDEN)
    return printable(sentence(said[: limit * 16].decode(errors="backslashreplace")), limit)

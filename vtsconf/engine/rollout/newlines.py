"""The event-log gate: where a log ends before the change, and which lines of errors came after; read on the server.

Timestamps are of the server's locale, so nothing compares times. A mark is "INODE SIZE SUM", SUM being `cksum` of the last
4 KiB before the end: the same file, only longer, is told from a new one even where the inode was used again. Only whole
lines count: one that is half written when the mark is made is judged later, whole, and once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vtsconf.core.eventlog import select
from vtsconf.core.probe import Query, QuerySeen
from vtsconf.core.rollout.gate import Question, Verdict
from vtsconf.core.rollout.judge import Ruling, Secrets, quoted, unsure
from vtsconf.engine.oneline import program

MARK_TIMEOUT = 20  # seconds
MOST = 256 * 1024 * 1024  # bytes of new lines that are looked through
_MARK = re.compile(r"absent|[0-9]{1,20} [0-9]{1,18} [0-9]{1,10}")


# $1 the log. Then "$now" is its inode and size, "$is" and "$end".
_OPEN = r"""
LC_ALL=C; export LC_ALL; p=$1; shift; d=${p%/*}; d=${d:-/};
if [ ! -e "$p" ]; then if [ -x "$d" ]; then echo absent; else echo hidden; fi; exit 0; fi;
[ -f "$p" ] || { echo special; exit 0; };
[ -r "$p" ] || { echo unreadable; exit 0; };
now=$(stat -L -c "%i %s" -- "$p"); is=${now% *}; end=${now#* };
# FROM BYTES: that part of the log; `tail` may be cut off by `head`, and is not to complain
part() { tail -c "+$(($1 + 1))" -- "$p" 2>/dev/null | head -c "$2"; };
# SIZE: a sum of the last 4 KiB before it
sum() { w=$1; [ "$w" -le 4096 ] || w=4096; s=$(part "$(($1 - w))" "$w" | cksum); echo "${s%% *}"; };
"""
_MARKING = program(_OPEN + 'echo "mark $now $(sum "$end")"')

# INODE SIZE SUM of the mark ("absent 0 0"), MOST, the two patterns, then `-e PATTERN` of what is ignored.
_LOOKING = program(
    _OPEN
    + r"""
was=$1; size=$2; sum=$3; most=$4; has=$5; but=$6; shift 6;
for e in "$has" "$but"; do grep -E -e "$e" </dev/null >/dev/null; [ $? -eq 1 ] || { echo grep; exit 0; }; done;
grep -E "$@" </dev/null >/dev/null 2>&1; [ $? -eq 1 ] || { echo pattern; exit 0; };
pick() { tr "\000" "?" | grep -E -i -e "$has" | grep -E -i -v -e "$but" | grep -E -v "$@"; };
# SIZE: how many of the bytes before it are whole lines
whole() {
w=$1; [ "$w" -le 65536 ] || w=65536; n=0;
[ -z "$(part "$(($1 - w))" "$w" | tail -c 1 | tr "\000" "?")" ] || n=$(part "$(($1 - w))" "$w" | tail -n 1 | wc -c);
echo "$(($1 - n))"; };
how=rotated; from=0; to=$(whole "$end");
if [ "$was" = absent ]; then how=made;
elif [ "$is" = "$was" ] && [ "$end" -ge "$size" ] && [ "$(sum "$size")" = "$sum" ]; then
how=same; from=$(whole "$size");
if [ "$end" -eq "$size" ]; then to=$from; end=$from; fi;
[ "$to" -ge "$from" ] || to=$from;
fi;
n=$((to - from)); cut=whole; [ "$n" -le "$most" ] || { n=$most; cut=cut; };
[ "$(part "$from" "$n" | wc -c)" -eq "$n" ] || { echo lost; exit 0; };
echo "log $how $cut";
# one line more than there are, so that there is a count even of nothing
{ part "$from" "$n" | pick "$@"; echo; } | cut -b 1-1000 | sed -n -e "1,5s/^/>/p" -e "$"=;
h=$((end - to)); [ "$h" -le 4096 ] || h=4096;
[ "$h" -eq 0 ] || [ -z "$(part "$to" "$h" | pick "$@")" ] || echo half;
then=$(stat -L -c "%i %s" -- "$p" 2>/dev/null);
if [ "${then% *}" = "$is" ] && [ "${then#* }" -ge "${now#* }" ]; then echo end; else echo moved; fi
"""
)


def marking(question: Question) -> Query:
    """Asks where the log ends."""
    return Query(question.gate, (*_MARKING, question.argv[0]), MARK_TIMEOUT)


def mark_of(seen: QuerySeen | None) -> str:
    """The mark, "absent" where there is no log, "" where it could not be had."""
    said = seen.text if seen and seen.exit == 0 else ""
    mark = said.removeprefix("mark ")
    return mark if _MARK.fullmatch(mark) else ""


def looking(question: Question, mark: str) -> Query | Ruling:
    """Asks for new lines of errors; or why that cannot be asked."""
    if not _MARK.fullmatch(mark):
        return unsure(
            "where the log ended before the change is not known, so new lines cannot be told from old ones"
        )
    path, *words = question.argv
    at = words.index("--") if "--" in words else len(words)
    try:
        wanted = select(words[:at])
    except ValueError as error:
        return unsure(f"what counts as an error is not known: {error}")
    ignored = [part for pattern in words[at + 1 :] or ["^$"] for part in ("-e", pattern)]
    was = mark.split(" ") if mark != "absent" else ["absent", "0", "0"]
    argv = (*_LOOKING, path, *was, str(MOST), wanted.has, wanted.but, *ignored)
    return Query(question.gate, argv, question.timeout)


_NO_LOG = {
    "absent": "there is no event log {path}",
    "hidden": "{path} cannot be seen: its folder is not there, or may not be searched by this user",
    "special": "{path} is not a file",
    "unreadable": "{path} may not be read by this user",
    "grep": "grep on this server does not understand our patterns",
    "pattern": "a pattern of `ignore` is no extended regular expression",
    "lost": "{path} could not be read to its end",
}


def judge_lines(question: Question, seen: QuerySeen | None, secrets: Secrets = tuple) -> Ruling:
    """What the new lines mean. An error that was seen is a no, whatever was not seen; a yes needs to have seen all."""
    path = question.argv[0]
    if seen is None:
        return unsure("it was not asked: the server left it unanswered")
    if seen.exit is None:
        return unsure(f"{path} was not read within {question.timeout} s")
    said = seen.stdout.strip(b"\n")
    if seen.exit == 0 and (why := _NO_LOG.get(said.decode(errors="replace"))):
        return unsure(why.format(path=path))
    found = _Found.of(said) if seen.exit == 0 else None
    if found is None:
        return unsure(f"the server's answer makes no sense (exit {seen.exit}): {quoted(said, secrets, 160)}")
    return _ruling(found, path, " or ".join(_severities(question)), secrets)


def _ruling(found: _Found, path: str, names: str, secrets: Secrets) -> Ruling:
    if found.count:
        lines = f"{found.count} new lines" if found.count > 1 else "1 new line"
        first = quoted(found.first, secrets, 300)
        return Verdict.FAIL, f"{lines} of {names} in {path}{', the first' * (found.count > 1)}: {first}"
    if why := found.unseen(path):
        return unsure(f"no new line of {names} was seen, but {why}")
    since = "; the log was made since the change" if found.how == "made" else ""
    return Verdict.PASS, f"no new line of {names} in {path}{since}"


def _severities(question: Question) -> list[str]:
    words = question.argv[1:]
    return list(words[: words.index("--")] if "--" in words else words)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What the server said; `count` lines, the first of them in full or nearly so."""

    how: str  # the log is the "same", was "made" since, or "rotated"
    cut: bool
    count: int
    first: bytes
    half: bool  # an error is just being written
    moved: bool  # the log was rotated while it was read

    @classmethod
    def of(cls, said: bytes) -> _Found | None:
        """None where it is not what our program says."""
        match = _ANSWER.fullmatch(said)
        if match is None:
            return None
        return cls(
            how=match["how"].decode(),
            cut=match["cut"] == b"cut",
            count=int(match["count"]) - 1,
            first=match["first"][1:].partition(b"\n")[0],
            half=bool(match["half"]),
            moved=match["end"] == b"moved",
        )

    def unseen(self, path: str) -> str:
        """Why there may be one all the same; "" when there is none."""
        if self.how == "rotated":
            return f"{path} was rotated or cut since the change, and the end of the old file was not seen"
        if self.moved:
            return f"{path} was rotated while it was read"
        if self.cut:
            return f"only the first {MOST // 1024**2} MiB of new lines were looked through"
        return "one is half written: ask again" if self.half else ""


_ANSWER = re.compile(
    rb"log (?P<how>same|made|rotated) (?P<cut>whole|cut)\n"
    rb"(?P<first>(?:>[^\n]*\n){1,5})(?P<count>[0-9]{1,12})\n(?P<half>half\n)?(?P<end>end|moved)"
)

"""What is new in a server's event log since a mark, over any number of rotations; asked in one exec.

A file over 10 KB is renamed LOG.N.gz at 04:00, and 7 or 30 of them are kept [6.03.41 Ops p.104; 6.03.42 Ops p.123]. That
N counts up with a file's age, that the new one may be unpacked for a while (LOG.N), and that times of change survive the
packing, is how such programs work: inferred. An inode does not survive it, and is soon used again; so a mark knows the
place by the text before it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vtsconf.core.probe import Query, QuerySeen
from vtsconf.engine.oneline import program

MOST = 48 * 1024  # bytes of news that are taken at once; the rest comes with the next look
NEAR = 4096  # bytes before a mark by which its place is known again

# $1 the log; the mark's $2 inode ("": none yet), $3 offset, $4 width and $5 sum of the text before it; $6 and $7 the most
# bytes of news and of the text before them. Answers one word where there is nothing to say, else a line, the text before
# the place, the news, and "end" (or "moved": it was rotated meanwhile). The line: what it is (start: nothing was read yet;
# same: the log; old: a rotated one), "gap" where lines may be lost, inode, offset, width, a sum of the file's first line.
_NEWS = program(
    r"""
LC_ALL=C; export LC_ALL; p=$1; was=$2; from=$3; width=$4; sum=$5; most=$6; near=$7; b=${p##*/}; d=${p%/*};
{ [ -f "$p" ] && [ -r "$p" ] && cd -- "${d:-/}"; } 2>/dev/null || { echo none; exit 0; };
now=$(stat -L -c "%i %s" -- "$b"); is=${now% *}; end=${now#* };
# FILE: its text; false where it cannot be read to its end
text() { case $1 in *.gz) gzip -dc <"$1" ;; *) cat <"$1" ;; esac; } 2>/dev/null;
# FILE FROM BYTES: that part of it; of a file that is not packed nothing before it is read
part() { case $1 in *.gz) text "$1" | tail -c "+$(($2 + 1))" ;; *) tail -c "+$(($2 + 1))" -- "$1" ;; esac 2>/dev/null | head -c "$3"; };
has() { [ "$(part "$1" "$2" 1 | wc -c)" -gt 0 ]; };
# FILE INODE: the mark is in this one. One without a text before it has only its inode.
fits() { if [ "$width" -gt 0 ]; then s=$(part "$1" "$((from - width))" "$width" | sha256sum); [ "${s%% *}" = "$sum" ];
else [ "$2" = "$was" ] && { [ "$from" -eq 0 ] || has "$1" "$((from - 1))"; }; fi; };
# The rotated files as NAME:INODE, the newest first. While one is being packed it is there twice: the packed one is half.
list() { stat -L -c "%Y %n %i" -- "$b".[0-9]* 2>/dev/null | while read -r t n i; do k=${n#"$b".}; k=${k%.gz};
case $k in *[!0-9]*) continue ;; esac; case $n in *.gz) [ ! -e "${n%.gz}" ] || continue ;; esac;
[ ! -f "$n" ] || echo "$t $k $n:$i"; done | sort -k1,1nr -k2,2n | while read -r t k n; do echo "$n"; done; };
# A log that holds nothing has no text to be known by: then it begins after the one before it.
kind=same; gap=whole; listed=; old=; newer=; walked=; at=$b:$is;
if [ -z "$was" ]; then kind=start; from=$end; most=0;
if [ "$end" -eq 0 ]; then listed=y; old=$(list); for one in $old; do kind=old; at=$one; from=$(($(text "${one%:*}" | wc -c))); break; done; fi;
elif [ "$is" != "$was" ] || ! fits "$b" "$is"; then
listed=y; old=$(list); newer=$at; at=;
for one in $old; do if fits "${one%:*}" "${one##*:}"; then at=$one; break; fi; newer="$one $newer"; done;
if [ -z "$at" ]; then at=$b:$is; newer=; fits "$b" "$is" || { gap=gap; from=0; }; fi;
fi;
set -- $newer;
while ! has "${at%:*}" "$from" && [ $# -gt 0 ]; do
text "${at%:*}" >/dev/null || gap=gap; at=$1; from=0; walked=y; shift; done;
f=${at%:*}; [ -z "$walked" ] || has "$f" "$from" || { echo quiet; exit 0; };
[ "$f" = "$b" ] || kind=old; width=$from; [ "$width" -le "$near" ] || width=$near;
first=$(part "$f" 0 "$near" | head -n 1 | sha256sum);
echo "$kind $gap ${at##*:} $from $width ${first%% *}"; part "$f" "$((from - width))" "$((width + most))"; echo;
now=$(stat -L -c "%i %s" -- "$b" 2>/dev/null);
if [ "${now% *}" = "$is" ] && [ "${now#* }" -ge "$end" ] && { [ -z "$listed" ] || [ "$(list)" = "$old" ]; }; then echo end; else echo moved; fi
"""
)
_ANSWER = re.compile(
    rb"(?P<kind>start|same|old) (?P<gap>gap|whole) (?P<inode>[0-9]{1,20}) (?P<offset>[0-9]{1,18}) (?P<width>[0-9]{1,9})"
    rb" (?P<first>[0-9a-f]{64})\n(?P<data>.*)\nend\n?",
    re.DOTALL,
)
_MARK = re.compile(
    r"(?P<inode>[0-9]{1,20}) (?P<offset>[0-9]{1,18})(?: (?P<width>[0-9]{1,9}) (?P<sum>[0-9a-f]{64}|-) (?P<at>[0-9]{1,12}))?"
)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Everything before `offset` of one file was read; the text before it, `width` bytes, has this SHA-256.

    `at`: when that was, in seconds since 1970. A mark of earlier versions, "INODE OFFSET", knows neither.
    """

    inode: int
    offset: int
    width: int = 0
    sum: str = "-"
    at: int = 0

    @classmethod
    def of(cls, text: str) -> Mark:
        """What is no mark is one that fits nowhere: then people are told, and nothing is passed over unsaid."""
        match = _MARK.fullmatch(text)
        if match is None:
            return cls(inode=0, offset=0)
        numbers = {name: int(match[name] or 0) for name in ("inode", "offset", "width", "at")}
        return cls(**numbers, sum=match["sum"] or "-")

    @classmethod
    def after(cls, text: bytes, *, inode: int, offset: int, at: int) -> Mark:
        """The mark at `offset`, where `text` is what stands before it, or its end."""
        near = text[-NEAR:]
        digest = hashlib.sha256(near).hexdigest() if near else "-"
        return cls(inode=inode, offset=offset, width=len(near), sum=digest, at=at)

    def __str__(self) -> str:
        return f"{self.inode} {self.offset} {self.width} {self.sum} {self.at}"


@dataclass(frozen=True, kw_only=True)
class News:
    """New whole lines with their offsets in their file, and the mark after them.

    `log` names the file, however it is called, packed or not; `gap`: what stood between the old mark and the first of
    these lines may be lost.
    """

    lines: tuple[tuple[int, bytes], ...] = ()
    mark: str = ""
    log: str = ""
    gap: bool = False


def question(path: str, mark: str) -> Query:
    """What is asked of a server."""
    if mark:
        was = Mark.of(mark)
        known = (str(was.inode), str(was.offset), str(was.width), was.sum)
    else:
        known = ("", "0", "0", "-")
    return Query("news", (*_NEWS, path, *known, str(MOST), str(NEAR)), 60)


def news_of(seen: QuerySeen | None, mark: str, now: int = 0) -> News:
    """What the answer tells; no news and the old mark where it makes no sense, or the log was rotated meanwhile."""
    match = _ANSWER.fullmatch(seen.stdout) if seen and seen.exit == 0 else None
    width = int(match["width"]) if match else 0
    if match is None or len(match["data"]) < width:
        return News(mark=mark)
    inode, offset, gap = int(match["inode"]), int(match["offset"]), match["gap"] == b"gap"
    before, data = match["data"][:width], match["data"][width:]
    if not mark:
        before = before if match["kind"] == b"old" else _whole(before)
        offset -= width - len(before)
        return News(mark=str(Mark.after(before, inode=inode, offset=offset, at=now)))
    end = _end(data, rotated=match["kind"] == b"old")
    if end or gap:
        new = Mark.after(before + data[:end], inode=inode, offset=offset + end, at=now)
        mark = str(new)
    lines = tuple(_lines(before, data[:end], offset))
    return News(lines=lines, mark=mark, log=match["first"].decode(), gap=gap)


def _whole(text: bytes) -> bytes:
    """Without a last line that is still being written; where all of it is one, all of it."""
    return text[: text.rfind(b"\n") + 1] or text


def _end(data: bytes, *, rotated: bool) -> int:
    """How much of it is whole lines. The last line of a rotated log is whole as it is; no line is as long as `MOST`."""
    end = data.rfind(b"\n") + 1
    return len(data) if end == 0 and (rotated or len(data) >= MOST) else end


def _lines(before: bytes, data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """Each line with its offset. What begins in the middle of a line is none: its beginning was passed over."""
    fragment = bool(before) and not before.endswith(b"\n")
    if len(data) >= MOST and b"\n" not in data:
        return
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else ()):
        if number or not fragment:
            yield offset, line
        offset += len(line) + 1

"""The answer of `dsmc query archive -detail` and `query backup -detail`, read strictly: what is not a whole row is none.

The row of an archive is known from endit; that of a backup version (its class and A or I before the path) is general knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vtsconf.bma.contract import Located
from vtsconf.bma.judging import LONGEST, NUMBER

ROW = (
    rf" *(?:(?P<size>{NUMBER})  ?B|[\d,.]+ +[KMGTP]B) +(?P<when>\d{{4}}-\d\d-\d\d +\d\d:\d\d:\d\d) +"
    r"(?P<rest>(?=.*RetInit:\w)/.* +(?:Never|\d{4}-\d\d-\d\d) .*RetInit:\w+.*|\S+ +[AI] +/.*)"
)
_ROW = re.compile(ROW)
_VERSION = re.compile(r"\S+ +[AI] +(?P<path>/.*)")
_VOLUME = re.compile(r" *Media Class: .*\bVolume ID: *(?P<volume>\w+)")


def copies(text: str, paths: Sequence[str], token: str) -> Iterator[Located]:
    """The rows about `paths`, in the order of the answer. The size is exact where its unit is B, else None [endit]."""
    lines = text.split("\n")[:-1]  # what follows the last line's end was cut
    for number, line in enumerate(lines):
        row = _ROW.fullmatch(line.rstrip("\r")) if len(line) <= LONGEST else None
        if row is None:
            continue
        if found := _of(row, paths, token):
            path, of_token, expires = found
            yield Located(
                path=path,
                size=None if row["size"] is None else int(row["size"].replace(",", "")),
                token=of_token,
                when=re.sub(" +", " ", row["when"]),
                media=_volume(lines[number + 1 : number + 6]),
                expires=expires,
            )


def _of(row: re.Match[str], paths: Sequence[str], token: str) -> tuple[str, str, str] | None:
    """Path, token and expiry of a row; a path may hold blanks, so it is compared and not cut out."""
    if version := _VERSION.fullmatch(row["rest"]):
        path = version["path"].rstrip(" ")
        return (path, "", "") if path in paths else None
    # Dates of the expiry come in the format that was asked for: 2033-04-01.
    mark = re.escape(token) if token else ".*?"
    ends = rf" +(Never|\d{{4}}-\d\d-\d\d) +({mark}) +RetInit:\w+( .*)?"
    for path in paths:
        if row["rest"].startswith(path + " ") and (end := re.fullmatch(ends, row["rest"][len(path) :])):
            return path, end[2], "" if end[1] == "Never" else end[1]
    return None


def _volume(lines: Sequence[str]) -> str:
    """Of the lines that belong to the row."""
    for line in lines:
        if _ROW.match(line):
            return ""
        if match := _VOLUME.match(line):
            return match["volume"]
    return ""

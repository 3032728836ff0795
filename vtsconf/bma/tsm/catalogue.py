"""The answer of `dsmc query archive -detail` and `query backup -detail`, read strictly: what is not a whole row is none.

The row of an archive is known from endit; that of a backup version (its class and A or I before the path) is general knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vtsconf.bma.contract import Located
from vtsconf.bma.judging import NUMBER, whole_lines

# Dates of the expiry come in the format that was asked for: 2033-04-01. The first one is looked for, and no other: with `.*` before
# it, a line of nothing but blanks or dates would be gone through once for each of them.
_EXPIRY = r"(?:Never|\d{4}-\d\d-\d\d) "
ROW = (
    rf" *(?:(?P<size>{NUMBER})  ?B|[\d,.]+ +[KMGTP]B) +(?P<when>\d{{4}}-\d\d-\d\d +\d\d:\d\d:\d\d) +"
    rf"(?P<rest>/(?:(?! {_EXPIRY}).)* {_EXPIRY}.*RetInit:\w.*|\S+ +[AI] +/.*)"
)
_ROW = re.compile(ROW)
_VERSION = re.compile(r"\S+ +[AI] +(?P<path>/.*)")
_VOLUME = re.compile(r" *Media Class: .*\bVolume ID: *(?P<volume>\w+)")


def copies(text: str, paths: Sequence[str], token: str) -> Iterator[Located]:
    """The rows about `paths`, in the order of the answer. The size is exact where its unit is B, else None [endit]."""
    lines = whole_lines(text)
    for number, line in enumerate(lines):
        row = _ROW.fullmatch(line)
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
    for path in paths:
        behind = row["rest"].removeprefix(path) if row["rest"].startswith(path + " ") else ""
        if (found := _archived(behind)) and token in ("", found[0]):
            return path, *found
    return None


def _archived(behind: str) -> tuple[str, str] | None:
    """Description and expiry, from what stands behind a path."""
    match = re.match(rf" +({_EXPIRY}) *", behind)
    mark, found, _ = f" {behind[match.end() :]}".partition(" RetInit:") if match else ("", "", "")
    if match is None or not found:
        return None
    return mark.strip(" "), match[1].strip(" ").replace("Never", "")


def _volume(lines: Sequence[str]) -> str:
    """Of the lines that belong to the row."""
    for line in lines:
        if _ROW.match(line):
            return ""
        if match := _VOLUME.match(line):
            return match["volume"]
    return ""

"""The answer of `mminfo -r "ssid,savetime(22),nfiles,totalsize,volume,pool"`, and of `nsrinfo` behind it (`asking`), read strictly.

The columns are general knowledge; that `nsrinfo` prints the exact name, one a line, is from sol-nsrinfo; that a comma and a date
may follow the name is general knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from vtsconf.bma.contract import Located
from vtsconf.bma.judging import whole_lines

REPORT = "ssid,savetime(22),nfiles,totalsize,volume,pool"
ROW = (
    r" *(?P<ssid>\d+) +(?P<when>\d\d/\d\d/\d\d(?:\d\d)? +\d\d?:\d\d:\d\d(?: +[AP]M)?) +"
    r"(?P<files>\d+) +(?:[\d.,]+ *[KMGTP]B|(?P<bytes>\d+)(?! +[KMGTP]B )) +(?P<volume>\S+) +\S.*"
)
_ROW = re.compile(ROW)
_INDEX = "= index "
UNNAMED = (
    "NetWorker's media database shows a copy under the mark, and not which tape it holds: use `type: save`, "
    "or set vts.bma.networker.witness to save_set"
)


class Answer(NamedTuple):
    """The rows of mminfo by save set, and what the file index says of each save time it was asked for."""

    was_asked: bool  # the file index
    is_whole: bool
    rows: Mapping[str, list[re.Match[str]]]
    names: Mapping[str, list[str]]


def read(text: str) -> Answer:
    """A save set on two volumes has two rows."""
    rows: dict[str, list[re.Match[str]]] = {}
    index: dict[str, list[str]] = {}
    names: list[str] = []
    lines = [line.rstrip(" ") for line in whole_lines(text)]
    for line in lines:
        if line.startswith(_INDEX):
            names = index.setdefault(line.removeprefix(_INDEX), [])
        elif line.startswith("| "):
            names.append(line.removeprefix("| "))
        elif row := _ROW.fullmatch(line):
            rows.setdefault(row["ssid"], []).append(row)
    was_asked = "= asked" in lines
    return Answer(was_asked, not was_asked or lines[-1] == "= end", rows, index)


def copies(text: str, paths: Sequence[str], token: str, *, needs_name: bool) -> Iterator[Located]:
    """One for each path and save set that holds as many files as were asked for.

    Its size is not that of the file: what the client writes around it counts too, so it is `stored`, and only where the save
    set is of one path. A path that the index was asked for and does not have is not in the save set. `needs_name`: a save set
    whose paths nobody has shown does not count.
    """
    answer = read(text)
    for parts in answer.rows.values() if answer.is_whole else ():
        first = parts[0]
        when = re.sub(" +", " ", first["when"])
        named = answer.names.get(when, [])
        for path in paths if int(first["files"][:9]) >= len(paths) else ():
            if answer.was_asked and not any(_names(line, path) for line in named):
                continue
            yield Located(
                path=path,
                token=token,
                when=when,
                media=" ".join(dict.fromkeys(part["volume"] for part in parts)),
                stored=int(first["bytes"]) if first["bytes"] and len(paths) == 1 else None,
                is_named=answer.was_asked,
                doubt=UNNAMED if needs_name and not answer.was_asked else "",
            )


def _names(line: str, path: str) -> bool:
    return line.rstrip() == path.rstrip() or line.startswith(f"{path}, ")

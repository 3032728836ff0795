"""The answer of `mminfo -r "ssid,savetime(22),nfiles,totalsize,volume,pool"`, read strictly; these columns are general knowledge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vtsconf.bma.contract import Located

REPORT = "ssid,savetime(22),nfiles,totalsize,volume,pool"
ROW = (
    r" *(?P<ssid>\d+) +(?P<when>\d\d/\d\d/\d\d(?:\d\d)? +\d\d?:\d\d:\d\d(?: +[AP]M)?) +"
    r"(?P<files>\d+) +(?:[\d.,]+ *[KMGTP]B|(?P<bytes>\d+)(?! +[KMGTP]B )) +(?P<volume>\S+) +\S.*"
)
_ROW = re.compile(ROW)


def copies(text: str, paths: Sequence[str], token: str) -> Iterator[Located]:
    """One for each path and save set that holds as many files as were asked for.

    A save set on two volumes has two rows. Its size is not that of the file: what the client writes around it counts too,
    so it is `stored`, and only where the save set is of one path.
    """
    rows: dict[str, list[re.Match[str]]] = {}
    for line in text.split("\n")[:-1]:  # what follows the last line's end was cut
        if row := _ROW.fullmatch(line.rstrip("\r ")):
            rows.setdefault(row["ssid"], []).append(row)
    for parts in rows.values():
        first = parts[0]
        if int(first["files"][:9]) < len(paths):
            continue
        for path in paths:
            yield Located(
                path=path,
                token=token,
                when=re.sub(" +", " ", first["when"]),
                media=" ".join(dict.fromkeys(part["volume"] for part in parts)),
                stored=int(first["bytes"]) if first["bytes"] and len(paths) == 1 else None,
            )

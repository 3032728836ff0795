"""The answer of `bplist -l -b`, read strictly. That it is like `ls -l` is from bplist-cn; the date's forms are general knowledge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vtsconf.bma.contract import Located
from vtsconf.bma.judging import whole_lines

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK = r"\d\d:\d\d(?::\d\d)?"
_DATE = (
    rf"(?:{_MONTHS}) +\d{{1,2}} +(?:\d{{4}} +)?(?:{_CLOCK}|\d{{4}})(?: +\d{{4}})?|\d\d/\d\d/\d{{4}} +{_CLOCK}"
)
ROW = rf"-[-rwxsStT]{{9}}\S? +\S+ +\S+ +(?:(?P<size>\d+)|[\d.,]+[KMGT]?) +(?P<when>{_DATE}) +(?P<path>/.*)"
_ROW = re.compile(ROW)


def copies(text: str, paths: Sequence[str], token: str) -> Iterator[Located]:
    """The rows about `paths`; they were asked for by the token. The size is exact where it is a plain number."""
    for line in whole_lines(text):
        row = _ROW.fullmatch(line)
        if row and row["path"] in paths:
            size = None if row["size"] is None else int(row["size"])
            yield Located(path=row["path"], size=size, token=token, when=re.sub(" +", " ", row["when"]))

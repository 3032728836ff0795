"""One thing that could erase data, and on what that is known."""

from __future__ import annotations

from dataclasses import dataclass

from vtsconf.core.problem import Level
from vtsconf.core.tree import Path

CLEANUP = "8.3 Config p.125"  # the rules of Scan/Cleanup
GUESS = "a guess by the name"
WORDS = "a guess by the words"


@dataclass(frozen=True, kw_only=True)
class Risk:
    """One thing that could erase data; `name` is the word by which it can be allowed."""

    name: str
    what: str
    why: str
    remedy: str = ""
    path: Path = ()
    address: str = ""
    level: Level = Level.ERROR
    source: str = CLEANUP

"""What a figure of the timeline consists of. Places and sizes are in the figure's own units."""

from __future__ import annotations

from dataclasses import dataclass, field

WIDTH = 800.0
LEFT = 158.0  # before it: names
RIGHT = 678.0  # behind it: outcomes in words
AXIS = 34.0  # the height of the time axis


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle. `look`: the class that says how it is filled; `says`: what it means."""

    x: float
    y: float
    width: float
    height: float
    look: str
    says: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A line of text; `anchor`: "start", "middle" or "end"."""

    x: float
    y: float
    text: str
    look: str = ""
    anchor: str = "start"
    says: str = ""  # the whole, where `text` is cut


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A sign at a moment. `sign`: "pass", "fail", "inconclusive", or a decision's name."""

    x: float
    y: float
    sign: str
    says: str


@dataclass(kw_only=True)
class Figure:
    """One picture; `title` and `about` are read out by a screen reader."""

    title: str
    about: str
    height: float = AXIS
    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


def cut(text: str, longest: int) -> str:
    """At most so many characters, the end kept: names of servers differ there."""
    if len(text) <= longest:
        return text
    keep = longest // 2
    return f"{text[: longest - keep - 1]}…{text[-keep:]}"

"""Reads a page as a browser would, as far as the tests ask: elements, attributes, and the text inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})


@dataclass(kw_only=True)
class Element:
    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, name: str = "", **wanted: str) -> Iterator[Element]:
        """Every element inside, of this name, with these words in its attributes (`class_` for class)."""
        for child in self.children:
            if isinstance(child, str):
                continue
            wants = {key.rstrip("_"): word for key, word in wanted.items()}
            if name in ("", child.name) and all(
                w in child.attributes.get(k, "").split() for k, w in wants.items()
            ):
                yield child
            yield from child.all(name, **wanted)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element(name="document", attributes={})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(name=tag, attributes={key: value or "" for key, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(name=tag, attributes={key: value or "" for key, value in attrs})
        self.open[-1].children.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> ends <{self.open[-1].name}> at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: str) -> Element:
    """The whole page; an element that is not ended where it should be is an AssertionError."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].name}> is not ended"
    return reader.open[0]


# What makes a browser ask for something, or do something.
FETCHING = frozenset(
    {"src", "href", "srcset", "action", "data", "poster", "background", "xlink:href", "ping", "formaction"}
)
ACTIVE = frozenset({"script", "iframe", "object", "embed", "form", "base", "frame", "audio", "video", "img", "image", "use", "foreignobject"})  # fmt: skip


def dangers(document: Element) -> list[str]:
    """What in a page could run, or ask for anything that is not inside it."""
    found = []
    for element in document.all():
        if element.name in ACTIVE:
            found.append(f"<{element.name}>")
        for key, word in element.attributes.items():
            is_outside = key in FETCHING and not word.startswith(("data:", "#"))
            if key.startswith("on") or is_outside or "url(" in word:
                found.append(f"<{element.name} {key}={word[:60]!r}>")
        if element.name == "style":
            found += [
                f"style: {piece[:60]}"
                for piece in element.text.split("url(")[1:]
                if not piece.startswith("#")
            ]
            found += [
                f"style: {word}"
                for word in ("@import", "@font-face", "image-set", "src:")
                if word in element.text
            ]
    return found

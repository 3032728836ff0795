"""Rendering text over a host's variables. jinja2 is known to this room alone, and loaded when first needed.

Templates are sandboxed and bounded: they reach plain data only, an undefined name is an error, and one that would
run or grow without end is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vtsconf.core.problem import Place, Problem

if TYPE_CHECKING:
    from vtsconf.core.templates.sandbox import Sandbox

MANAGED = "Managed by vtsconf: changes made by hand will be taken back"
Loader = Callable[[str], str | None]  # a template's text by its name, or None


class TemplateError(Exception):
    """A template cannot be rendered; `problem` says why and where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def is_template(text: str) -> bool:
    """Whether a text is to be rendered at all."""
    return "{{" in text or "{%" in text or "{#" in text


def is_name(name: str) -> bool:
    """Whether a template may be called so: a path that stays below the folder of templates."""
    return bool(name) and not name.startswith("/") and ".." not in name.split("/") and name.isprintable()


def render(template_text: str, name: str, variables: Mapping[str, Any], loader: Loader | None = None) -> str:
    """The text of a whole file. Secret references among the values come out as marks (core/content.py).

    `name` is how the template is called in messages; `loader` gives the templates that it includes or extends.
    Raises TemplateError.
    """
    return _sandbox(loader).text(template_text, {"managed": MANAGED, **variables}, Place(name))


def render_value(text: str, names: Mapping[str, Any], place: Place) -> Any:
    """A value with templates in it: text, or, where it is exactly one `{{ … }}`, whatever that is (plain data).

    Raises TemplateError.
    """
    return _sandbox(None).value(text, names, place)


@lru_cache(maxsize=8)
def _sandbox(loader: Loader | None) -> Sandbox:
    from vtsconf.core.templates.sandbox import Sandbox

    return Sandbox(loader)

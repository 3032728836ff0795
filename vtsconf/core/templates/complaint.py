"""What a person should hear of an error inside a template, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError

from vtsconf.core.problem import Place, Problem, suggestion
from vtsconf.core.templates.filters import FILTERS
from vtsconf.core.templates.meter import TooMuch


def complaint(error: Exception, place: Place, names: Mapping[str, Any], *, in_file: bool) -> Problem:
    """What a person should hear of an error inside a template."""
    what, remedy = _sentence(error, names)
    if in_file:
        place = _place_in_file(error, place)
    return Problem(what=what, remedy=remedy, code="template", place=place)


def _sentence(error: Exception, names: Mapping[str, Any]) -> tuple[str, str]:  # noqa: PLR0911 - one a kind of error
    said = str(error)[:200]
    match error:
        case TooMuch():
            return (
                f"the template is stopped: {said}",
                "make it smaller: a template has a budget of steps and characters",
            )
        case RecursionError():
            return "the template is nested too deep, or calls itself", "make it simpler"
        case SecurityError():
            return (
                f"a template may not do that: {said}",
                "templates reach plain values only; filters do the rest",
            )
        case jinja2.UndefinedError():
            name = said.split("'")[1] if said.startswith("'") and said.count("'") >= 2 else ""
            hint = suggestion(name, names) if name else ""
            return (
                f"in the template: {said}",
                hint or "define it, or give a default: {{ name | default('…') }}",
            )
        case jinja2.TemplateNotFound():
            return f"there is no template `{said}`", "put it into the project's templates folder"
        case jinja2.TemplateAssertionError() if "filter" in said:
            return f"in the template: {said}", f"there are: {', '.join(sorted(FILTERS))}"
        case jinja2.TemplateSyntaxError():
            return f"the template cannot be read: {said}", "see the Jinja template language"
        case _:
            return f"the template fails: {said or type(error).__name__}", ""


def _place_in_file(error: Exception, place: Place) -> Place:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return Place(error.name or place.file, error.lineno)
    trace, found = error.__traceback__, place
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            found = Place(template.name or place.file, template.get_corresponding_lineno(trace.tb_lineno))
        trace = trace.tb_next
    return found

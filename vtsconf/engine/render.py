"""Renders templates for a project: the site's own before the built-in ones; every failure is a problem with a place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from vtsconf.core.errors import Invalid
from vtsconf.core.problem import Problem
from vtsconf.engine.project import Project
from vtsconf.resources.build import Render


def renderer(project: Project) -> Render:
    """The function that turns a template's name and variables into text. It raises Invalid.

    To be shared by all hosts of a command: a template is read once.
    """
    template = cache(project.template)

    def render(name: str, variables: Mapping[str, Any]) -> str:
        from vtsconf.core import templates

        text = template(name)
        if text is None:
            raise Invalid(
                [
                    Problem(
                        what=f"there is no template `{name}`",
                        why="it is looked for in the project's templates/ and among the built-in ones",
                        remedy=f"write templates/{name}",
                        code="template",
                    )
                ]
            )
        try:
            return templates.render(text, f"templates/{name}", variables, project.template)
        except templates.TemplateError as error:
            raise Invalid([error.problem]) from error

    return render

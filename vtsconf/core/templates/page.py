"""A page of ours over hostile text: everything that is put in is escaped, and no control character gets through.

Not the sandbox in which a user's templates run: these templates are ours, and their data may be large.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2
from markupsafe import Markup

from vtsconf.core.printable import visible
from vtsconf.core.templates import Loader


def page(name: str, loader: Loader, data: Mapping[str, Any]) -> str:
    """The text of the template `name` over `data`. Errors of the template are bugs of ours."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
        loader=jinja2.FunctionLoader(loader),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return environment.get_template(name).render(data)


def _finalized(value: Any) -> Any:
    """Text as one can see it: control characters, marks of direction and half characters become escapes."""
    if isinstance(value, str) and not isinstance(value, Markup) and not value.isprintable():
        return visible(value)
    return value

"""The page: one HTML file that needs nothing else, made from the document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from vtsconf.core.report.view import view
from vtsconf.core.templates import Loader
from vtsconf.core.templates.page import page as render

TEMPLATE = "report/rollout.html.j2"


def page(document: Mapping[str, Any], loader: Loader, zone: tzinfo | None = None) -> str:
    """The text of the page, to be written as UTF-8. `loader` gives the templates; `zone` None: this machine's."""
    return render(TEMPLATE, loader, view(document, zone))

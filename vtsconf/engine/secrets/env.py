"""`secret://env/NAME`: an environment variable of the controller."""

from __future__ import annotations

import os
from pathlib import Path

from vtsconf.engine.secrets.provider import NotFound


def find(reference: str, project_root: Path) -> bytes:  # noqa: ARG001 - every provider is given the folder
    """The variable's value."""
    value = (
        os.environb.get(os.fsencode(reference)) if "=" not in reference and "\0" not in reference else None
    )
    if value is None:
        raise NotFound(f"the environment variable {reference} is not set", remedy=f"export {reference}=…")
    return value

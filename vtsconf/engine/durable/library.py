"""The library under the engine: loaded late, kept quiet, and fed with JSON alone."""

from __future__ import annotations

import json
import logging
import threading
from types import ModuleType
from typing import Any

NAME = "vtsconf"  # of the application, in the library's tables
VERSION = "1"  # pinned: by default code that changes strands the work of yesterday


def warm() -> threading.Thread:
    """Begin to load it in the background, while something else is waited for."""
    thread = threading.Thread(target=dbos, name="warm", daemon=True)
    thread.start()
    return thread


def dbos() -> ModuleType:
    """The module, loaded on first use. It says nothing, not even about itself."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # else it writes to stderr
    logger.propagate = False
    import dbos as module

    return module


def as_json(value: Any) -> Any:
    """The value as it will be read back. Raises TypeError for what JSON cannot hold."""
    return json.loads(json.dumps(value))

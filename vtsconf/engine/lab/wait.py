"""Waiting until something holds."""

from __future__ import annotations

import time
from collections.abc import Callable

from vtsconf.core.errors import VtsconfError

LONGEST = 60.0  # seconds, for many servers on a busy machine


def wait_until(holds: Callable[[], bool], otherwise: str, *, seconds: float = LONGEST) -> None:
    """Raises VtsconfError, saying `otherwise`, when it does not come to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise VtsconfError(otherwise)
        time.sleep(0.02)

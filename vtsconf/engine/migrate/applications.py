"""The backup applications that a server's documents describe, ready to move tapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vtsconf import bma
from vtsconf.bma.contract import Migrator
from vtsconf.engine.prepare import Ready


def migrators(ready: Ready) -> Mapping[str, tuple[Migrator, Any]]:
    """By name, with their settings under `vts.bma`; those that cannot move tapes are left out."""
    found = {name: (bma.migrator(name, settings), settings) for name, settings in ready.vts.bma.items()}
    return {name: (migrator, settings) for name, (migrator, settings) in found.items() if migrator}

"""The backup applications (BMAs) that are known, each one module of this room, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from vtsconf.bma.application import Application
    from vtsconf.bma.contract import Migrator

# A new BMA is a new file and its name in this tuple.
NAMES = ("tsm", "netbackup", "networker", "bacula")


class _Applications(Mapping[str, "Application"]):
    def __getitem__(self, name: str) -> Application:
        if name not in NAMES:
            raise KeyError(name)
        return cast("Application", import_module(f"{__name__}.{name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


ALL: Mapping[str, Application] = _Applications()


def migrator(name: str) -> Migrator | None:
    """What moves tapes with this application; None when it is not known, or cannot."""
    application = ALL.get(name)
    return cast("Migrator", application) if hasattr(application, "archive") else None

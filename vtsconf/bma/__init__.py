"""The backup applications (BMAs) that are known, each one module of this room, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

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


def application_of(name: str, settings: Any) -> Application:
    """Whose settings these are: those of a BMA that the site has defined know it themselves."""
    return cast("Application", getattr(settings, "application", None) or ALL[name])


def migrator(name: str, settings: Any = None) -> Migrator | None:
    """What moves tapes with this application; None when it is not known, or cannot."""
    found = getattr(settings, "application", None) or ALL.get(name)
    return cast("Migrator", found) if hasattr(found, "archive") else None

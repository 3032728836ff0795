"""`secret://keyring/SERVICE/USER`: the desktop's or server's key ring, through the optional package keyring."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from vtsconf.engine.secrets.provider import NotFound


def find(reference: str, project_root: Path) -> bytes:  # noqa: ARG001 - every provider is given the folder
    """The password of a user of a service."""
    service, slash, user = reference.rpartition("/")
    if not slash or not service or not user:
        raise NotFound("a key ring's reference is SERVICE/USER")
    try:
        ring = import_module("keyring")
    except ImportError:
        raise NotFound(
            "the package keyring is not installed", remedy="pip install 'vtsconf[keyring]'"
        ) from None
    try:
        value = ring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - a key ring's back end may raise anything
        raise NotFound(
            f"the key ring failed: {type(error).__name__}", remedy="`keyring diagnose` tells more"
        ) from None
    if value is None:
        raise NotFound(f"the key ring has no `{user}` of `{service}`", remedy=f"keyring set {service} {user}")
    return str(value).encode()

"""What to do on a server: recorded in a plan, executed as it stands, reversible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from vtsconf.core.content import Content


@dataclass(frozen=True, kw_only=True)
class FileState:
    """A file before or after a step. None in its place means: no file."""

    content: Content | None  # None: bytes that are kept on the server only (they hold a secret)
    digest: str  # of the bytes: SHA-256, or keyed (`FingerprintKey.digest`) when `keyed`
    keyed: bool = False
    owner: str = ""  # "" = whoever we are there
    group: str = ""
    mode: str = "0644"
    kept: str = ""  # with content None: the run whose backup on the server has the bytes


@dataclass(frozen=True, kw_only=True)
class PutFile:
    """Make the file at `path` be `after` (None: absent), given that it is `before` now.

    `validate` is run on the staged file, "{}" standing for its path; exit 0 lets it pass.
    """

    step: Literal["put"] = "put"
    path: str
    before: FileState | None
    after: FileState | None
    validate: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()  # services, by name
    addresses: tuple[str, ...] = ()  # of the changes that it carries out


@dataclass(frozen=True, kw_only=True)
class RunCommand:
    """Run `run`, after `check` failed at planning and fails again now; `revert` takes it back."""

    step: Literal["run"] = "run"
    name: str
    check: tuple[str, ...]
    run: tuple[str, ...]
    revert: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    timeout: int = 120  # seconds, each
    undo: bool = False  # this is the reverse of such a step: `check` passes now, run `revert`


@dataclass(frozen=True, kw_only=True)
class Base:
    """What a path must still be for a plan to hold: "" digest = absent; "" owner = not compared."""

    path: str
    digest: str
    keyed: bool = False
    owner: str = ""
    group: str = ""
    mode: str = ""


@dataclass(frozen=True, kw_only=True)
class Service:
    """How a service is restarted and asked; no `restart` means that we cannot, and debt stays."""

    name: str
    restart: tuple[str, ...] = ()
    status: tuple[str, ...] = ()


Step = PutFile | RunCommand


def reverse(step: Step) -> Step:
    """The step that takes this one back. A validator speaks of new bytes only, so it is left out."""
    if isinstance(step, PutFile):
        return replace(step, before=step.after, after=step.before, validate=())
    return replace(step, undo=not step.undo)

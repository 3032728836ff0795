"""What must be there before a lab can be switched on: a fit folder, the names of its servers, their keys."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from vtsconf.core.errors import Usage
from vtsconf.engine.lab.home import Home, is_server_name

MOST = 200  # servers of one lab


def check_folder(home: Home) -> None:
    """Only a lab, an empty folder, or one that does not exist yet may become a lab."""
    if any(ord(c) < 32 or c in "'\"{}" for c in str(home.folder)):
        raise Usage(f"a lab cannot be in {str(home.folder)!r}: quotes and braces are in its name")
    if home.exists or not home.folder.exists():
        return
    if not home.folder.is_dir():
        raise Usage(f"{home.folder} is not a folder")
    if set(os.listdir(home.folder)) - {".lab"}:  # noqa: PTH208 names only
        raise Usage(
            f"{home.folder} is not empty and not a lab",
            remedy="give a folder that is empty or does not exist yet",
        )


def server_names(home: Home, servers: int | None, names: Sequence[str]) -> list[str]:
    """The names of all servers, those that exist first."""
    known = list(home.servers()) if home.exists else []
    if unfit := [name for name in names if not is_server_name(name)]:
        raise Usage(f"no server of a lab can be called {unfit[0][:100]!r}")
    if not names:
        counted = not known or all(name.removeprefix("vts").isdecimal() for name in known)
        names = [f"vts{n}" for n in range(1, (servers or len(known) or 3) + 1)] if counted else []
    wanted = list(dict.fromkeys([*known, *names]))
    if len(wanted) > MOST:
        raise Usage(f"a lab has at most {MOST} servers, and these are {len(wanted)}")
    return wanted


def create(home: Home, names: Sequence[str]) -> None:
    """The keys and the marker: everything that must be there before a server can be switched on."""
    from vtsconf.transport.sshd import create_key

    known: Mapping[str, int] = home.servers() if home.exists else {}
    home.host_keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in (home.user_key, *(home.host_keys / name for name in names)):
        if not path.exists():
            create_key(path)
    home.remember({name: known.get(name, 0) for name in names})

"""Debian's packages of Bacula, unpacked and not installed: no scripts run, no daemons start, any user can do it.

    python3 tests/real/bacula/packages.py      prints where they are; downloads them if they are nowhere yet (2 MB, a second)

Found in this order: BACULA_ROOT, what is installed, a folder in the user's cache. The tests call `root()` themselves;
`.ci/run` calls this file first, because only root may `apt-get update`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = (
    "bacula-common",
    "bacula-common-sqlite3",
    "bacula-console",
    "bacula-director",
    "bacula-director-sqlite3",
    "bacula-fd",
    "bacula-sd",
    # What they link, which a small machine may not have.
    "libacl1",
    "libcap2",
    "liblzo2-2",
    "libnsl2",
    "libsqlite3-0",
    "libtirpc3",
    "libwrap0",
)
_NEEDED = (
    "usr/sbin/bacula-dir",
    "usr/sbin/bacula-sd",
    "usr/sbin/bacula-fd",
    "usr/sbin/bconsole",
    "etc/bacula/scripts/disk-changer",
    "usr/share/bacula-director/make_sqlite3_tables",
)


def found() -> Path | None:
    """The tree that holds all of it; None where there is none yet."""
    named = os.environ.get("BACULA_ROOT")
    places = [Path(named)] if named else [Path("/"), _cache()]
    return next((place for place in places if all((place / file).exists() for file in _NEEDED)), None)


def root() -> Path:
    """The tree, downloaded if need be. Raises RuntimeError, saying what is missing."""
    return found() or _download(_cache())


def environment(tree: Path) -> dict[str, str]:
    """What a program of this tree needs to find its libraries."""
    if tree == Path("/"):
        return {}
    folders = [tree / "usr/lib/bacula", *tree.glob("usr/lib/*-linux-gnu"), *tree.glob("lib/*-linux-gnu")]
    return {"LD_LIBRARY_PATH": ":".join(map(str, folders))}


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "vtsconf" / "bacula"


def _download(place: Path) -> Path:
    """One process of many does it; it appears whole."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise RuntimeError("a real Bacula comes from Debian's packages, and there is no `apt-get` here")
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / "bacula.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if tree := found():
            return tree
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="bacula-") as scratch:
            debs, tree = Path(scratch) / "debs", Path(scratch) / "tree"
            debs.mkdir()
            _run("apt-get", "download", "-q", *PACKAGES, cwd=debs)
            for deb in sorted(debs.glob("*.deb")):
                _run("dpkg", "-x", str(deb), str(tree), cwd=debs)
            shutil.rmtree(place, ignore_errors=True)
            tree.rename(place)
    return place


def _run(*argv: str, cwd: Path) -> None:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(
            f"`{argv[0]} {argv[1]}` could not bring Bacula's packages: {done.stderr.strip()[-600:]}"
        )


if __name__ == "__main__":
    try:
        print(root())  # noqa: T201 it is a command
    except RuntimeError as error:
        sys.exit(str(error))

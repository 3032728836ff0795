"""A real PostgreSQL for the tests: its own port, directory and user; nothing on this machine changes.

    server = Postgres.start_new()
    server.fresh()                       # "postgresql://…": a new, empty database
    server.kill(); server.start()        # a crash: every process gone at once, the disk stays
    server.restart()                     # as an operator does it: every connection is cut
    server.stop()

It listens on a free port of 127.0.0.1, believes whoever connects there, and does not wait for the disk (a crash of its
processes loses nothing all the same; a crash of the machine would). PostgreSQL refuses root: started by root it runs as `postgres`
or `nobody`. Use the `postgres` fixture: one server for all tests of a process.

Needs `initdb` and `postgres` (Debian: postgresql) on PATH or below /usr/lib/postgresql, and `setpriv` (util-linux).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ADDRESS = "127.0.0.1"
_OWNER = "vtsconf"  # the database's own superuser
_PATIENCE = 60.0  # seconds; a machine under load starts slowly
_SETTINGS = {
    "listen_addresses": ADDRESS,
    "max_connections": "200",
    "shared_buffers": "32MB",
    "fsync": "off",
    "full_page_writes": "off",
    "log_min_messages": "warning",
}


def binaries() -> Path | None:
    """Where `postgres` and `initdb` are: on PATH, or the newest that Debian has installed."""
    on_path = shutil.which("postgres")
    found = [Path(on_path)] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version, reverse=True)
    return next((p.parent for p in found if (p.parent / "initdb").exists()), None)


def _version(program: Path) -> int:
    name = program.parent.parent.name
    return int(name) if name.isdigit() else 0


def missing() -> list[str]:
    """What this machine lacks for a real PostgreSQL, as words for a person."""
    lacks = [] if binaries() else ["`postgres`"]
    return lacks + ([] if shutil.which("setpriv") else ["`setpriv`"])


def require_postgres() -> None:
    """Skip on a laptop that lacks something; fail where CI is set."""
    lacks = missing()
    if not lacks:
        return
    sentence = f"a real PostgreSQL needs {', '.join(lacks)}: `apt-get install postgresql util-linux`"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def _user() -> pwd.struct_passwd | None:
    """Whom it runs as; None: as we do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("neither `postgres` nor `nobody` is a user of this machine")


@dataclass
class Postgres:
    """One server. `url` is its first database; every test takes a `fresh()` one."""

    directory: Path
    programs: Path
    port: int = 0
    _server: subprocess.Popen[bytes] | None = None
    _names: itertools.count[int] = field(default_factory=itertools.count)

    @classmethod
    def start_new(cls) -> Postgres:
        """Make an empty server and start it; about a second."""
        require_postgres()
        programs = binaries()
        assert programs
        directory = Path(tempfile.mkdtemp(prefix="vtsconf-pg-"))  # short: it holds a socket
        if user := _user():
            os.chown(directory, user.pw_uid, user.pw_gid)
        server = cls(directory=directory, programs=programs)
        server._initialise()
        server.start()
        return server

    @property
    def url(self) -> str:
        return self._url("postgres")

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def is_running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        name = f"test_{next(self._names)}"
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(f"create database {name}".encode())
        return self._url(name)

    def start(self) -> None:
        """Start it (again), on the same port once it has one; it takes connections when this returns."""
        if self.is_running:
            return
        for _ in range(5):
            port = self.port or _free_port()
            (self._data / "postmaster.pid").unlink(missing_ok=True)  # `kill` has seen them all gone
            self._server = self._spawn(port)
            if self._is_ready():
                self.port = port
                return
        raise RuntimeError(self.log.read_text())

    def kill(self) -> None:
        """A crash: all of its processes end at once."""
        if self._server is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._server.send_signal(signal.SIGSTOP)  # so that it starts no further ones
        family = [self._server.pid, *_children(self._server.pid)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.wait()
        _until(lambda: not any(_is_alive(pid) for pid in family), "a killed PostgreSQL lives on")
        self._server = None

    def restart(self) -> None:
        """Ask it to end, which cuts every connection, and start it again."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(_PATIENCE)
            self._server = None
        self.start()

    def stop(self) -> None:
        """End everything and delete the disk."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _url(self, database: str) -> str:
        return f"postgresql://{_OWNER}@{ADDRESS}:{self.port}/{database}"

    def _initialise(self) -> None:
        words = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", f"--username={_OWNER}")
        made = subprocess.run(
            [*_as_user(), str(self.programs / "initdb"), *words, str(self._data)],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb: {made.stdout}{made.stderr}")

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        settings = _SETTINGS | {"port": str(port), "unix_socket_directories": str(self.directory)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*_as_user(), str(self.programs / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    def _is_ready(self) -> bool:
        """It says so in the last line of its pid file. False: it ended, for instance over a port that is taken."""
        server, note = self._server, self._data / "postmaster.pid"
        assert server

        def said() -> bool:
            lines = note.read_text().splitlines() if note.exists() else []
            return server.poll() is not None or (len(lines) >= 8 and lines[7].strip() == "ready")

        _until(said, "PostgreSQL does not get ready")
        return server.poll() is None


def _as_user() -> list[str]:
    """It ends when we do, however that happens; and it is not root."""
    words = ["setpriv", "--pdeathsig", "QUIT"]
    if user := _user():
        words += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    return words


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            state = _state(int(entry.name))
            if state and int(state[1]) == parent:
                found.append(int(entry.name))
    return found


def _is_alive(pid: int) -> bool:
    state = _state(pid)
    return bool(state) and state[0] not in ("Z", "X")


def _state(pid: int) -> list[str]:
    """The words of /proc/PID/stat after the name: state, parent, …; none when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _until(holds, sentence: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(sentence)
        time.sleep(0.005)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])

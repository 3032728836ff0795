"""A real Bacula in one folder, on loopback, as any user: Director, storage daemon with a tape library, file daemon.

    bacula = Bacula.start_new(slots=8, tape_bytes=64_000_000)      # about 1.5 s
    bacula.place()                     # settings of the adapter and a folder for tapes: all that an executor needs
    bacula.kill("fd"); bacula.start("fd")
    bacula.flip(b"marker"), bacula.take_out("VT0001"), bacula.on_tape(b"marker"), bacula.archived(path)
    bacula.stop()

The library is Bacula's own `disk-changer`: two drives, slots with barcodes. The catalogue is SQLite, made here from the
packaged schema. Nothing outside the folder changes; several of them may run at once. Never connect to one of its ports without
speaking Bacula: it is logged as an alert into whatever job runs next.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.real.bacula import packages
from tests.real.bacula.configuration import ADDRESS, CLIENT, JOBS, RESTORE, VERIFY, Layout
from vtsconf.bma.bacula import Settings

DAEMONS = ("sd", "fd", "dir")
_PATIENCE = 60.0  # seconds; a machine under load starts slowly
_LONGEST = 90  # characters of the folder: Bacula's quoted strings end at 127


def require_bacula() -> Path:
    """The tree of its programs. Skips on a laptop that cannot get them; fails where CI is set."""
    try:
        return packages.root()
    except (RuntimeError, OSError) as error:
        sentence = f"a real Bacula is not to be had: {error}; try `python3 tests/real/bacula/packages.py`"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What an executor is told of a server with this Bacula: `settings` are those under `vts.bma.bacula`."""

    settings: Settings
    document: Mapping[str, object]  # the same, as YAML holds them
    pool: Path  # a folder for tapes, as the server sees it
    runs: Path  # where a run may have its directory


@dataclass
class Bacula:
    """One of them. Everything it owns is below `base`."""

    base: Path
    tree: Path
    slots: int
    tape_bytes: int
    connect_timeout: int = 30  # seconds that the Director tries to reach a daemon
    ports: tuple[int, int, int] = (0, 0, 0)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def start_new(cls, *, slots: int = 8, tape_bytes: int = 64_000_000, connect_timeout: int = 30) -> Bacula:
        """A new one with labelled tapes; it takes jobs when this returns."""
        tree = require_bacula()
        base = Path(tempfile.mkdtemp(prefix="bac-"))
        assert len(str(base)) <= _LONGEST
        bacula = cls(
            base=base, tree=tree, slots=slots, tape_bytes=tape_bytes, connect_timeout=connect_timeout
        )
        try:
            bacula._set_up()
        except BaseException:
            bacula.stop()
            raise
        return bacula

    # ---- what it is

    def place(self, **migration: object) -> Place:
        """`migration` changes the settings: place(wait_for_tape="5s")."""
        lists = {name: str(self.base / f"lists/{number}") for number, name in enumerate(JOBS, 1)}
        document = {
            "name": CLIENT,
            "working_directory": str(self.base / "var"),
            "pid_directory": str(self.base / "run"),
            "directors": {"vts-dir": {"password": "secret://env/UNUSED"}},
            "console": {
                "program": str(self.base / "bin/bconsole"),
                "config": str(self.base / "etc/vtsconf.conf"),
            },
            "migration": {"jobs": lists, "restore_job": RESTORE, "verify_job": VERIFY, **migration},
        }
        return Place(
            settings=Settings.model_validate(document),
            document=document,
            pool=self.pool,
            runs=self.base / "runs",
        )

    @property
    def pool(self) -> Path:
        return self.base / "VAULT01/POOL1"

    @property
    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted((self.base / "log").iterdir()))

    # ---- its daemons

    def start(self, name: str) -> None:
        """A daemon, (again) on its port; it listens when this returns. Raises OSError when the port is another's."""
        port = dict(zip(("dir", "sd", "fd"), self.ports, strict=True))[name]
        argv = ["setpriv", "--pdeathsig", "KILL", str(self.tree / f"usr/sbin/bacula-{name}"), "-f", "-P"]
        with (self.base / f"log/{name}").open("ab") as log:
            process = subprocess.Popen(
                [*argv, "-c", str(self.base / f"etc/bacula-{name}.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | packages.environment(self.tree),
                cwd="/",
                start_new_session=True,
            )
        self._running[name] = process
        if not _until(lambda: process.poll() is not None or _listens(process.pid, port), 15):
            raise OSError(f"bacula-{name} does not get port {port}")
        if process.poll() is not None:
            raise RuntimeError((self.base / f"log/{name}").read_text(errors="replace"))

    def kill(self, name: str) -> None:
        """At once, as a crash does it."""
        if process := self._running.pop(name, None):
            process.kill()
            process.wait()

    def freeze(self, name: str) -> None:
        """It does nothing any more, and its port still takes connections."""
        self._running[name].send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End its daemons, and delete all of it."""
        for name in reversed(DAEMONS):
            self.kill(name)  # asked politely, one that waits for a tape does not end
        shutil.rmtree(self.base, ignore_errors=True)

    # ---- asking it, as an operator

    def say(self, *commands: str) -> str:
        """Commands for the full console, which may do anything; what it answers."""
        done = subprocess.run(
            [str(self.base / "bin/bconsole"), "-n", "-c", str(self.base / "etc/operator.conf")],
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE,
        )
        return done.stdout + done.stderr

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Of the catalogue, read only."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.base}/var/bacula.db?mode=ro", uri=True, timeout=30)
        ) as db:
            return db.execute(query, values).fetchall()

    def archived(self, path: Path) -> int:
        """How many good jobs have archived this file."""
        query = (
            "select count(*) from File join Path using (PathId) join Filename using (FilenameId) join Job using (JobId)"
            " where Path.Path = ? and Filename.Name = ? and Job.JobStatus = 'T' and Job.Type = 'B'"
        )
        ((count,),) = self.rows(query, f"{path.parent}/", path.name)
        return int(str(count))

    def jobs(self, name: str = "%") -> list[tuple[object, ...]]:
        """(JobId, status) of the jobs with this name, the oldest first."""
        return self.rows("select JobId, JobStatus from Job where Name like ? order by JobId", name)

    def waits_for_a_tape(self) -> bool:
        """A job has said so, and nobody gives it one."""
        return bool(self.rows("select 1 from Log where LogText like '%Cannot find any appendable%'"))

    # ---- its library

    def tapes(self) -> list[Path]:
        """The files that are tapes, in a slot or in a drive."""
        library = self.base / "library"
        found = [*library.glob("slot*"), *library.glob("drive?")]
        return [path for path in found if path.is_file() and not path.is_symlink() and path.stat().st_size]

    def on_tape(self, marker: bytes) -> int:
        """How often these bytes are on all tapes: what has really been written, whatever a catalogue says."""
        return sum(path.read_bytes().count(marker) for path in self.tapes())

    def flip(self, marker: bytes) -> None:
        """Damage the byte on tape behind this marker."""
        for path in self.tapes():
            data = bytearray(path.read_bytes())
            if (at := data.find(marker)) >= 0:
                data[at + len(marker)] ^= 0xFF
                with path.open("r+b") as tape:
                    tape.write(data)
                return
        raise AssertionError("it is on no tape")

    def take_out(self, volume: str) -> None:
        """A person takes a tape out of the library, and tells nobody."""
        slot = int(volume.removeprefix("VT"))
        library = self.base / "library"
        for drive in (0, 1):
            loaded = library / f"loaded{drive}"
            if loaded.exists() and loaded.read_text().strip() == str(slot):
                (library / f"drive{drive}").unlink()
                loaded.write_text("0\n")
        (library / f"slot{slot}").unlink(missing_ok=True)
        barcodes = library / "barcodes"
        barcodes.write_text("".join(line for line in barcodes.open() if not line.startswith(f"{slot}:")))

    # ---- making it

    def _set_up(self) -> None:
        for name in ("etc", "var", "run", "runs", "log", "library", "lists", "bin", "VAULT01/POOL1"):
            (self.base / name).mkdir(parents=True, exist_ok=True)
        self._write_programs()
        self._make_catalogue()
        self._fill_library()
        for attempt in range(3):
            try:
                self._configure()
                for name in DAEMONS:
                    self.start(name)
                break
            except OSError:
                for name in DAEMONS:
                    self.kill(name)
                if attempt == 2:
                    raise
        self._label()

    def _write_programs(self) -> None:
        environment = "".join(
            f"export {name}='{text}'\n" for name, text in packages.environment(self.tree).items()
        )
        console = f'#!/bin/sh\n{environment}exec "{self.tree}/usr/sbin/bconsole" "$@"\n'
        changer = (self.tree / "etc/bacula/scripts/disk-changer").read_text()
        changer = re.sub(r"(?m)^wd=.*$", f"wd={self.base}/var", changer)
        for name, text in (("bin/bconsole", console), ("etc/disk-changer", changer)):
            (self.base / name).write_text(text)
            (self.base / name).chmod(0o755)

    def _make_catalogue(self) -> None:
        script = (self.tree / "usr/share/bacula-director/make_sqlite3_tables").read_text()
        with contextlib.closing(sqlite3.connect(self.base / "var/bacula.db")) as db:
            for schema in re.findall(r"<<END-OF-DATA\n(.*?)\nEND-OF-DATA", script, re.DOTALL):
                db.executescript(schema)

    def _fill_library(self) -> None:
        library, numbers = self.base / "library", range(1, self.slots + 1)
        (library / "barcodes").write_text("".join(f"{number}:VT{number:04}\n" for number in numbers))
        for number in numbers:
            (library / f"slot{number}").touch()

    def _configure(self) -> None:
        self.ports = _free_ports()
        layout = Layout(
            base=self.base,
            tree=self.tree,
            ports=self.ports,
            slots=self.slots,
            tape_bytes=self.tape_bytes,
            connect_timeout=self.connect_timeout,
        )
        for name, text in layout.files().items():
            path = self.base / "etc" / name
            path.touch(mode=0o600)
            path.write_text(text)

    def _label(self) -> None:
        every = f"label barcodes storage=Library pool=Tapes drive=0 slots=1-{self.slots} encrypt=no"
        said = self.say(every, "yes")  # it asks once more
        if said.count("successfully created") != self.slots:
            raise RuntimeError(said + self.log)


def _free_ports() -> tuple[int, int, int]:
    """Held together, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind((ADDRESS, 0))
        first, second, third = (int(one.getsockname()[1]) for one in sockets)
    return first, second, third


def _listens(pid: int, port: int) -> bool:
    """This process, and not another, listens there; seen without connecting."""
    inodes = {words[9] for words in _sockets() if words[1].endswith(f":{port:04X}") and words[3] == "0A"}
    with contextlib.suppress(OSError):
        links = (str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir())
        return any(link == f"socket:[{inode}]" for link in links for inode in inodes)
    return False


def _sockets() -> Iterator[Sequence[str]]:
    with Path("/proc/net/tcp").open() as table:
        next(table)
        for line in table:
            yield line.split()


def _until(holds: Callable[[], bool], seconds: float = _PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True

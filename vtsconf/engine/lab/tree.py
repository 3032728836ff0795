"""The files of one lab server: where things are, and how they are made the first time."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

FOLDERS = (
    "VAULT01/POOL1", "VAULT01/POOL2", "VAULT01/TEST", "bin", "etc", "faults", "opt/tivoli/tsm/client/ba/bin",
    "root", "run", "skewed", "tmp", "usr/local/tape/lab", "usr/local/tape/log", "usr/local/tape/bin",
    "usr/openv/netbackup/bin", "usr/sbin", "nsr/res", "etc/bacula", "var/lib/vtsconf",
)  # fmt: skip
CONFIGURATION = "usr/local/tape/lab/vts.conf"  # the lab's own name: the manuals do not give the real one
EVENT_LOG = "usr/local/tape/log/event.log"
KEPT = ("usr/local/tape/lab/vts.conf", "usr/openv/netbackup/bp.conf")  # made once, then the user's

TAPES = {  # name under VAULT01: bytes; 0 = erased
    "POOL1/A00001": 24_576, "POOL1/A00002": 65_536, "POOL1/A00003": 0, "POOL1/A00004": 40_960,
    "POOL2/B00001": 131_072, "POOL2/B00002": 8_192, "TEST/X00001": 4_096,
}  # fmt: skip
MESSAGES = (
    ("WARNING", "440002", "Access Control RESTORE OPEN defaults have been restored"),
    ("INFO", "220001", "Cartridge A00001 for read-write has been manually mounted"),
    ("INFO", "220002", "Cartridge A00001 has been manually unmounted"),
    ("WARNING", "421013", "Cartridge A00003 erased in Pool POOL1"),
)


@dataclass(frozen=True)
class Tree:
    """Where one server's files are."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def configuration(self) -> Path:
        return self.root / CONFIGURATION

    @property
    def event_log(self) -> Path:
        return self.root / EVENT_LOG

    @property
    def faults(self) -> Path:
        return self.root / "faults"

    def loaded(self, service: str) -> Path:
        """What the service runs with; absent while it is stopped."""
        return self.root / "run" / f"{service}.loaded"

    def build(self, now: datetime) -> None:
        """Make what is missing. The stand-in programs are always made anew, the rest is never overwritten."""
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        with resources.as_file(resources.files("vtsconf.engine.lab") / "appliance") as appliance:
            for source in sorted(p for p in appliance.rglob("*") if p.is_file()):
                _place(source, self.root / source.relative_to(appliance))
        self._write_tapes()
        if not self.event_log.exists():
            self.event_log.write_text(_first_events(self.name, now))

    def _write_tapes(self) -> None:
        """Tapes with bytes that differ, and are the same in every lab."""
        for tape, size in TAPES.items():
            path = self.root / "VAULT01" / tape
            if not path.exists():
                path.write_bytes(random.Random(tape).randbytes(size))  # noqa: S311 no secret


def _place(source: Path, target: Path) -> None:
    program = source.read_bytes().startswith(b"#!")
    kept = any(target.match(f"*/{path}") for path in KEPT)
    if kept and target.exists():
        return
    staged = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, staged)
    staged.chmod(0o755 if program else 0o644)
    staged.replace(target)


def _first_events(server: str, now: datetime) -> str:
    """An event log in the documented form of 6.04.02 and later: nine fields."""
    lines = []
    for minutes, (severity, number, text) in zip(range(240, 0, -60), MESSAGES, strict=True):
        when = (now - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"{when}|{severity}|{number}|LAB-1|127.0.0.1|{server}|vtsa||{text}\n")
    return "".join(lines)

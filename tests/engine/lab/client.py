"""A lab server's files with the backup clients set up on them, and the adapters' commands run on it as the executor would."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from vtsconf import bma
from vtsconf.bma.contract import Output
from vtsconf.engine.lab.faults import Faults
from vtsconf.engine.lab.tree import Tree

TSM = "opt/tivoli/tsm/client/ba/bin"


class Client:
    """One server of a lab and one backup application."""

    def __init__(self, folder: Path, name: str) -> None:
        self.tree = Tree(folder / "vts1")
        self.tree.build(datetime(2026, 1, 1, tzinfo=UTC))
        self.root = self.tree.root
        self.name = name
        self.faults = Faults(self.tree.faults)
        self.settings = bma.ALL[name].Settings.model_validate(self._settings()[name])
        self.bma = bma.migrator(name, self.settings)
        self.options = {"policy": "VTS"} if name == "netbackup" else {}
        (self.root / TSM / "dsm.sys").write_text("SErvername TSM1\n  TCPServeraddress a\n  NODename vts1\n")
        (self.root / "usr/openv/netbackup/bp.conf").write_text("SERVER = master\nCLIENT_NAME = vts1\n")

    def _settings(self):
        tsm = f"{self.root}/{TSM}"
        return {
            "tsm": {
                "servers": {"TSM1": {"tcpserveraddress": "a"}},
                "dsm_sys": f"{tsm}/dsm.sys",
                "dsm_opt": f"{tsm}/dsm.opt",
                "dsmc": f"{tsm}/dsmc",
            },
            "netbackup": {
                "servers": ["master"],
                "client_name": "vts1",
                "directory": f"{self.root}/usr/openv/netbackup",
            },
            "networker": {"servers": ["nsr1"], "client": "vts1", "directory": f"{self.root}/usr/sbin"},
        }

    def tape(self, name: str, data: bytes) -> str:
        path = self.root / "VAULT01/POOL1" / name
        path.write_bytes(data)
        return str(path)

    def break_(self, *words: object, once: bool = False) -> None:
        self.faults.turn_on("bma", [str(word) for word in words], once=once)

    def run(self, command, *, seconds: float = 60) -> Output:
        """Exit 124 at the time-out, then the whole process group is ended, as the runner on a server does it."""
        here = self.root / "var/run"
        here.mkdir(parents=True, exist_ok=True)
        for name, text in command.files.items():
            (here / name).write_text(text)
        process = subprocess.Popen(
            [word.replace("{dir}", str(here)) for word in command.argv],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", **command.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            text, code = process.communicate(timeout=seconds)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            text, code = process.communicate()[0], 124
        return Output(exit=code if code >= 0 else 128 - code, text=text.decode(errors="surrogateescape"))

    def do(
        self, action: str, paths, token: str = "vtsconf-1", seconds: float = 60, when: str = "", **options
    ):
        """Run an action and judge it."""
        of_copy = {"when": when} if when else {}
        command = getattr(self.bma, action)(self.settings, paths, token, self.options | options, **of_copy)
        output = self.run(command, seconds=seconds)
        return self.bma.judge(self.settings, action, output, paths), output

    def copies(self, paths, token: str = "vtsconf-1", **options):
        _, output = self.do("locate", paths, token, **options)
        return list(self.bma.located(self.settings, output, paths, token))

    def log(self) -> list[list[str]]:
        return [line.split() for line in (self.root.parent / "library/log").read_text().splitlines()]

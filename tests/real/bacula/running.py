"""A command of the adapter run here, as a server would run it: its own directory, its own session, nothing on stdin."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.real.bacula.daemons import Place
from vtsconf.bma import bacula as adapter
from vtsconf.bma.contract import Command, Judgement, Located, Output

_SAFE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def start(command: Command, place: Place) -> subprocess.Popen[bytes]:
    """Begin it; `finish` waits for its end. Its directory goes with the Bacula."""
    here = tempfile.mkdtemp(prefix="run-", dir=place.runs)
    for name, text in command.files.items():
        (Path(here) / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    return subprocess.Popen(
        [word.replace("{dir}", here) for word in command.argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_SAFE | dict(command.env),
        cwd=here,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes], seconds: float = 120) -> Output:
    out, _ = process.communicate(timeout=seconds)
    return Output(exit=process.returncode, text=out.decode("utf-8", "surrogateescape"))


def kill(process: subprocess.Popen[bytes]) -> Output:
    """With its whole group, as a server that dies does it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    out, _ = process.communicate(timeout=30)
    return Output(exit=None, text=out.decode("utf-8", "surrogateescape"))


def run(command: Command, place: Place) -> Output:
    return finish(start(command, place))


class Tapes:
    """The adapter's verbs, each run to its end and judged: what an executor does, without one."""

    def __init__(self, place: Place) -> None:
        self.place, self.settings = place, place.settings

    def write(self, name: str, content: bytes) -> str:
        """A tape; its whole path."""
        path = self.place.pool / name
        path.write_bytes(content)
        return str(path)

    def archiving(self, path: str | Sequence[str], token: str, **options: Any) -> subprocess.Popen[bytes]:
        return start(adapter.archive(self.settings, _several(path), token, options), self.place)

    def archive(self, path: str | Sequence[str], token: str, **options: Any) -> Judgement:
        return self.judge("archive", finish(self.archiving(path, token, **options)), path)

    def restore(self, path: str, token: str, options: Mapping[str, Any] | None = None) -> Judgement:
        command = adapter.restore(self.settings, [path], token, options or {})
        return self.judge("restore", run(command, self.place), path)

    def locate(self, path: str | Sequence[str], token: str) -> Sequence[Located]:
        paths = _several(path)
        output = run(adapter.locate(self.settings, paths, token, {}), self.place)
        return adapter.located(self.settings, output, paths, token)

    def cancel(self, token: str) -> Output:
        command = adapter.cancel(self.settings, token, Output(exit=None, text=""))
        assert command
        return run(command, self.place)

    def judge(self, action: str, output: Output, path: str | Sequence[str]) -> Judgement:
        return adapter.judge(self.settings, action, output, _several(path))


def _several(path: str | Sequence[str]) -> Sequence[str]:
    return [path] if isinstance(path, str) else path

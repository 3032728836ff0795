"""Promise 7: whatever is done with a secret, its value appears nowhere but in the file that needs it."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Self

import pytest

from tests.e2e.conftest import Vtsconf
from vtsconf.engine.lab.lab import Lab

NEW, OLD, UNTOLD = "Neu&Geheim-4711", "Alt&Geheim-0815", "Nie&Gesagt-2342"
DOCUMENT = """
vts:
  files:
    {root}/usr/local/tape/lab/console.conf: {{mode: "0600", template: console.conf.j2}}
"""


@pytest.fixture
def secretive(lab: Lab) -> Lab:
    """A file with a secret, a parameter with a secret, and a live secret that nobody told us about."""
    documents = lab.folder / "group_vars/all.yaml"
    text = documents.read_text()
    documents.write_text(
        text.replace(
            "    meta_control_panel: false",
            "    meta_control_panel: false\n    lab_peer_password: secret://env/PEER",
        )
    )
    (lab.folder / "templates").mkdir(exist_ok=True)
    (lab.folder / "templates/console.conf.j2").write_text("# {{ managed }}\nPassword = {{ console }}\n")
    (lab.folder / "group_vars/vts.yaml").write_text("console: secret://env/CONSOLE\n")
    for name in ("vts1", "vts2"):
        (lab.folder / f"host_vars/{name}.yaml").write_text(DOCUMENT.format(root=lab.folder / name))
        tree = lab.folder / name / "usr/local/tape/lab"
        (tree / "console.conf").write_text(f"# Managed by vtsconf\nPassword = {OLD}\n")
        with (tree / "vts.conf").open("a") as file:
            file.write(f"lab_other_password='{UNTOLD}'\nlab_peer_password='{OLD}'\n")
    return lab


class Eyes(threading.Thread):
    """Looks at every process's command line and environment-free arguments while a command runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen, self._end = set[str](), threading.Event()

    def run(self) -> None:
        while not self._end.wait(0.005):
            self.seen |= set(
                subprocess.run(
                    ["ps", "-eo", "args"], check=False, capture_output=True, text=True
                ).stdout.split("\n")
            )

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self.join()

    def __enter__(self) -> Self:
        self.start()
        return self


def holders(folder: Path, secret: str) -> set[str]:
    """Files below `folder` that hold the secret, by name."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    }


def test_a_secret_appears_nowhere(secretive: Lab, vtsconf: Vtsconf) -> None:
    env = {"CONSOLE": NEW, "PEER": NEW, "VTSCONF_TRACEBACK": "1"}
    with Eyes() as eyes:
        said = [
            vtsconf("validate", "-v", env=env),
            vtsconf("explain", "vts1", env=env),
            vtsconf("plan", "-v", "--out", "plan.json", env=env),
            vtsconf("plan", "--json", env=env),
            vtsconf("apply", "plan.json", "-v", "-l", "vts1", env=env),
            vtsconf("apply", "-y", "-v", "--json", "-l", "vts2", env=env),
            vtsconf("plan", "--detailed-exitcode", "-v", env=env),
            vtsconf("history", "-v", "--json", env=env),
            vtsconf("rollback", "-y", "-v", "-l", "vts1", env=env),
        ]

    assert [0] * 9 == [ended.code for ended in said], [e.err for e in said if e.code]
    text = "".join(ended.out + ended.err for ended in said) + "\n".join(eyes.seen)
    assert [] == [secret for secret in (NEW, OLD, UNTOLD) if secret in text]
    assert "keyed:" in text
    config, console = "usr/local/tape/lab/vts.conf", "usr/local/tape/lab/console.conf"
    allowed = {f"{host}/{name}" for host in ("vts1", "vts2") for name in (config, console)}
    for secret in (NEW, OLD, UNTOLD):
        elsewhere = holders(secretive.folder, secret) - allowed
        # The server keeps old bytes for the rollback, and its services remember what they loaded.
        its_own = ("/var/lib/vtsconf/backup/", "/run/tapeserver.loaded")
        assert set() == {name for name in elsewhere if not any(part in name for part in its_own)}
    assert OLD in (secretive.folder / "vts1" / console).read_text()
    assert f"lab_other_password='{UNTOLD}'" in (secretive.folder / "vts2" / config).read_text()
    assert f"lab_peer_password='{NEW}'" in (secretive.folder / "vts2" / config).read_text()


def test_a_secret_that_cannot_be_had_stops_its_hosts_with_what_to_do(
    secretive: Lab, vtsconf: Vtsconf
) -> None:
    ended = vtsconf("plan", env={"PEER": NEW})

    assert 3 == ended.code
    assert "secret://env/CONSOLE" in ended.out

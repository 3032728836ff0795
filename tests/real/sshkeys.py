"""Keys that all real servers of a test process share; made once."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """Keys shared by all servers of a test process; made once."""

    directory: Path

    @property
    def user(self) -> Path:
        return self.directory / "user_ed25519"

    def public(self, name: str) -> str:
        """`ssh-ed25519 AAAA…` of one of the key files."""
        return " ".join((self.directory / f"{name}.pub").read_text().split()[:2])

    def fingerprint(self, name: str) -> str:
        """As `ssh-keygen -l` prints it: `SHA256:…`."""
        said = subprocess.run(
            ["ssh-keygen", "-l", "-f", self.directory / f"{name}.pub"],
            capture_output=True,
            text=True,
            check=True,
        )
        return said.stdout.split()[1]


@functools.cache
def keys() -> Keys:
    directory = Path(tempfile.mkdtemp(prefix="vtsconf-keys-"))
    directory.chmod(0o755)
    made = (
        ("host_ed25519", "ed25519", ""),
        ("host_rsa", "rsa", ""),
        ("user_ed25519", "ed25519", ""),
        ("user_rsa", "rsa", ""),
        ("user_ecdsa", "ecdsa", ""),
        ("user_encrypted", "ed25519", "open sesame"),
        ("other_ed25519", "ed25519", ""),
    )
    for name, kind, word in made:
        bits = ["-b", "2048"] if kind == "rsa" else []
        rounds = ["-a", "4"] if word else []
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, *bits, *rounds, "-N", word, "-C", name, "-f", directory / name],
            check=True,
        )
    allowed = [n for n, _, _ in made if n.startswith("user_")]
    text = "".join((directory / f"{n}.pub").read_text() for n in allowed)
    (directory / "authorized_keys").write_text(text)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Keys(directory)

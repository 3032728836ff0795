"""A real OpenSSH server for a test: its own port, keys, log and file system; nothing on this machine changes.

    server = OpenSsh.start(tmp_path, own=("/usr/local/tape", "/VAULT01"))
    session = SshConnector().connect(server.target())
    server.path("/usr/local/tape/vts.conf").write_text("…")   # the same file, seen from here
    server.connections(), server.execs()                      # from sshd's own log
    server.kill(); server.restart()                           # a reboot: no process survives, the disk does
    server.stop()

How: one mount namespace a server. Its root is an overlay over this machine's, with the changes in memory, so a
server may write, delete and install what it likes; /tmp and /root are empty. The directories in `own` are bind mounts of `directory/tree/…`.
The namespace is held open here, so the "disk" outlives all processes.

Needs root, `sshd`, `unshare` and `nsenter` (Debian: openssh-server, util-linux). Use the `openssh` fixture, or call
`require_openssh()` first: with CI set a missing part is a failure, else a skip that says what to install.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from tests.real.sshkeys import keys
from vtsconf.core.connection import Target

ADDRESS = "127.0.0.1"
_SSHD = shutil.which("sshd") or "/usr/sbin/sshd"

MODERN = """\
HostKey {keys}/host_ed25519
HostKey {keys}/host_rsa
"""
LEGACY = """\
HostKey {keys}/host_rsa
HostKeyAlgorithms ssh-rsa
KexAlgorithms diffie-hellman-group14-sha1
Ciphers aes128-cbc,aes128-ctr
MACs hmac-sha1
PubkeyAcceptedAlgorithms ssh-rsa,ssh-ed25519
"""
CONFIG = """\
ListenAddress {address}:{port}
PidFile none
StrictModes no
UsePAM {pam}
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
PubkeyAuthentication yes
AuthorizedKeysFile {keys}/authorized_keys
LogLevel {level}
UseDNS no
MaxStartups 200
MaxSessions 50
AllowTcpForwarding yes
PrintMotd no
PrintLastLog no
"""

# $1 the root's place, $2 this server's directory, $3 the key directory. Then pairs of SOURCE DESTINATION.
_BUILD = """
set -e
root=$1 here=$2 keys=$3; shift 3
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/merged"
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/merged"
new="$root/merged"
for d in proc dev sys; do mount --rbind "/$d" "$new/$d"; done
mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"
mount -t tmpfs -o mode=700 tmpfs "$new/root"
mkdir -p "$new/run/sshd" "$new$here" "$new$keys"
mount --bind "$here" "$new$here"
mount --bind "$keys" "$new$keys"
while [ $# -gt 1 ]; do
  mkdir -p "$new$2"
  case $1 in
    tmpfs:*) mount -t tmpfs -o "${1#tmpfs:}" tmpfs "$new$2" ;;
    *) mount --bind "$1" "$new$2" ;;
  esac
  shift 2
done
[ ! -s "$here/setup" ] || chroot "$new" /bin/sh "$here/setup"
"""
_NO_PYTHON = """
for d in /bin /usr/bin /usr/local/bin /sbin /usr/sbin; do rm -f "$d"/python* "$d"/pypy*; done
"""


def missing() -> list[str]:
    """What this machine lacks for a real server, as words for a person."""
    lacks = [f"`{p}`" for p in ("unshare", "nsenter", "ssh-keygen", "sudo") if shutil.which(p) is None]
    if not Path(_SSHD).exists():
        lacks.append("`sshd`")
    if os.geteuid() != 0:
        lacks.append("root")
    return lacks


def require_openssh() -> None:
    """Skip on a laptop that lacks something; fail where CI is set."""
    lacks = missing()
    if not lacks:
        return
    sentence = (
        f"real OpenSSH needs {', '.join(lacks)}: run as root after `apt-get install openssh-server sudo`"
    )
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass
class OpenSsh:
    """One running server. `address` and `port` say where; `log` is sshd's."""

    directory: Path
    port: int
    user: str
    legacy: bool
    level: str
    extra: str
    pam: bool
    own: tuple[str, ...]
    address: str = ADDRESS
    _namespace: int = -1  # a file descriptor that keeps the mounts alive
    _inode: int = 0
    _sshd: subprocess.Popen[bytes] | None = None
    _root: Path = field(default_factory=Path)

    @classmethod
    def start(
        cls,
        tmp_path: Path,
        *,
        own: Iterable[str] = (),
        mounts: Mapping[str, str | Path] | None = None,
        legacy: bool = False,
        user: str = "root",
        python: bool = True,
        setup: str = "",
        config: str = "",
        level: str = "VERBOSE",
        pam: bool = False,
    ) -> OpenSsh:
        """Start a server in a new directory below `tmp_path`; takes about a tenth of a second.

        own      directories of its own: /usr/local/tape is `path("/usr/local/tape")` on this side
        mounts   server path → a directory on this side, or "tmpfs:size=1m" (a disk to fill up)
        legacy   SHA-1 host key, key exchange and MAC only: an old appliance
        user     whom `target()` logs in as; any but root is created, without a password
        python   False takes Python away
        setup    a shell script run as root inside, before sshd starts: users, sudoers, programs
        config   lines that go before the rest of sshd_config, so they win
        level    sshd's LogLevel; VERBOSE is enough for connections() and execs()
        pam      UsePAM
        """
        require_openssh()
        directory = Path(tempfile.mkdtemp(prefix="sshd-", dir=tmp_path))
        directory.chmod(0o755)
        server = cls(
            directory=directory,
            port=0,
            user=user,
            legacy=legacy,
            level=level,
            extra=config,
            pam=pam,
            own=tuple(own),
        )
        script = "" if user == "root" else f"useradd -m -N -s /bin/sh {user}\nusermod -p '*' {user}\n"
        script += setup + ("" if python else _NO_PYTHON)
        (directory / "setup").write_text(script and f"set -e\n{script}")
        server._build(mounts or {})
        server.restart()
        return server

    def path(self, remote: str) -> Path:
        """A file below one of the `own` directories, seen from here."""
        return self.directory / "tree" / remote.lstrip("/")

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def connections(self) -> int:
        """TCP connections so far, from sshd's log."""
        return self._logged("Connection from")

    def execs(self) -> int:
        """Commands executed so far, from sshd's log."""
        return self._logged("Starting session: command")

    def target(self, **changes: Any) -> Target:
        """How to reach it: the right key, its pinned host key. `changes` replace fields of the Target."""
        host_key = keys().public("host_rsa" if self.legacy else "host_ed25519")
        values: dict[str, Any] = {
            "name": "vts1",
            "address": self.address,
            "port": self.port,
            "user": self.user,
            "key_files": (str(keys().user),),
            "host_key": host_key,
            "ssh_config": "",
            "use_agent": False,
        }
        return Target(**{**values, **changes})

    def known_hosts(self, *names: str) -> str:
        """A known_hosts line for each of its keys (or those named), as ssh-keyscan would print."""
        wanted = names or (("host_rsa",) if self.legacy else ("host_ed25519", "host_rsa"))
        return "".join(f"[{self.address}]:{self.port} {keys().public(n)}\n" for n in wanted)

    def run(self, script: str) -> subprocess.CompletedProcess[bytes]:
        """Run a shell script on the server as root, without SSH."""
        return subprocess.run(
            [*self._enter(), "/bin/sh", "-c", script],
            capture_output=True,
            check=False,
            pass_fds=[self._namespace],
        )

    def processes(self) -> list[int]:
        """Every process on the server, detached ones included."""
        return [
            p for p in (int(f.name) for f in Path("/proc").iterdir() if f.name.isdigit()) if self._is_ours(p)
        ]

    def commands(self) -> dict[int, str]:
        """The command line of every process on the server."""
        found = {}
        for pid in self.processes():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found[pid] = (
                    Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
        return found

    def freeze(self) -> None:
        """Stop every process where it is: the port answers, and nobody behind it does. `thaw()` ends that."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """The power goes: every process ends at once; files stay as they are."""
        for _ in range(100):
            if not self.processes():
                break
            self._signal(signal.SIGKILL)
            self._reap()
            time.sleep(0.002)
        self._reap()

    def restart(self) -> None:
        """Start sshd (again), on the same port once it has one."""
        for _ in range(5):
            port = self.port or _free_port()
            self._sshd = self._spawn(port)
            if self._listens(port):
                self.port = port
                return
        raise RuntimeError(self.log.read_text())

    def stop(self) -> None:
        """End everything and let the disk go."""
        if self._namespace >= 0:
            self.kill()
            os.close(self._namespace)
            self._namespace = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _build(self, mounts: Mapping[str, str | Path]) -> None:
        self._root = self.directory / "root"
        self._root.mkdir()
        pairs: list[str] = []
        for remote in self.own:
            self.path(remote).mkdir(parents=True)
            pairs += [str(self.path(remote)), remote]
        for remote, source in mounts.items():
            pairs += [str(source), remote]
        words = ["/bin/sh", "-c", _BUILD + "echo; read _\n", "sh"]
        places = (self._root, self.directory, keys().directory)
        builder = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", *words, *map(str, places), *pairs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert builder.stdout
        said = builder.stdout.readline()
        while said not in {b"\n", b""}:
            said = builder.stdout.readline()
        if said:
            self._namespace = os.open(f"/proc/{builder.pid}/ns/mnt", os.O_RDONLY)
            self._inode = os.fstat(self._namespace).st_ino
        _, errors = builder.communicate()
        if not said:
            raise RuntimeError(f"the server's file system could not be built: {errors.decode()}")

    def _enter(self) -> list[str]:
        return ["nsenter", f"--mount=/proc/self/fd/{self._namespace}", "chroot", str(self._root / "merged")]

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        config = self.directory / "sshd_config"
        text = self.extra + (LEGACY if self.legacy else MODERN) + CONFIG
        filled = {"keys": keys().directory, "address": self.address, "port": port, "level": self.level}
        config.write_text(text.format(**filled, pam="yes" if self.pam else "no"))
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self._enter(), _SSHD, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self._namespace],
                start_new_session=True,
            )

    def _listens(self, port: int) -> bool:
        assert self._sshd
        wanted = f"Server listening on {self.address} port {port}".encode()
        before = self._starts
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._sshd.poll() is None:
            if self.log.read_bytes().count(wanted) > before:
                self._starts += 1
                return True
            time.sleep(0.003)
        return False

    _starts: int = 0

    def _logged(self, words: str) -> int:
        return sum(words in line for line in self.log.read_text(errors="replace").splitlines())

    def _is_ours(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/ns/mnt").stat().st_ino == self._inode
        except OSError:
            return False

    def _reap(self) -> None:
        if self._sshd is not None and self._sshd.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._sshd.wait(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])

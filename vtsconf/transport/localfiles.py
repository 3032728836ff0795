"""The files on this side that SSH reads, ssh_config and known_hosts: each parsed once, however many servers ask."""

from __future__ import annotations

import glob
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from vtsconf.core.errors import Unreachable
from vtsconf.transport.hostkeys import Entry, parse
from vtsconf.transport.sshconfig import ConfigError, SshConfig, include_pattern

T = TypeVar("T")


@dataclass(kw_only=True)
class LocalFiles:
    """Reads and remembers; a file that changes on disk is read again."""

    home: str
    warn: Callable[[str], None]
    _parsed: dict[tuple[object, ...], object] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def config(self, path: str | None, name: str) -> SshConfig:
        """`None` is ~/.ssh/config, which may be absent; "" is none at all. Raises Unreachable for host `name`."""
        if path == "":
            return SshConfig()
        file = Path(path or "~/.ssh/config".replace("~", self.home, 1))
        if path is None and not file.exists():
            return SshConfig()
        try:
            return self._once(file, self._parse_config)
        except (OSError, ConfigError) as error:
            reason = f"{file}: {error.strerror}" if isinstance(error, OSError) else str(error)
            raise Unreachable(
                f"{name}: ssh_config cannot be used: {reason}",
                remedy='correct it, or set vts_ssh_config to another file ("" = none)',
            ) from None

    def known_hosts(self, paths: tuple[str, ...], name: str) -> list[Entry]:
        """Entries of all files; one that is absent holds none."""
        entries: list[Entry] = []
        for path in paths:
            try:
                entries += self._once(Path(path), parse)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise Unreachable(
                    f"{name}: cannot read {path}: {error.strerror}",
                    remedy="correct its rights, or set vts_ssh_known_hosts",
                ) from None
        return entries

    def _once(self, file: Path, parsed: Callable[[str, str], T]) -> T:
        with self._lock:
            status = file.stat()
            key = (str(file), status.st_mtime_ns, status.st_size)
            if key not in self._parsed:
                self._parsed[key] = parsed(file.read_text(encoding="utf-8", errors="replace"), str(file))
            return self._parsed[key]  # type: ignore[return-value]  # one parser a path

    def _parse_config(self, text: str, path: str) -> SshConfig:
        config = SshConfig.parse(text, path, self._included)
        for warning in config.warnings:
            self.warn(warning)
        return config

    def _included(self, pattern: str) -> list[tuple[str, str]]:
        found = sorted(glob.glob(include_pattern(pattern, self.home)))  # noqa: PTH207 an absolute pattern
        return [
            (p, Path(p).read_text(encoding="utf-8", errors="replace")) for p in found if Path(p).is_file()
        ]

"""Files: whole files we own, from a template or literal content, with owner, group and mode."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core import sensitive
from vtsconf.core.change import Change, State
from vtsconf.core.content import Content
from vtsconf.core.probe import FileKind, FileSeen, Probe, ReadFile, Reading
from vtsconf.core.problem import Level, Problem
from vtsconf.core.resource import Keys
from vtsconf.core.secret import Secret, SecretRule
from vtsconf.core.step import FileState, PutFile, Step
from vtsconf.resources.obstacle import obstacle

HEADER = b"managed by vtsconf"  # in any case


@dataclass(frozen=True, kw_only=True)
class File:
    """One whole file. An owner or group of "" is not managed: it stays as it is."""

    path: str
    content: Content
    owner: str = ""
    group: str = ""
    mode: str = "0644"
    validate: tuple[str, ...] = ()  # run on the staged file, "{}" standing for its path
    restart: tuple[str, ...] = ()
    kind: str = "files"  # or the BMA's name
    secrets: SecretRule = field(default_factory=SecretRule)
    keys: Keys = field(default_factory=Keys)

    @property
    def address(self) -> str:
        return f"{self.kind}/{self.path}"

    def probes(self) -> Sequence[Probe]:
        return (ReadFile(self.path),)

    def observe(self, reading: Reading) -> State:
        seen = reading.files.get(self.path)
        if seen is None or seen.data is None:
            return {}
        attributes = {"owner": seen.owner, "group": seen.group, "mode": seen.mode}
        return {self.address: {"content": self._shown(seen.data), **self._managed(attributes)}}

    def desired(self) -> State:
        attributes = {"owner": self.owner, "group": self.group, "mode": self.mode}
        return {self.address: {"content": self._shown(self._bytes()), **self._managed(attributes)}}

    def _managed(self, attributes: dict[str, str]) -> dict[str, str]:
        wanted = {"owner": self.owner, "group": self.group, "mode": self.mode}
        return {key: value for key, value in attributes.items() if wanted[key]}

    def _bytes(self) -> bytes:
        return self.content.resolve(self.keys.secrets)

    def _shown(self, data: bytes) -> Any:
        """A text, a Secret, or for what is neither its size and digest."""
        if self._is_hidden(data):
            return Secret(data)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def _is_hidden(self, data: bytes) -> bool:
        return bool(self.content.secrets) or sensitive.holds_secret(data)

    def problems(self, reading: Reading) -> Sequence[Problem]:
        stop = obstacle(self.path, self.address, reading)
        if stop is None and reading.files[self.path].folder_missing:
            stop = self._without_folder()
        return (stop,) if stop else tuple(self._findings(reading.files[self.path]))

    def _without_folder(self) -> Problem:
        return Problem(
            what=f"{self.path} cannot be made: there is no folder {self.path.rpartition('/')[0]}",
            why="folders are not made: whose they are and who may enter them is for the site to say",
            remedy="correct the path, or make the folder on the server first",
            code="no-folder",
            address=self.address,
        )

    def _findings(self, seen: FileSeen) -> Iterator[Problem]:
        if not _has_header(self.content.redacted()):
            yield self._without_header()
        elif seen.data is not None and not _has_header(seen.data):
            yield self._foreign()
        if sensitive.holds_secret(self._without_secrets()):
            yield self._in_clear()
        yield from self._bad_secrets()

    def _without_secrets(self) -> bytes:
        return b"".join(part for part in self.content.parts if isinstance(part, bytes))

    def _in_clear(self) -> Problem:
        return Problem(
            what=f"the content of {self.path} has a line that looks as if it held a secret in clear",
            why="it stands in version control, and the bytes of a plan file hold it",
            remedy="write secret://PROVIDER/REFERENCE in its place, through a variable of its own",
            level=Level.WARNING,
            code="secret-in-clear",
            address=self.address,
        )

    def _bad_secrets(self) -> Iterator[Problem]:
        for ref in dict.fromkeys(self.content.secrets):
            if reason := self.secrets.refusal(self.keys.secrets[ref]):
                yield Problem(
                    what=f"the value of {ref} cannot be written into {self.path}",
                    why=f"it {reason}, which this file's format cannot hold",
                    remedy="change the secret",
                    code="value",
                    address=self.address,
                )

    def _without_header(self) -> Problem:
        return Problem(
            what=f"{self.path} does not say “{HEADER.decode()}”",
            why="whoever opens it on the server cannot see that the next apply overwrites hand edits",
            remedy=f"put a comment with these words at its top, if its format has comments: “{HEADER.decode()}”",
            level=Level.NOTE,
            code="header",
            address=self.address,
        )

    def _foreign(self) -> Problem:
        return Problem(
            what=f"{self.path} is there already and was not written by vtsconf",
            why="the whole file will be replaced; what was in it by hand is kept only in the backup on the server",
            remedy="read the difference before you apply",
            level=Level.WARNING,
            code="takes-over",
            address=self.address,
        )

    def steps(self, changes: Sequence[Change], reading: Reading) -> Sequence[Step]:
        if self.address not in {c.address for c in changes}:
            return ()
        seen = reading.files.get(self.path, FileSeen(kind=FileKind.ABSENT))
        keyed = self._is_hidden(self._bytes()) or (seen.data is not None and self._is_hidden(seen.data))
        return (
            PutFile(
                path=self.path,
                before=self._before(seen, keyed=keyed),
                after=self._after(seen, keyed=keyed),
                validate=self.validate,
                restart=self.restart,
                addresses=(self.address,),
            ),
        )

    def _before(self, seen: FileSeen, *, keyed: bool) -> FileState | None:
        if seen.data is None:
            return None
        return FileState(
            content=None if keyed else Content.plain(seen.data),
            digest=self._digest(seen.data, keyed=keyed),
            keyed=keyed,
            owner=seen.owner,
            group=seen.group,
            mode=seen.mode,
        )

    def _after(self, seen: FileSeen, *, keyed: bool) -> FileState:
        return FileState(
            content=self.content,
            digest=self._digest(self._bytes(), keyed=keyed),
            keyed=keyed,
            owner=self.owner or seen.owner,
            group=self.group or seen.group,
            mode=self.mode or seen.mode or "0644",
        )

    def _digest(self, data: bytes, *, keyed: bool) -> str:
        return self.keys.fingerprints.digest(data) if keyed else hashlib.sha256(data).hexdigest()


def _has_header(data: bytes) -> bool:
    return HEADER in data.lower()

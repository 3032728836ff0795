"""Parameters: keys in the server's shared configuration file, of which every other line is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from vtsconf.core import live, sensitive, vtsfile
from vtsconf.core.change import Change, State
from vtsconf.core.content import Content, mark
from vtsconf.core.probe import FileKind, FileSeen, Probe, ReadFile, Reading
from vtsconf.core.problem import Level, Problem
from vtsconf.core.resource import Keys
from vtsconf.core.secret import Secret, SecretRef
from vtsconf.core.step import FileState, PutFile, Step
from vtsconf.core.wanted import WantedParameter
from vtsconf.resources.obstacle import obstacle


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The keys we own in the configuration file at `path`. The file itself belongs to the server.

    It is never created, keeps its owner, group and mode, and changes only in the lines of wanted parameters.
    """

    path: str
    wanted: Sequence[WantedParameter]
    keys: Keys = field(default_factory=Keys)

    kind = "parameters"

    def probes(self) -> Sequence[Probe]:
        return (ReadFile(self.path),) if self.wanted else ()

    def observe(self, reading: Reading) -> State:
        found = vtsfile.values(self._seen(reading).data or b"")
        return {
            w.address: Secret(found[w.name].encode()) if _is_secret(w) else found[w.name]
            for w in self.wanted
            if w.name in found
        }

    def desired(self) -> State:
        return {w.address: self._value(w) for w in self.wanted if w.text is not None}

    def _value(self, wanted: WantedParameter) -> str | Secret:
        if isinstance(wanted.text, SecretRef):
            return self.keys.secrets[wanted.text]
        text = wanted.text or ""
        return Secret(text.encode()) if _is_secret(wanted) else text

    def _seen(self, reading: Reading) -> FileSeen:
        return reading.files.get(self.path, FileSeen(kind=FileKind.ABSENT))

    def problems(self, reading: Reading) -> Sequence[Problem]:
        if not self.wanted:
            return ()
        if stop := obstacle(self.path, self.wanted[0].address, reading):
            return (stop,)
        data = self._seen(reading).data
        if data is None:
            return (self._absent(),)
        if stop := self._foreign(data):
            return (stop,)
        return tuple(self._findings(data))

    def _absent(self) -> Problem:
        return Problem(
            what=f"the configuration file {self.path} does not exist",
            why="the server brings this file with it; where it is missing, the path is wrong or the server is not set up",
            remedy="let `vtsconf doctor` look for the file, then correct vts.config_file",
            code="config-file",
        )

    def _foreign(self, data: bytes) -> Problem | None:
        if b"\0" in data:
            what = "holds NUL bytes: it is not a text file, or it was damaged"
        elif b"\r" in data and b"\n" not in data:
            what = "ends its lines with a carriage return alone"
        else:
            return None
        return Problem(
            what=f"the configuration file {self.path} {what}",
            why="what the server reads in it cannot be told, so nothing is changed",
            remedy="look at the file; put it right by hand or from a backup",
            code="config-file",
        )

    def _findings(self, data: bytes) -> Iterator[Problem]:
        by_name = {w.name: w for w in self.wanted}
        found = vtsfile.assignments(data)
        for name, lines in vtsfile.duplicates(found, by_name).items():
            yield self._duplicate(by_name[name], lines)
        for line in vtsfile.unreadable(data, by_name):
            yield self._unreadable(by_name[line.name], line)
        for assignment in found:
            if assignment.name in by_name and assignment.form is not vtsfile.Form.PLAIN:
                yield self._inferred(by_name[assignment.name], assignment)
        yield from self._refusals(data, {a.name: a.text for a in found})
        yield from self._in_clear()

    def _in_clear(self) -> Iterator[Problem]:
        for w in self.wanted:
            if isinstance(w.text, str) and w.text and sensitive.is_sensitive(w.name):
                yield Problem(
                    what=f"{w.name} looks like a secret and is written out in the document",
                    why="it stands in version control, and the bytes of a plan file hold it",
                    remedy="write where it is kept: secret://env/NAME, secret://file/PATH",
                    level=Level.WARNING,
                    code="secret-in-clear",
                    address=w.address,
                    place=w.place,
                )

    def _duplicate(self, wanted: WantedParameter, lines: Sequence[int]) -> Problem:
        numbers = ", ".join(map(str, lines))
        return Problem(
            what=f"{self.path} sets {wanted.name} {len(lines)} times (lines {numbers})",
            why="the last one counts (inferred: overrides are added at the bottom), and that one is changed",
            remedy="take the others out by hand when you know that nothing reads them",
            level=Level.WARNING,
            code="duplicate-parameter",
            address=wanted.address,
            source="inferred from 6.04.01 Ops p.41",
        )

    def _unreadable(self, wanted: WantedParameter, line: vtsfile.Unreadable) -> Problem:
        return Problem(
            what=f"{self.path} line {line.line} speaks of {wanted.name} in a form that cannot be judged",
            why="only name='value' is documented; what the server makes of this line is not known",
            remedy=f"write the line by hand as {wanted.name}='…', or take it out",
            level=Level.ERROR if line.assigns else Level.WARNING,
            code="unreadable-line",
            address=wanted.address,
            source="6.03.42 Ops p.44",
        )

    def _inferred(self, wanted: WantedParameter, assignment: vtsfile.Assignment) -> Problem:
        return Problem(
            what=f"{self.path} line {assignment.line} writes {wanted.name} with {assignment.form}",
            why="it is read as a shell would read it; documented is only name='value'",
            remedy="nothing, if the server works with it; a change writes single quotes",
            level=Level.NOTE,
            code="inferred-form",
            address=wanted.address,
            source="inferred",
        )

    def _refusals(self, data: bytes, found: Mapping[str, str]) -> Iterator[Problem]:
        for w in self.wanted:
            if w.text is None or found.get(w.name) == w.text:
                continue
            if reason := self._refusal(w.text, data):
                yield Problem(
                    what=f"the value of {w.name} cannot be written into {self.path}",
                    why=reason,
                    remedy="choose another value",
                    code="value",
                    address=w.address,
                    place=w.place,
                )

    def _refusal(self, text: str | SecretRef, data: bytes) -> str:
        if not isinstance(text, SecretRef):
            return vtsfile.refusal(text, data)
        try:
            return vtsfile.refusal(self.keys.secrets[text].reveal().decode(), data)
        except UnicodeDecodeError:
            return "the secret is not text in UTF-8"

    def steps(self, changes: Sequence[Change], reading: Reading) -> Sequence[Step]:
        addresses = {c.address for c in changes}
        touched = [w for w in self.wanted if w.address in addresses]
        seen = self._seen(reading)
        if not touched or seen.data is None:
            return ()
        before, after = self._states(seen, seen.data, {w.name: _marked(w.text) for w in touched})
        return (
            PutFile(
                path=self.path,
                before=before,
                after=after,
                restart=tuple(dict.fromkeys(service for w in touched for service in w.restart)),
                addresses=tuple(sorted(addresses)),
            ),
        )

    def _states(
        self, seen: FileSeen, data: bytes, wishes: Mapping[str, str | None]
    ) -> tuple[FileState, FileState]:
        hidden = self._hidden_spans(data)
        keyed = bool(hidden) or any(_is_secret(w) for w in self.wanted)
        content = _content(data, vtsfile.pieces(data, wishes), hidden, self.path)
        resolved = content.resolve({**self.keys.secrets, **live.secrets([content], {self.path: seen})})

        def state(shown: Content | None, full: bytes) -> FileState:
            digest = (
                self.keys.fingerprints.digest(full)
                if keyed
                else FileSeen(kind=FileKind.FILE, data=full).digest
            )
            return FileState(
                content=shown, digest=digest, keyed=keyed, owner=seen.owner, group=seen.group, mode=seen.mode
            )

        return state(None if keyed else Content.plain(data), data), state(content, resolved)

    def _hidden_spans(self, data: bytes) -> list[tuple[int, int]]:
        """Bytes of the live file that no plan may hold: of secret parameters, and what looks like a secret."""
        secret = {w.name for w in self.wanted if _is_secret(w)}
        named = (
            (a.value.start, a.value.stop)
            for a in vtsfile.assignments(data)
            if a.name in secret or sensitive.is_sensitive(a.name)
        )
        return _merged([*named, *sensitive.spans(data)])


def _marked(text: str | SecretRef | None) -> str | None:
    return mark(text) if isinstance(text, SecretRef) else text


def _is_secret(wanted: WantedParameter) -> bool:
    return wanted.secret or sensitive.is_sensitive(wanted.name)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _content(
    data: bytes, pieces: Sequence[vtsfile.Piece], hidden: Sequence[tuple[int, int]], path: str
) -> Content:
    """The edited file, with references in place of hidden live bytes and of the secrets of new values."""
    parts: list[bytes | SecretRef] = []
    for piece in pieces:
        if isinstance(piece, vtsfile.Kept):
            parts.extend(_kept(data, piece, hidden, path))
        else:
            parts.extend(Content.from_marked(piece).parts)
    return Content(tuple(_joined(parts)))


def _kept(
    data: bytes, piece: vtsfile.Kept, hidden: Sequence[tuple[int, int]], path: str
) -> Iterator[bytes | SecretRef]:
    at = piece.start
    for span in hidden:
        start, stop = max(span[0], piece.start), min(span[1], piece.stop)
        if start < stop:
            yield data[at:start]
            yield live.reference(path, start, stop)
            at = stop
    yield data[at : piece.stop]


def _joined(parts: Sequence[bytes | SecretRef]) -> Iterator[bytes | SecretRef]:
    """Neighbouring bytes become one part; empty ones go."""
    for is_bytes, group in groupby(parts, key=lambda part: isinstance(part, bytes)):
        if is_bytes:
            text = b"".join(part for part in group if isinstance(part, bytes))
            yield from (text,) if text else ()
        else:
            yield from group

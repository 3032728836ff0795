"""Every tape of a server, as a stream: what the answer of `tapes.sh` means.

Records end with NUL and the path comes last (from an old `find`: they end with the mark), so no name can be taken for
something else. Constant memory on both sides, whatever the number of tapes.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vtsconf.core.errors import Unreachable
from vtsconf.core.frame import BadFrame, FrameReader, Record
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.printable import printable
from vtsconf.transport.jobanswer import nanoseconds

if TYPE_CHECKING:
    from vtsconf.transport.server import Exit

MOST_PROBLEMS = 1000
_LONGEST = 64 * 1024  # bytes of one record; a path has 4 KiB at most
_KINDS = {
    "d": "a directory",
    "l": "a symbolic link",
    "s": "a socket",
    "p": "a pipe",
    "b": "a device",
    "c": "a device",
}
_WRONG = {
    "h1": "a hidden directory, not looked into",
    "f1": "a file in the vault itself, where only pools belong",
    "l1": "a symbolic link where a pool should be; not followed, for a tape has one name",
}
_MOST_BEFORE = 4 * 1024 * 1024  # bytes before the list: a banner, the local accounts
_SAID = re.compile(rb"(\S*/)?(find|stat): ")
_LETTERS = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFSOCK: "s", stat.S_IFIFO: "p"}


@dataclass(frozen=True, kw_only=True)
class TapesSeen:
    """What there was to say beside the tapes: sentences about what is no tape, or could not be looked at.

    The first thousand of them, and how many more there were. `clock`: the server's seconds since 1970.
    """

    count: int
    problems: tuple[str, ...] = ()
    untold: int = 0
    clock: int = 0


@dataclass
class TapeReader:
    """Takes the answer in pieces of any size. Raises Unreachable when it makes no sense, or was cut."""

    mark: str
    on_tape: Callable[[Tape], None]
    count: int = 0
    problems: list[str] = field(default_factory=list)
    untold: int = 0
    _frames: FrameReader = field(init=False)
    _records: list[Record] = field(default_factory=list)
    _pending: bytes = b""
    _read: Callable[[bytes], None] = field(init=False)
    _users: dict[str, str] = field(default_factory=dict)
    _separator: bytes = b""
    _parse: Callable[[str], Tape | None] = field(init=False)

    def __post_init__(self) -> None:
        self._frames = FrameReader(self.mark)
        self._edge = b"\n" + self.mark.encode() + b" "
        self._read = self._look_for_tapes

    def feed(self, data: bytes) -> None:
        try:
            self._read(data)
        except BadFrame as error:
            raise Unreachable(f"the list of tapes makes no sense: {error}", stage="protocol") from error

    def end(self, ending: Exit) -> TapesSeen:
        """`ending` of the command."""
        code = next((record.rest(1) for record in self._records if record.kind == "code"), "")
        if not self._frames.ended or code not in ("0", "1"):
            said = (ending.stderr.strip() or self._frames.noise.strip()).decode(errors="replace")[-300:]
            raise Unreachable(
                f"the list of tapes ended early, after {self.count} (find: exit {code or ending.code})"
                f"{': ' + printable(said) if said else ''}",
                remedy="it needs a POSIX sh and find; nothing was taken from a part of the list",
                stage="protocol",
            )
        self._say_amiss(ending.stderr, code)
        clock = next((r.body for r in self._records if r.kind == "clock"), b"0").strip()
        return TapesSeen(
            count=self.count,
            problems=tuple(self.problems),
            untold=self.untold,
            clock=int(clock) if clock.isdigit() else 0,
        )

    def _look_for_tapes(self, data: bytes) -> None:
        """What comes before the list, and the header that says how its records end."""
        self._pending += data
        at = self._pending.find(self._edge + b"tapes ")
        if at < 0:
            if self._edge + b"code " in self._pending:  # there was nothing to list
                self._finish()
            elif len(self._pending) > _MOST_BEFORE:
                raise BadFrame("it does not begin")
            return
        header, ended, rest = self._pending[at + len(self._edge) :].partition(b"\n")
        if not ended:
            return
        self._take_records(self._pending[:at] + self._edge + b"list\n")
        self._users = _users(self._records)
        fast = header == b"tapes nul"
        self._separator = b"\0" if fast else self._edge + b"rec\n"
        self._parse = self._printed if fast else self._statted
        self._pending, self._read = b"", self._take_tapes
        self._take_tapes(rest)

    def _take_tapes(self, data: bytes) -> None:
        whole, cut, rest = (self._pending + data).rpartition(self._separator)
        self._pending = rest
        if cut:
            self._tell(whole.decode("utf-8", "surrogateescape").split(self._separator.decode()))
        if rest.startswith(self._edge) and not self._separator.startswith(rest):
            self._finish()
        elif len(rest) > _LONGEST:
            raise BadFrame("a record does not end")

    def _tell(self, records: Iterable[str]) -> None:
        parse, on_tape = self._parse, self.on_tape
        for record in records:
            try:
                tape = parse(record)
            except (ValueError, IndexError, OverflowError):
                raise BadFrame(f"a tape is told as {record[:200]!r}") from None
            if tape is not None:
                self.count += 1
                on_tape(tape)

    def _finish(self) -> None:
        """From here on there are plain records."""
        rest, self._pending, self._read = self._pending, b"", self._take_records
        self._take_records(rest)

    def _take_records(self, data: bytes) -> None:
        for record in self._frames.feed(data):
            if record.kind == "problem":
                self._say(printable(record.body))
            self._records.append(record)

    def _printed(self, record: str) -> Tape | None:
        """`%y%d %s %T@ %i %U %b %p` of GNU find, a million times: hence no more calls than it takes."""
        kind, size, when, inode, user, blocks, path = record.split(" ", 6)
        if (kind != "f2" or "/." in path or ".vtsconf-" in path) and not self._is_tape(kind, path):
            return None
        seconds, fraction = when[:-11], when[-11:]  # of ten digits
        # What Tape(…) does, without the check of every single field that makes a frozen record slow: half of all the time.
        tape = object.__new__(Tape)
        vars(tape).update(
            path=path,
            size=int(size),
            mtime=int(seconds + fraction[1:-1]) if fraction[:1] == "." else _nanoseconds(when),
            inode=int(inode),
            owner=self._users.get(user, user),
            allocated=int(blocks) * 512,
        )
        return tape

    def _statted(self, record: str) -> Tape | None:
        """`%n|%y|LEVEL %f %s %Y %i %U %b` of stat."""
        path, when, rest = record.rsplit("|", 2)
        level, mode, size, seconds, inode, others = rest.split(" ", 5)
        owner, blocks = others.rsplit(" ", 1)
        kind = _as_find_tells(_LETTERS.get(stat.S_IFMT(int(mode, 16)), "c") + level, path)
        if not kind or not self._is_tape(kind, path):
            return None
        return Tape(
            path=path,
            size=int(size),
            mtime=int(seconds) * 1_000_000_000 + nanoseconds(when.encode()),
            inode=int(inode),
            owner=owner,
            allocated=int(blocks) * 512,
        )

    def _is_tape(self, kind: str, path: str) -> bool:
        """A regular file at the third level whose name is nobody's temporary one; else it is told apart."""
        if kind == "f2":
            name = path.rpartition("/")[2]
            if not name.startswith(".") and ".vtsconf-" not in name:
                return True
            self._amiss(path, "a temporary or hidden file, not taken for a tape")
        elif kind != "d1":  # that is a pool
            self._amiss(path, _WRONG.get(kind) or f"{_KINDS.get(kind[:1], 'of no known kind')}, not a tape")
        return False

    def _amiss(self, path: str, what: str) -> None:
        self._say(f"{printable(path.encode(errors='surrogateescape'))}: {what}")

    def _say(self, sentence: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(sentence)
        else:
            self.untold += 1

    def _say_amiss(self, stderr: bytes, code: str) -> None:
        """What find could not look at: it says so itself."""
        said = [line for line in stderr.split(b"\n") if _SAID.match(line)]
        for line in said:
            self._say(printable(_SAID.sub(b"", line)))
        if code == "1" and not said:
            self._say("find could not look at everything, and did not say at what")


def _as_find_tells(kind: str, path: str) -> str:
    """The same for directories that find does not look into; "" is not worth a word."""
    *_, folder, name = path.split("/")
    is_below = kind[1:] == "2"
    if (folder if is_below else name) == "lost+found" or (is_below and folder.startswith(".")):
        return ""
    return "h1" if kind == "d1" and name.startswith(".") else kind


def _nanoseconds(when: str) -> int:
    """Of seconds with another number of digits after the point than GNU find prints."""
    seconds, _, fraction = when.partition(".")
    return int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))


def _users(records: Iterable[Record]) -> dict[str, str]:
    """Names of local accounts by number; of two with one number, the first."""
    text = b"\n".join(record.body for record in records if record.kind == "users").decode(errors="replace")
    lines = [line.split(" ", 1) for line in text.split("\n")]
    return {line[0]: line[1] for line in reversed(lines) if len(line) == 2}

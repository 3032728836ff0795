"""Where the VTS configuration file might be: files with `ems_…='…'` lines below a folder. Candidates, never a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vtsconf.core.printable import printable
from vtsconf.core.probe import Query, Reading

_NAME = "doctor/whereabouts"
_SECONDS = 15
_DEPTH = 6
_MOST = 20  # candidates
# Nothing is searched for when the file is where the documents say. `find` and `grep` are asked for nothing that
# those of 2007 do not have. A candidate of 2 MB would be no configuration file.
_SCRIPT = (
    '[ -n "$1" ] && [ -f "$1" ] && exit 0; shift; for r in "$@"; do '
    f'if [ -d "$r" ]; then find -H "$r" -maxdepth {_DEPTH} -xdev -type f -size -4096 '
    '-exec grep -c "^[[:space:]]*ems_[A-Za-z0-9_]*=\'" /dev/null {} + 2>/dev/null; '
    f'else echo "absent $r"; fi; done | grep -v ":0$" | head -n {_MOST + 1}'
)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file with lines that look like parameters. `path` is as the server told it."""

    path: str
    lines: int  # with an ems_ parameter


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """What a search found. Most lines first."""

    roots: tuple[str, ...]
    candidates: tuple[Candidate, ...] = ()
    absent: tuple[str, ...] = ()  # roots that are not there
    complete: bool = True

    @property
    def sentence(self) -> str:
        """For a person: what was found where."""
        where = ", ".join(printable(root) for root in self.roots)
        if not self.candidates:
            gone = " (no such folder)" if self.absent == self.roots else ""
            found = f"no file with ems_ lines was found below {where}{gone}"
        else:
            shown = ", ".join(f"{printable(c.path)} ({c.lines} ems_ lines)" for c in self.candidates[:3])
            more = f" and {len(self.candidates) - 3} more" if len(self.candidates) > 3 else ""
            found = f"candidates below {where}: {shown}{more}"
        return (
            found
            if self.complete
            else f"{found}; the search was cut short, name a smaller folder with --look-in"
        )


def search(config_file: str | None, roots: Sequence[str]) -> Query:
    """The query that looks for it, unless it is where the documents say."""
    return Query(_NAME, ("sh", "-c", _SCRIPT, "sh", config_file or "", *roots), timeout=_SECONDS)


def whereabouts_of(reading: Reading, roots: Sequence[str]) -> Whereabouts:
    """What the query found."""
    seen = reading.queries.get(_NAME)
    lines = seen.stdout.decode(errors="replace").splitlines() if seen else []
    found = sorted(_candidates(lines), key=lambda c: (-c.lines, c.path))
    return Whereabouts(
        roots=tuple(roots),
        candidates=tuple(found[:_MOST]),
        absent=tuple(line.removeprefix("absent ") for line in lines if line.startswith("absent ")),
        complete=seen is not None and seen.exit is not None and len(found) <= _MOST,
    )


def _candidates(lines: Sequence[str]) -> Iterator[Candidate]:
    for line in lines:
        path, _, count = line.rpartition(":")
        if path.startswith("/") and count.isdigit() and 0 < len(count) < 10:
            yield Candidate(path=path, lines=int(count))

"""Builds the sh programs that start, look at, end and forget detached runs. Every word is quoted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from vtsconf.core.errors import Refused
from vtsconf.transport.bounds import check_place
from vtsconf.transport.program import Program, _head, _program, _script
from vtsconf.transport.runs import Guard, RunSpec

CHECK_TIMEOUT = 20  # seconds
LONGEST_WAIT = 300  # seconds that an answer may wait for an end: half of what a command may take in all
LONGEST = 60 * 86400  # seconds that a run may take
RUNNING_OUTPUT = 4096  # bytes of what a running one said last
KEPT_OUTPUT = (
    4 * 32768 + 8192
)  # bytes that an ended one can have: three parts, each as long as its last read lets it be
_ENDS = ": end of the jobs"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")  # and surrogates that stand for no byte
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def words(function: str, *given: object) -> str:
    """One line of sh. Bytes that are no UTF-8 may be in a path; a control character may not."""
    for word in given:
        if _CONTROL.search(str(word)):
            raise Refused(f"a word for the server holds a control character: {str(word)!r}")
    return " ".join([function, *(shlex.quote(str(word)) for word in given)])


def place(spec: RunSpec, state_dir: str) -> str:
    """The directory that the command runs in."""
    return f"{state_dir}/jobs/{spec.id}/{spec.attempt}/dir"


def start_program(
    spec: RunSpec, state_dir: str, mark: str, *, patience: float = 0.0, paths: Sequence[str] = ()
) -> Program:
    """Lay everything down, and start it if the guards hold; then wait for its end, and tell what `paths` are.

    Raises Refused for what no job of ours asks.
    """
    check_spec(spec)
    check_place(state_dir, "-")
    payload = list(_payload(spec, state_dir))
    run = _run_text(spec, state_dir)
    program = len(f"{_kept()}{run}\n".encode("utf-8", "surrogateescape"))
    sizes = [word for name, data in payload for word in (name, len(data))]
    lines = [
        *_head(mark, state_dir),
        _patience(patience),
        *(_function("vt_files", [words("vt_tapes_are", *paths)]) if paths else []),
        words("vt_job", spec.id, spec.attempt),
        "vt_prepare",
        *(words("vt_put", name, len(data)) for name, data in payload),
        f'L=${{B%%"{_ENDS}"*}}',
        f"RUN={shlex.quote(run)}",
        "vt_put_program",
        words("vt_whole", *sizes, "run.sh", program),
        "vt_launch",
    ]
    return _program(lines, "jobs.sh", payload=tuple(data for _, data in payload))


def look_program(
    ids: Sequence[str], state_dir: str, paths: Sequence[str], mark: str, *, patience: float = 0.0
) -> Program:
    """How all these stand, at once or after some waiting, and what these files are."""
    return _jobs(
        state_dir,
        mark,
        _patience(patience),
        words("vt_jobs", RUNNING_OUTPUT, *map(checked, ids)),
        *([words("vt_tapes_are", *paths)] if paths else []),
    )


def end_program(id_: str, attempt: int, state_dir: str, mark: str) -> Program:
    """End the whole session of this attempt."""
    return _jobs(state_dir, mark, words("vt_job", checked(id_), attempt), "vt_end_job")


def forget_program(ids: Sequence[str], state_dir: str, mark: str) -> Program:
    """Remove what is kept of these, unless they run."""
    return _jobs(state_dir, mark, words("vt_forget_jobs", *map(checked, ids)))


def checked(id_: str) -> str:
    if not _ID.fullmatch(id_):
        raise Refused(f"{id_!r} is not the name of a job")
    return id_


def check_spec(spec: RunSpec) -> None:
    """Raises Refused for the first thing that no job of ours asks."""
    for wrong in _wrong(spec):
        raise Refused(f"this job asks for what no job may: {wrong}")


def _wrong(spec: RunSpec) -> Iterator[str]:
    checked(spec.id)
    if not 0 < spec.attempt < 10**6:
        yield f"an attempt {spec.attempt}"
    if not 0 < spec.timeout <= LONGEST:
        yield f"a time of {spec.timeout} s"
    for argv in (spec.argv, *spec.checks):
        if not argv or not argv[0] or argv[0].startswith("-"):
            yield f"the command {argv!r}"
    yield from (f"the file {name!r}" for name in spec.files if not _FILE.fullmatch(name))
    yield from (f"the variable {name!r}" for name in spec.env if not _VARIABLE.fullmatch(name))
    yield from (f"the path {guard.path!r}" for guard in spec.guards if not guard.path.startswith("/"))


def _jobs(state_dir: str, mark: str, *calls: str) -> Program:
    return _program([*_head(mark, state_dir), *calls, "vt_bye"], "jobs.sh")


def _patience(seconds: float) -> str:
    """A line of sh: no answer waits longer."""
    return f"vt_patience={int(100 * max(0.0, min(seconds, LONGEST_WAIT)))}"


def _kept() -> str:
    """What the runner keeps of the program: cut out of what the server was sent."""
    return "\n".join([_script("lib.sh"), _script("jobs.sh").partition(_ENDS)[0]])


def _payload(spec: RunSpec, state_dir: str) -> Iterator[tuple[str, bytes]]:
    stdin = spec.stdin.replace("{dir}", place(spec, state_dir))
    yield "input", stdin.encode("utf-8", "surrogateescape")
    for name, text in spec.files.items():
        yield f"dir/{name}", text.encode("utf-8", "surrogateescape")


def _run_text(spec: RunSpec, state_dir: str) -> str:
    """The runner's own part of its program."""
    here = place(spec, state_dir)
    argv = [word.replace("{dir}", here) for word in spec.argv]
    return "\n".join(
        [
            *_head("-", state_dir),
            words("vt_job", spec.id, spec.attempt),
            *_function(
                "vt_guards",
                [
                    *(words("vt_after", checked(id_)) for id_ in spec.after),
                    *map(_guard, spec.guards),
                    *map(_check, spec.checks),
                    *(map(_guard, spec.guards) if spec.checks else ()),  # a check takes its time
                ],
            ),
            *_function("vt_environment", [_export(name, value) for name, value in spec.env.items()]),
            f'vt_run "$1" {words(str(spec.timeout), *argv)}',
            "# end",
        ]
    )


def _function(name: str, lines: Iterable[str]) -> list[str]:
    return [f"{name}() {{", *(list(lines) or [":"]), "}"]


def _guard(guard: Guard) -> str:
    if guard.is_absent:
        return words("vt_absent", guard.path)
    if guard.only_in:
        return words("vt_only", guard.path, *guard.only_in)
    seconds, fraction = ("", 0) if guard.mtime is None else divmod(guard.mtime, 10**9)
    given = ("" if value is None else value for value in (guard.size, guard.inode))
    return words("vt_guard", guard.path, *given, seconds, f"{fraction:09d}" if fraction else "")


def _check(argv: Sequence[str]) -> str:
    return words("vt_check", CHECK_TIMEOUT, *argv)


def _export(name: str, value: str) -> str:
    return f"{name}={words('', value).strip()}; export {name}"

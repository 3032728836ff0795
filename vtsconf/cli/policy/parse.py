"""`vtsconf policy parse`: what a VTSPolicy line means, word by word, and what the executor would do for it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from vtsconf.cli import options
from vtsconf.core.errors import Usage
from vtsconf.core.outcome import Exit
from vtsconf.core.printable import printable
from vtsconf.core.problem import Problem, to_json
from vtsconf.core.vtspolicy.facts import SHOWN, release_of
from vtsconf.core.vtspolicy.line import Line, Word
from vtsconf.core.vtspolicy.parse import parse
from vtsconf.core.vtspolicy.wish import Wish, wishes

_MOST = 10 * 1024 * 1024  # bytes of a file or of stdin
_PROBLEMS = 1000  # that are kept to be shown; of the others only how many there are


@dataclass(frozen=True, kw_only=True)
class _Read:
    """One line, where it came from, and what it is."""

    text: str
    file: str
    number: int
    result: Line | tuple[Problem, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.result.problems if isinstance(self.result, Line) else self.result


def release_option(function: Any) -> Any:
    """`--release`, checked before anything is read."""
    return click.option(
        "--release",
        metavar="RELEASE",
        callback=_is_release,
        default=None,
        help="The VTS release that the lines are for: 8.3, 6.04.04, 6.03.41, 6.02.",
    )(function)


def _is_release(_context: click.Context, _parameter: click.Parameter, written: str | None) -> str | None:
    if written is not None and release_of(written) is None:
        raise click.BadParameter(f"`{printable(written, 40)}` is no release; write one like 8.3 or 6.03.41")
    return written


@click.command(
    epilog="""Examples: `vtsconf policy parse "VTSPolicy TSM 'archive /VAULT01/PROD/X00001 s=vts1.bank.example'"`,
    `vtsconf policy parse --release 6.03.41 - < lines.txt`, `vtsconf policy parse --file lines.txt --json`."""
)
@click.argument("lines", nargs=-1, metavar="[LINE]...")
@click.option("--file", "file", type=click.Path(dir_okay=False), metavar="FILE", help="A file of lines.")
@release_option
@options.show
def command(
    *,
    lines: tuple[str, ...],
    file: str | None,
    release: str | None,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Explain each LINE word by word: what it means, which manual says so, and what the executor would do for it.

    A LINE is one argument, in quotes for your shell; `-` reads many from stdin. Exit 3 when one cannot be understood.
    """
    options.set_color(color)
    sources = _sources(lines, file)
    first = next(_lines(sources), None)
    if first is None:
        raise Usage("no line was given", remedy="give one in quotes, `-` for stdin, or --file FILE")
    read = (_parsed(*line, release) for line in _lines(sources))
    wrong = _print(read, release) if as_json else _show(read, verbose)
    return Exit.INVALID if wrong else Exit.DONE


Source = tuple[str, int, str | bytes]  # where it is from, the number of its first line, a line or many


def _sources(lines: Sequence[str], file: str | None) -> list[Source]:
    """All that is to be read, before anything is said of it. Raises Usage."""
    found: list[Source] = [
        ("stdin", 1, _bounded("stdin", sys.stdin.buffer.read(_MOST + 1)))
        if text == "-"
        else ("the line", number, text)
        for number, text in enumerate(lines, 1)
    ]
    if file is not None:
        from vtsconf.engine.textfile import read_bytes

        data = read_bytes(Path(file), file, _MOST)
        if isinstance(data, Problem):
            raise Usage(f"{data.what}: {data.why}" if data.why else data.what, remedy=data.remedy)
        found.append((file, 1, _bounded(file, data)))
    return found


def _bounded(name: str, data: bytes) -> bytes:
    if len(data) > _MOST:
        raise Usage(f"{name} has more than {_MOST // 1024 // 1024} MB", remedy="give it in parts")
    return data


def _lines(sources: Iterable[Source]) -> Iterator[tuple[str, int, str]]:
    """Each line with its place. Lines of nothing but blanks in a file or on stdin are passed over."""
    for where, number, given in sources:
        if isinstance(given, str):
            yield where, number, given
            continue
        for at, raw in enumerate(io.BytesIO(given), number):
            line = raw.removesuffix(b"\n").decode(errors="surrogateescape")
            if line.strip():
                yield where, at, line


def _parsed(where: str, number: int, text: str, release: str | None) -> _Read:
    return _Read(text=text, file=where, number=number, result=parse(text, release, file=where, number=number))


def _print(read: Iterable[_Read], release: str | None) -> int:
    """The document, line by line as they are read: there may be very many. Returns how many are wrong.

    In ASCII: a line may hold bytes that are no text.
    """
    count = wrong = 0
    head: dict[str, Any] = {"format": "vtsconf/policy-line/1", "release": release, "lines": []}
    click.echo(json.dumps(head, indent=2).removesuffix("]\n}"), nl=False)
    for count, one in enumerate(read, 1):
        wrong += not isinstance(one.result, Line)
        text = json.dumps(_to_json(one), indent=2).replace(
            "\n", "\n    "
        )  # no text in it has a bare line end
        click.echo(f"{',' * (count > 1)}\n    {text}", nl=False)
    summary = {"lines": count, "understood": count - wrong, "wrong": wrong}
    click.echo("\n  ],\n" + json.dumps({"summary": summary}, indent=2).removeprefix("{\n"))
    return wrong


def _to_json(one: _Read) -> dict[str, Any]:
    where = {"text": one.text, "file": one.file, "line": one.number}
    if isinstance(one.result, Line):
        return {**where, "understood": True, **one.result.to_json(), "wish": wishes(one.result).to_json()}
    return {**where, "understood": False, "problems": [to_json(problem) for problem in one.result]}


def _show(read: Iterable[_Read], verbose: int) -> int:
    """Each line as it is read, then their problems. Returns how many lines are wrong."""
    from vtsconf.cli.problems import show_problems

    wrong = more = 0
    problems: list[Problem] = []
    for one in read:
        wrong += not isinstance(one.result, Line)
        room = max(0, _PROBLEMS - len(problems))
        problems += one.problems[:room]
        more += len(one.problems[room:])
        _show_one(one)
    show_problems(problems, verbose=verbose)
    if more:
        click.echo(f"and {more} more problems: the first {_PROBLEMS} are shown", err=True)
    return wrong


def _show_one(one: _Read) -> None:
    explained = _explained(one.result) if isinstance(one.result, Line) else ["! cannot be understood"]
    title = click.style(printable(one.text, 400), bold=True)
    click.echo("\n".join([title, *(f"  {text}" for text in explained)]))


def _explained(line: Line) -> Iterator[str]:
    """The words in a table, then what would be done."""
    width = min(max(len(printable(word.text, 60)) for word in line.words), 40)
    for word in line.words:
        yield f"{word.column:>4}  {printable(word.text, 60):<{width}}  {printable(word.says)}{_source(word)}"
    yield f"form: {SHOWN[line.form]}"
    yield from _wished(wishes(line))


def _source(word: Word) -> str:
    marks = [word.source] if word.source else []
    marks += [word.sure] if word.sure != "documented" else []
    return f"  [{'; '.join(marks)}]" if marks else ""


def _wished(wish: Wish) -> Iterator[str]:
    names = {"migrate": "+ migrate", "erase": "- erase", "restore": "+ restore", "none": "= nothing"}
    yield f"the executor would do: {names[wish.action]}"
    for reason in wish.reasons:
        yield f"    {reason.part}: {printable(reason.says)}"

"""`vtsconf policy parse`: what a VTSPolicy line means, word by word, and what the executor would do for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
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
    read = [
        _Read(text=text, file=where, number=number, result=parse(text, release, file=where, number=number))
        for where, number, text in _texts(lines, file)
    ]
    if not read:
        raise Usage("no line was given", remedy="give one in quotes, `-` for stdin, or --file FILE")
    if as_json:
        # In ASCII: a line may hold bytes that are no text.
        click.echo(json.dumps(_document(read, release), indent=2))
    else:
        _show(read, verbose)
    return Exit.DONE if all(isinstance(one.result, Line) for one in read) else Exit.INVALID


def _texts(lines: Sequence[str], file: str | None) -> Iterator[tuple[str, int, str]]:
    """Each line with its place. Lines of nothing but blanks in a file or on stdin are passed over."""
    for number, text in enumerate(lines, 1):
        if text == "-":
            yield from _split("stdin", sys.stdin.buffer.read(_MOST + 1))
        else:
            yield "the line", number, text
    if file is not None:
        from vtsconf.engine.textfile import read_bytes

        data = read_bytes(Path(file), file, _MOST)
        if isinstance(data, Problem):
            raise Usage(f"{data.what}: {data.why}" if data.why else data.what, remedy=data.remedy)
        yield from _split(file, data)


def _split(name: str, data: bytes) -> Iterator[tuple[str, int, str]]:
    if len(data) > _MOST:
        raise Usage(f"{name} has more than {_MOST // 1024 // 1024} MB", remedy="give it in parts")
    for number, line in enumerate(data.decode(errors="surrogateescape").split("\n"), 1):
        if line.strip():
            yield name, number, line


def _document(read: Sequence[_Read], release: str | None) -> dict[str, Any]:
    understood = sum(isinstance(one.result, Line) for one in read)
    return {
        "format": "vtsconf/policy-line/1",
        "release": release,
        "lines": [_to_json(one) for one in read],
        "summary": {"lines": len(read), "understood": understood, "wrong": len(read) - understood},
    }


def _to_json(one: _Read) -> dict[str, Any]:
    where = {"text": one.text, "file": one.file, "line": one.number}
    if isinstance(one.result, Line):
        return {**where, "understood": True, **one.result.to_json(), "wish": wishes(one.result).to_json()}
    return {**where, "understood": False, "problems": [to_json(problem) for problem in one.result]}


def _show(read: Sequence[_Read], verbose: int) -> None:
    from vtsconf.cli.problems import show_problems

    for one in read:
        click.echo(click.style(printable(one.text, 400), bold=True))
        if isinstance(one.result, Line):
            for text in _explained(one.result):
                click.echo(f"  {text}")
        else:
            click.echo("  ! cannot be understood")
    show_problems([problem for one in read for problem in one.problems], verbose=verbose)


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

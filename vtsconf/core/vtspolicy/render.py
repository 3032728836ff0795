"""Writes the VTSPolicy lines of a policy, for the NonStop side; what a line cannot say is refused or told."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from vtsconf.core.problem import Problem, errors
from vtsconf.core.vtspolicy.facts import (
    EVENT_TEXT,
    LATER,
    VERBS,
    Form,
    Verb,
    doubt,
    is_gone,
    may_be_cut,
    release_of,
    verb_of,
)
from vtsconf.core.vtspolicy.line import Keyword, Line
from vtsconf.core.vtspolicy.parse import parse
from vtsconf.core.vtspolicy.said import form_of, keywords_of, source_of, type_of
from vtsconf.core.vtspolicy.tacl import BUFFER
from vtsconf.core.vtspolicy.targets import refuse_globs, tapes_of, tell_unsaid
from vtsconf.core.vtspolicy.task import Task, Vts
from vtsconf.core.vtspolicy.write import write


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The lines, and what to know about them. Where an error is among the problems there are no lines."""

    lines: tuple[Line, ...] = ()
    problems: tuple[Problem, ...] = ()
    release: str | None = None


def render(
    name: str,
    vts: Vts,
    release: str | None = None,
    host: str = "",
    *,
    is_cluster: bool = False,
    allowed: Collection[str] = (),
) -> Rendered:
    """The lines of the policy `name` of a server, for a release (else that of `vts`).

    `host`: the server's name in the inventory. `is_cluster`: others may act on its vaults, so each line must say who
    does. `allowed`: policies that may erase, besides those of `vts.allow_erase`. Raises KeyError for no such policy.
    """
    task = Task(
        name=name,
        policy=vts.policies[name],
        vts=vts,
        release=release or vts.release,
        host=host,
        is_cluster=is_cluster,
        allowed={*allowed, *vts.allow_erase},
    )
    lines = [] if _is_unreadable(task) else list(_checked(task))
    stop = errors(task.found)
    return Rendered(lines=() if stop else tuple(lines), problems=tuple(task.found), release=task.release)


def _is_unreadable(task: Task) -> bool:
    if task.release is not None and release_of(task.release) is None:
        task.refuse("release", f"cannot be written for the release `{task.release[:30]}`",
                    remedy="write one like 8.3 or 6.03.41")  # fmt: skip
        return True
    if task.release is None:
        task.warn("release", "is written as for 8.x: no release is known",
                  why="6.02 and 6.03 have another form", remedy="give vts.release or --release")  # fmt: skip
    return False


def _checked(task: Task) -> Iterator[Line]:
    """Only what reads back as what was meant may leave."""
    for line in _lines(task):
        text = write(line)
        read = parse(text, task.release)
        if read != line:
            wrong = read[0].what if isinstance(read, tuple) else "it reads back as something else"
            task.refuse("unsayable", f"cannot be said in a VTSPolicy line: {wrong}",
                        why=f"it would be `{text[:200]}`", remedy="write submit: run")  # fmt: skip
        elif _fits(text, task):
            yield line


def _fits(text: str, task: Task) -> bool:
    size = len(text.encode())
    if size > BUFFER:
        task.refuse("length", f"makes a line of {size} bytes", source="8.2 Config p.89",
                    why=f"the documented macro's buffer holds {BUFFER}")  # fmt: skip
    elif may_be_cut(text):
        task.warn("length", f"makes a line of {size} bytes", source="8.3 Config p.173",
                  why=f"the server's event log keeps {EVENT_TEXT} bytes of a text: whoever reads it there sees a part")  # fmt: skip
    return size <= BUFFER


def _lines(task: Task) -> Iterator[Line]:
    match task.policy.action:
        case "migrate":
            yield from _migrations(task)
        case "erase":
            yield from _erasures(task)
        case action:
            task.refuse("verb", f"says `{action}`, and VTSPolicy has no verb for that", source="8.2 Config p.77",
                        why="VTS itself asks for an erased tape when a host wants to mount it",
                        remedy="use `vtsconf migrate restore`")  # fmt: skip


def _verb(task: Task) -> Verb | None:
    bma = task.policy.bma or ""
    verb = verb_of(bma)
    if verb is None:
        task.refuse("C18", f"uses {bma}, for which VTSPolicy has no verb",
                    why="no manual that we know lists one", remedy="write submit: run")  # fmt: skip
        return None
    return verb if _is_offered(verb, task) else None


def _is_offered(verb: Verb, task: Task) -> bool:
    unsure = doubt(verb, task.release)
    if unsure and is_gone(verb, task.release):
        task.refuse("C18", f"cannot be written for {task.release}: {unsure}", source=verb.source,
                    remedy=f"--release {verb.last} writes it, for a server of that release")  # fmt: skip
        return False
    if unsure:
        task.warn("C18", f"is not sure to be understood: {unsure}", source=verb.source,
                  remedy=f"try it on one tape first, or write it for --release {verb.last}")  # fmt: skip
    return True


def _migrations(task: Task) -> Iterator[Line]:
    verb = _verb(task)
    if verb is None:
        return
    form = form_of(verb, task)
    kind = type_of(form, verb, task)
    keywords = tuple(keywords_of(form, verb, task))
    tell_unsaid(task)
    for tapes in tapes_of(task):
        yield Line(verb=verb.name, form=form, type=kind, tapes=tapes, keywords=keywords)


def _erasures(task: Task) -> Iterator[Line]:
    """Only by name, and only where somebody has allowed it: the line cannot say "only what is proven on tape"."""
    if not {task.name, f"policies/{task.name}"} & set(task.allowed):
        task.refuse("erase", "erases tapes",
                    why="an Erase line erases what it names, proven on tape or not, and cannot be undone",
                    remedy=f"let `vtsconf migrate run` do it, or allow it: --allow-erase {task.name}")  # fmt: skip
    names = task.policy.select.cartridges
    refuse_globs(task, "cartridges", names or ("*",))
    tell_unsaid(task)
    verb = VERBS["Erase"]
    number = release_of(task.release)
    # 6.03.42 shows the form without s= [6.03.42 Ops p.69]: there it could be taken for a tape.
    source = source_of(Form.NAMES, task) if number is None or number >= LATER else None
    if errors(task.found) or not _is_offered(verb, task):
        return
    keywords = (Keyword(name="s", value=source, meaning="source", sure="inferred"),) if source else ()
    yield from _batches(Line(verb=verb.name, form=Form.NAMES, place="-", keywords=keywords), names)


def _batches(empty: Line, names: Collection[str]) -> Iterator[Line]:
    """As many names in a line as the server's event log keeps, with a bar before it: a line that is cut could name another
    tape.
    """
    batch: tuple[str, ...] = ()
    for name in names:
        if batch and may_be_cut("|" + write(replace(empty, names=(*batch, name)))):
            yield replace(empty, names=batch)
            batch = ()
        batch = (*batch, name)
    if batch:
        yield replace(empty, names=batch)

"""What a line says besides the tapes: its form, the backup type, the keywords."""

from __future__ import annotations

from collections.abc import Iterator

from vtsconf.core.vtspolicy.facts import (
    LATER,
    LINE_WORDS,
    NEWEST_EARLIER,
    OPTFILE,
    RETENTION,
    TYPES,
    Form,
    Sure,
    Verb,
    release_of,
)
from vtsconf.core.vtspolicy.line import Keyword
from vtsconf.core.vtspolicy.task import Task

_SAID = {"type", *OPTFILE, *LINE_WORDS}


def form_of(verb: Verb, task: Task) -> Form:
    """The form that the release has, as far as it is known."""
    number = release_of(task.release)
    if verb.name != "TSM" or (number and number < LATER):
        if number and NEWEST_EARLIER < number < LATER:
            task.warn(
                "form",
                f"is written in the form of 6.03.41: that of {task.release} is in no manual that we know",
            )
        return Form.PLAIN
    return Form.TYPED


def type_of(form: Form, verb: Verb, task: Task) -> str | None:
    """The backup type; None in a form that has none, and where there is an error."""
    kind = task.policy.options.get("type")
    if form is Form.TYPED and kind not in TYPES:
        task.refuse("C17", "does not say which backup it wants" if kind is None else f"wants the backup `{kind}`",
                    why="TSM knows archive and selective, and the line must name one",
                    remedy="write options.type: archive", source="8.2 Config p.77")  # fmt: skip
    if form is Form.PLAIN and kind is not None:
        task.warn("type", f"wants the backup `{kind}`, which this form cannot say",
                  why="6.03.41 saves what changed since the last time" if verb.name == "TSM" else "",
                  source="6.03.41 Ops p.83")  # fmt: skip
    return str(kind) if form is Form.TYPED and kind in TYPES else None


def _option(task: Task, *names: str) -> str | None:
    return next((str(task.policy.options[name]) for name in names if name in task.policy.options), None)


def keywords_of(form: Form, verb: Verb, task: Task) -> Iterator[Keyword]:
    """The keywords that the form knows, in a fixed order; a warning for each option that none can say."""
    source = source_of(form, task)
    if source:
        yield Keyword(name="s", value=source, meaning="source", sure="documented")
    if form is Form.PLAIN and verb.name == "TSM":
        yield _start(source, task)
    if path := _option(task, *OPTFILE):
        sure: Sure = "documented" if form is Form.TYPED else "inferred"
        yield Keyword(name="o", value=path, meaning="optfile", sure=sure)
    if (kept := _option(task, *RETENTION)) and form is Form.PLAIN:
        yield Keyword(name="r", value=kept, meaning="retention", sure="inferred")
    elif kept:
        task.warn("option", "has a retention, which this form has no known keyword for")
    if rest := sorted(set(task.policy.options) - _SAID):
        task.warn("option", f"has options that no known keyword can say: {', '.join(rest)}",
                  remedy="put them into the option file that `optfile` names")  # fmt: skip


def _start(source: str | None, task: Task) -> Keyword:
    """`st=y` [6.03.41 Ops p.83]; the only sample of 6.02 has the name of the host [6.02 Inst p.50]."""
    if release_of(task.release) == (6, 2) and source:
        return Keyword(name="st", value=source, meaning="sourceTSM", sure="inferred")
    return Keyword(name="st", value="y", meaning="sourceTSM", sure="documented")


def source_of(form: Form, task: Task) -> str | None:
    """Who is to act: the option, else the inventory's name where it can be what the form asks for."""
    named = _option(task, "source", "s")
    if named is None and task.host and (form is Form.PLAIN or "." in task.host):
        named = task.host
    if named is None and (form is Form.PLAIN or task.is_cluster):
        task.refuse("C16", "does not say which server is to act",
                    why="this form asks for it" if form is Form.PLAIN else "in a cluster the line must name it with s=",
                    remedy="add options.source: the fully qualified name of this server",
                    source="6.03.41 Ops p.83" if form is Form.PLAIN else "8.2 Config p.77")  # fmt: skip
    return named

"""Could this erase data? What a plan could do to a tape that is nowhere else, and who said it may.

The documented rules [8.3 Config p.125]: Scan/Cleanup erases only when it is on, only tapes that VTS itself
marked as migrated, only past retention or over a threshold; an erase cannot be undone. The names of most
parameters behind these rules are not documented, so part of this is a guess by name, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from vtsconf.core.change import Change
from vtsconf.core.problem import Level, Problem, suggestion
from vtsconf.core.tables import NAME
from vtsconf.core.validation import Locate
from vtsconf.core.wanted import WantedParameter
from vtsconf.resources.desired import Vts
from vtsconf.resources.lints.deeds import argvs, deeds
from vtsconf.resources.lints.erasing import NO_BMA, no_bma, parameters
from vtsconf.resources.lints.paths import written_paths
from vtsconf.resources.lints.risk import Risk
from vtsconf.resources.lints.subject import Subject

_NO_PARAMETERS = ("commands", "services", "files")  # other beginnings of addresses


def could_erase(
    vts: Vts,
    wanted: Mapping[str, WantedParameter],
    live: Mapping[str, str] | None,
    allowed: Collection[str],
    locate: Locate,
    *,
    rendered: Mapping[str, str] | None = None,
    host: str = "",
) -> list[Problem]:
    """Errors for what could make a tape erasable that was never migrated, unless it is allowed by name.

    `live` holds the live file's parameters (None: nobody looked; then a warning where only they could
    tell), `allowed` the names of `--allow-erase`; those of `vts.allow_erase` count too. `rendered` holds the
    texts of whole files that would be written, by path. What is allowed is still told, as a note.
    """
    subject = Subject(vts=vts, wanted=wanted, live=live, locate=locate, host=host)
    risks = [*parameters(subject), *no_bma(subject), *deeds(subject, rendered or {})]
    names = {*allowed, *vts.allow_erase}
    return [_problem(risk, names, subject) for risk in risks] + list(_idle(subject, risks))


def changes_could_erase(
    changes: Iterable[Change], live: Mapping[str, str] | None, allowed: Collection[str], *, host: str = ""
) -> list[Problem]:
    """The same of recorded changes without their document: a rollback may switch on what was off.

    Only parameters are judged; what a command or a file's old bytes do is not known here.
    """
    wanted = {}
    for change in changes:
        family, _, name = change.address.partition("/")
        if family not in _NO_PARAMETERS and re.fullmatch(NAME, name):
            text = None if change.desired is None else str(change.desired)
            wanted[name] = WantedParameter(name=name, address=change.address, text=text, family=family)
    subject = Subject(vts=Vts(), wanted=wanted, live=live, host=host)
    risks = parameters(subject)
    return [_problem(risk, allowed, subject) for risk in risks]


def _problem(risk: Risk, allowed: Collection[str], subject: Subject) -> Problem:
    wanted = subject.wanted.get(risk.name)
    is_allowed = risk.name in allowed
    path = risk.path or (wanted.path if wanted else ())
    allow = (
        f"if it shall be so, allow it by name: vts.allow_erase: [{risk.name}], or --allow-erase {risk.name}"
    )
    return Problem(
        what=f"{risk.what} (allowed by name)" if is_allowed else risk.what,
        why=risk.why,
        remedy="" if is_allowed else f"{risk.remedy}; {allow}" if risk.remedy else allow,
        level=Level.NOTE if is_allowed else risk.level,
        code="erase",
        place=subject.locate(path) if path else None,
        host=subject.host or None,
        address=risk.address or (wanted.address if wanted else ""),
        source=risk.source,
    )


def _idle(subject: Subject, risks: list[Risk]) -> Iterator[Problem]:
    """Names in vts.allow_erase that could never allow anything: misspelt, or left behind."""
    if not subject.vts.allow_erase:
        return
    known = {*(r.name for r in risks), *allowable(subject)}
    for index, name in enumerate(subject.vts.allow_erase):
        if name not in known:
            yield Problem(
                what=f"vts.allow_erase names `{name:.80}`, which is nothing in this document",
                why="an allowance that is left behind may one day allow what nobody meant",
                remedy=suggestion(name, known) or "take it out",
                level=Level.WARNING,
                code="erase-allowed",
                place=subject.locate(("vts", "allow_erase", index)),
                host=subject.host or None,
                address="allow_erase",
            )


def allowable(subject: Subject) -> set[str]:
    """Every name that an allowance could mean on this server."""
    vts = subject.vts
    addresses = (address for address, _, _ in argvs(vts))
    others = (*(f"rules/{name}" for name in vts.rules), *(f"bma/{name}" for name in vts.bma))
    policies = (*vts.policies, *(f"policies/{name}" for name in vts.policies))
    files = (f"files/{path}" for path, _ in written_paths(vts))
    return {*subject.wanted, *policies, *others, *addresses, *files, NO_BMA}

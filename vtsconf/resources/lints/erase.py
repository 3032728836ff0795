"""Could this erase data? What a plan could do to a tape that is nowhere else, and who said it may.

The documented rules [8.3 Config p.125]: Scan/Cleanup erases only when it is on, only tapes that VTS itself
marked as migrated, only past retention or over a threshold; an erase cannot be undone. The names of most
parameters behind these rules are not documented, so part of this is a guess by name, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vtsconf.core.change import Change
from vtsconf.core.problem import Level, Problem, suggestion
from vtsconf.core.tables import NAME
from vtsconf.core.tree import Path
from vtsconf.core.validation import Locate
from vtsconf.core.wanted import WantedParameter
from vtsconf.resources.desired import Vts
from vtsconf.resources.lints import danger
from vtsconf.resources.lints.paths import in_vault, written_paths
from vtsconf.resources.lints.subject import Subject

AUTOERASE = "cleanup_autoerase"
ENABLE = "cleanup_enable"
NO_BMA = "no-bma"
_SOURCE = "8.3 Config p.125"
_GUESS = "a guess by the name"
_WORDS = "a guess by the words"
_NO_PARAMETERS = ("commands", "services", "files")  # other beginnings of addresses
_DOCUMENTED = (AUTOERASE, ENABLE, "cleanup_scan_at", "cleanup_interval")
_NAME = re.compile(
    r"erase|retention|retain|delete|purge|expire|reclaim|truncat|after_migrat|scratch", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Risk:
    """One thing that could erase data; `name` is the word by which it can be allowed."""

    name: str
    what: str
    why: str
    remedy: str = ""
    path: Path = ()
    address: str = ""
    level: Level = Level.ERROR
    source: str = _SOURCE


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
    risks = list(_risks(subject, rendered or {}))
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
    risks = (
        *_autoerase(subject),
        *_enable(subject),
        *_suspicious_names(subject),
        *_migration_changed(subject),
        *_values(subject),
    )
    return [_problem(risk, allowed, subject) for risk in risks]


def _risks(subject: Subject, rendered: Mapping[str, str]) -> Iterator[_Risk]:
    yield from _autoerase(subject)
    yield from _enable(subject)
    yield from _suspicious_names(subject)
    yield from _migration_changed(subject)
    yield from _values(subject)
    yield from _no_bma(subject)
    yield from _policies(subject)
    yield from _bma_settings(subject)
    yield from _commands(subject)
    yield from _files(subject, rendered)


# --- parameters ---------------------------------------------------------------------------------------------------


def _autoerase(subject: Subject) -> Iterator[_Risk]:
    wanted = subject.wanted.get(AUTOERASE)
    if wanted is None or wanted.text == "NO":
        return
    if wanted.text is None and subject.changes(AUTOERASE) is False:
        return
    says = "is YES" if wanted.text == "YES" else "would be absent, and its default is not documented"
    yield _Risk(
        name=AUTOERASE,
        what=f"{AUTOERASE} {says if not wanted.secret else 'is a secret, so it may be YES'}",
        why="Scan/Cleanup then erases tapes by itself, and an erase cannot be undone",
        remedy="write cleanup.autoerase: false",
    )


def _enable(subject: Subject) -> Iterator[_Risk]:
    wanted = subject.wanted.get(ENABLE)
    if wanted is None or wanted.text == "NO" or subject.changes(ENABLE) is False:
        return
    if AUTOERASE in subject.wanted:  # judged by itself
        return
    erasing = subject.after(AUTOERASE)
    if erasing == "NO":
        return
    absent = subject.wanted[ENABLE].text is None
    does = "is switched on if that is its undocumented default" if absent else "is switched on"
    if subject.live is None:
        what = "is not set here: if it is YES on the server, this starts erasing"
    elif erasing is None:
        what = "is not in the live file, and its default is not documented"
    else:
        what = f"is `{erasing}` on the server, so this starts erasing"
    yield _Risk(
        name=ENABLE,
        what=f"Scan/Cleanup {does}, and {AUTOERASE} {what}",
        why="Scan/Cleanup then erases tapes by itself, and an erase cannot be undone",
        remedy="write cleanup.autoerase: false too",
        level=Level.WARNING if subject.live is None else Level.ERROR,
    )


def _suspicious_names(subject: Subject) -> Iterator[_Risk]:
    for name in subject.wanted:
        unknown_cleanup = name.casefold().startswith("cleanup_") and name not in _DOCUMENTED
        if name in _DOCUMENTED or not (unknown_cleanup or _NAME.search(name)):
            continue
        if subject.changes(name) is False:
            continue
        yield _Risk(
            name=name,
            what=f"`{name}` would change"
            if subject.live is not None
            else f"`{name}` may change what is erased",
            why="by its name it is about when tapes are erased; what it does is not documented"
            if _NAME.search(name)
            else "it belongs to Scan/Cleanup, which erases tapes; what it does is not documented",
            remedy="take it out",
            level=Level.WARNING if subject.live is None else Level.ERROR,
            source=_GUESS,
        )


def _migration_changed(subject: Subject) -> Iterator[_Risk]:
    """VTS marks a tape migrated when the command that hsm_ sets up says so: a wrong one marks what is on no tape."""
    erasing = subject.after(AUTOERASE)
    if subject.live is None or erasing is None or erasing == "NO":
        return
    for name, wanted in subject.wanted.items():
        if name.startswith("hsm_") and not _NAME.search(name) and subject.changes(name):
            yield _Risk(
                name=wanted.name,
                what=f"`{name}` would change while {AUTOERASE} is on",
                why="hsm_ parameters decide what VTS takes for migrated, and that is what is erased",
                remedy="write cleanup.autoerase: false until a migration was proven",
                source=f"inferred from 8.3 SIG p.15; {_SOURCE}",
            )


def _values(subject: Subject) -> Iterator[_Risk]:
    """VTS runs the command lines that parameters hold."""
    for name, wanted in subject.wanted.items():
        if isinstance(wanted.text, str) and (found := danger.in_text(wanted.text)):
            yield _Risk(
                name=name,
                what=f"the value of `{name}` could erase data: `{found}`",
                why="if VTS runs it, a tape may be gone that is nowhere else",
                remedy="take these words out",
                source=_WORDS,
            )


def _no_bma(subject: Subject) -> Iterator[_Risk]:
    erasing = subject.after(AUTOERASE)
    if erasing is None or erasing == "NO" or subject.vts.bma:
        return
    if any(
        name.startswith("hsm_") and subject.after(name) for name in {*subject.wanted, *(subject.live or {})}
    ):
        return
    known = subject.live is not None and AUTOERASE in subject.wanted
    yield _Risk(
        name=NO_BMA,
        what=f"{AUTOERASE} is on, and no BMA is there: neither vts.bma nor any hsm_ parameter",
        why="nothing copies tapes to physical tape, so nothing could bring an erased one back",
        remedy="configure the BMA first, or write cleanup.autoerase: false",
        path=subject.wanted[AUTOERASE].path if AUTOERASE in subject.wanted else ("vts",),
        level=Level.ERROR if known else Level.WARNING,
    )


# --- policies, commands, files ------------------------------------------------------------------------------------


def _policies(subject: Subject) -> Iterator[_Risk]:
    for name, policy in subject.vts.policies.items():
        path: Path = ("vts", "policies", name)
        address = f"policies/{name}"
        word = address if name in subject.wanted else name  # one word must not allow two things
        if policy.action == "erase":
            proven = policy.select.migrated == "yes"
            yield _Risk(
                name=word,
                what=f"the policy {name} erases tapes{'' if proven else ', and not only those that are migrated'}",
                why="an erase cannot be undone",
                remedy="" if proven else "add `migrated: yes` to its select",
                path=(*path, "action"),
                address=address,
            )
        yield from _options(word, policy.options, path, address)
    for name, rule in subject.vts.rules.items():
        path, address = ("vts", "ems", "rules", name), f"rules/{name}"
        if rule.action == "erase":
            yield _Risk(
                name=address,
                what=f"the rule {name} erases tapes when an event comes",
                why="an erase cannot be undone, and whoever can write an event can ask for it",
                path=(*path, "action"),
                address=address,
            )
        yield from _options(address, rule.options, path, address)


def _options(word: str, options: Mapping[str, object], path: Path, address: str) -> Iterator[_Risk]:
    text = "\n".join(f"{key} {value}\nVTSPolicy {value}" for key, value in options.items())
    if found := danger.in_text(text):
        yield _Risk(
            name=word,
            what=f"{address} has options that could erase: `{found}`",
            why="a BMA that drops the file it saved deletes the tape itself",
            remedy="take the option out",
            path=(*path, "options"),
            address=address,
            source=_WORDS,
        )


def _bma_settings(subject: Subject) -> Iterator[_Risk]:
    for name, settings in subject.vts.bma.items():
        if found := danger.in_text("\n".join(_lines(settings.model_dump()))):
            yield _Risk(
                name=f"bma/{name}",
                what=f"vts.bma.{name} could erase data: `{found}`",
                why="a BMA that drops the file it saved deletes the tape itself",
                remedy="take it out",
                path=("vts", "bma", name),
                address=f"bma/{name}",
                source=_WORDS,
            )


def _lines(value: Any) -> Iterator[str]:
    """Plain data as lines of text: a key and its value on one."""
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from (f"{key} {line}" for line in _lines(inner))
        case list() | tuple():
            lines = [line for inner in value for line in _lines(inner)]
            yield from lines
            yield " ".join(lines)  # the words of a command
        case _:
            yield str(value)


def _commands(subject: Subject) -> Iterator[_Risk]:
    for address, path, words in _argvs(subject.vts):
        reason = danger.in_words(words, subject.vts.config_file)
        if reason:
            yield _Risk(
                name=address,
                what=f"{'.'.join(str(p) for p in path)} could erase data: {reason}",
                why="what a command does cannot be known before; these words are a reason to ask",
                remedy="take it out",
                path=path,
                address=address,
                source=_WORDS,
            )


def _argvs(vts: Vts) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    """Every command of the document that runs on the server: its address, place and words."""
    for name, command in vts.commands.items():
        for key in ("check", "run", "revert"):
            yield f"commands/{name}", ("vts", "commands", name, key), getattr(command, key) or ()
    for name, service in vts.services.items():
        for key in ("restart", "status"):
            yield f"services/{name}", ("vts", "services", name, key), getattr(service, key) or ()
    for name, health in vts.health.items():
        yield f"health/{name}", ("vts", "health", name, "run"), health.run
    for file, wanted in vts.files.items():
        yield f"files/{file}", ("vts", "files", file, "validate"), wanted.validate_with or ()
    if vts.vtspolicy:
        yield "vtspolicy", ("vts", "vtspolicy", "command"), vts.vtspolicy.command


def _files(subject: Subject, rendered: Mapping[str, str]) -> Iterator[_Risk]:
    vts = subject.vts
    ways: dict[str, Path] = dict.fromkeys(rendered, ("vts",))
    ways |= dict(written_paths(vts))
    for path, way in ways.items():
        if in_vault(path):
            yield _Risk(
                name=f"files/{path}",
                what=f"{path} is in a vault: writing it could overwrite a tape",
                why="a tape is a file there, and its old content would be gone",
                remedy="put the file elsewhere",
                path=way,
                address=f"files/{path}",
                source="8.4 Config p.2",
            )
    texts = {path: file.content or "" for path, file in vts.files.items()} | dict(rendered)
    for path, text in texts.items():
        if found := danger.in_text(text):
            yield _Risk(
                name=f"files/{path}",
                what=f"the content of {path} could erase data: `{found}`",
                why="what reads or runs the file cannot be known; these words are a reason to ask",
                remedy="take the line out",
                path=ways.get(path, ("vts",)),
                address=f"files/{path}",
                source=_WORDS,
            )


# --- telling ------------------------------------------------------------------------------------------------------


def _problem(risk: _Risk, allowed: Collection[str], subject: Subject) -> Problem:
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


def _idle(subject: Subject, risks: list[_Risk]) -> Iterator[Problem]:
    """Names in vts.allow_erase that could never allow anything: misspelt, or left behind."""
    vts = subject.vts
    addresses = (address for address, _, _ in _argvs(vts))
    rules = (f"rules/{name}" for name in vts.rules)
    known = {*(r.name for r in risks), *subject.wanted, *vts.policies, *rules, *addresses, NO_BMA}
    for index, name in enumerate(vts.allow_erase):
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

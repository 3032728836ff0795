"""Policies, rules, commands and files that could erase a tape by what they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vtsconf.core.tree import Path
from vtsconf.resources.desired import Vts
from vtsconf.resources.lints import danger
from vtsconf.resources.lints.paths import in_vault, written_paths
from vtsconf.resources.lints.risk import WORDS, Risk
from vtsconf.resources.lints.subject import Subject


def deeds(subject: Subject, rendered: Mapping[str, str]) -> Iterator[Risk]:
    """Everything the document has done on the server, or written to it, that could erase a tape."""
    yield from _policies(subject)
    yield from _bma_settings(subject)
    yield from _commands(subject)
    yield from _files(subject, rendered)


def _policies(subject: Subject) -> Iterator[Risk]:
    for name, policy in subject.vts.policies.items():
        path: Path = ("vts", "policies", name)
        address = f"policies/{name}"
        word = address if name in subject.wanted else name  # one word must not allow two things
        if policy.action == "erase":
            proven = policy.select.migrated == "yes"
            yield Risk(
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
            yield Risk(
                name=address,
                what=f"the rule {name} erases tapes when an event comes",
                why="an erase cannot be undone, and whoever can write an event can ask for it",
                path=(*path, "action"),
                address=address,
            )
        yield from _options(address, rule.options, path, address)


def _options(word: str, options: Mapping[str, object], path: Path, address: str) -> Iterator[Risk]:
    text = "\n".join(f"{key} {value}\nVTSPolicy {value}" for key, value in options.items())
    if found := danger.in_text(text):
        yield Risk(
            name=word,
            what=f"{address} has options that could erase: `{found}`",
            why="a BMA that drops the file it saved deletes the tape itself",
            remedy="take the option out",
            path=(*path, "options"),
            address=address,
            source=WORDS,
        )


def _bma_settings(subject: Subject) -> Iterator[Risk]:
    for name, settings in subject.vts.bma.items():
        if found := danger.in_text("\n".join(_lines(settings.model_dump()))):
            yield Risk(
                name=f"bma/{name}",
                what=f"vts.bma.{name} could erase data: `{found}`",
                why="a BMA that drops the file it saved deletes the tape itself",
                remedy="take it out",
                path=("vts", "bma", name),
                address=f"bma/{name}",
                source=WORDS,
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


def _commands(subject: Subject) -> Iterator[Risk]:
    for address, path, words in argvs(subject.vts):
        reason = danger.in_words(words, subject.vts.config_file)
        if reason:
            yield Risk(
                name=address,
                what=f"{'.'.join(str(p) for p in path)} could erase data: {reason}",
                why="what a command does cannot be known before; these words are a reason to ask",
                remedy="take it out",
                path=path,
                address=address,
                source=WORDS,
            )


def argvs(vts: Vts) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
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


def _files(subject: Subject, rendered: Mapping[str, str]) -> Iterator[Risk]:
    vts = subject.vts
    ways: dict[str, Path] = dict.fromkeys(rendered, ("vts",))
    ways |= dict(written_paths(vts))
    for path, way in ways.items():
        if in_vault(path):
            yield Risk(
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
            yield Risk(
                name=f"files/{path}",
                what=f"the content of {path} could erase data: `{found}`",
                why="what reads or runs the file cannot be known; these words are a reason to ask",
                remedy="take the line out",
                path=ways.get(path, ("vts",)),
                address=f"files/{path}",
                source=WORDS,
            )

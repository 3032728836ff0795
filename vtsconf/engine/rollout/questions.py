"""What the gates of a rollout will ask of one server, taken from its documents; written down before anything changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from vtsconf.bma import application_of
from vtsconf.core.rollout.gate import Question
from vtsconf.core.rollout.strategy import Gates
from vtsconf.core.sensitive import is_sensitive
from vtsconf.engine.apply import HEALTH_TIMEOUT
from vtsconf.engine.prepare import Ready
from vtsconf.transport.program import STATUS_TIMEOUT

CHECKS = "checks/"
_SHORTEST = 4  # characters of a password that is looked for in other words
_WORDS = r"(?:passw(?:or)?d|passphrase|secret|token|pwd|private[_-]?key)"
_OPTION = re.compile(rf"--?[\w-]*{_WORDS}", re.IGNORECASE)
# `password=x`, `token: x`, `https://user:x@host`; what a shell looks up, or a reference to a secret, is none.
_GIVEN = re.compile(rf"{_WORDS}\s*[=:]\s*[\"']?(?!secret://)[^\s\"'$]|://[^/\s:@]+:[^/\s@$]+@", re.IGNORECASE)


def questions_of(ready: Ready, gates: Gates) -> tuple[Question, ...]:
    """In the order in which they are asked. A command whose words hold a secret, or look so, is left without words."""
    vts = ready.vts
    asked: list[Question] = []
    if gates.health:
        asked += [
            Question(gate=f"health/{name}", argv=h.run, on=h.on, timeout=HEALTH_TIMEOUT)
            for name, h in vts.health.items()
        ]
    if gates.services:
        asked += [
            Question(gate=f"services/{name}", argv=service.status, timeout=STATUS_TIMEOUT)
            for name, service in vts.services.items()
            if service.status
        ]
    if gates.bma:
        asked += _clients(ready)
    if gates.event_log:
        asked.append(_event_log(ready, gates))
    asked += [replace(check, gate=f"{CHECKS}{check.gate.removeprefix(CHECKS)}") for check in gates.checks]
    # Not Ansible's `groups`: it names the whole fleet, for each of its hosts.
    secrets = list(plain_secrets({n: v for n, v in ready.host.variables.items() if n != "groups"}))
    return tuple(replace(q, argv=()) if is_telling(q.argv, secrets) else q for q in asked)


def _clients(ready: Ready) -> Iterator[Question]:
    """Whether each backup client reaches its server."""
    for name, settings in ready.vts.bma.items():
        for fact in application_of(name, settings).facts(settings):
            if fact.name == "reachable":
                query = fact.query
                yield Question(
                    gate=f"bma/{name}",
                    argv=query.argv,
                    timeout=query.timeout,
                    pattern=fact.pattern,
                    exit_counts=fact.exit_counts,
                )


def _event_log(ready: Ready, gates: Gates) -> Question:
    """In a lab, `vts_root` stands before the path, as everywhere."""
    root = ready.host.variables.get("vts_root")
    before = root.rstrip("/") if isinstance(root, str) and root.startswith("/") else ""
    path = before + gates.event_log_path.removeprefix(before)
    ignored = [pattern for pattern in gates.ignore if pattern]  # an empty one would match every line
    return Question(gate="event-log", kind="event-log", argv=(path, *gates.severities, "--", *ignored))


def is_telling(argv: tuple[str, ...], secrets: list[str]) -> bool:
    """Its words hold one of `secrets`, or look as if they held one: `--password=…`, `--token …`."""
    return (
        any(secret in word for word in argv for secret in secrets)
        or any(_GIVEN.search(word) for word in argv)
        or any(_OPTION.fullmatch(option) for option, value in pairwise(argv) if not value.startswith("-"))
    )


def plain_secrets(variables: Mapping[str, Any]) -> Iterator[str]:
    """Passwords that stand in the variables as they are; their names tell."""
    for name, value in variables.items():
        match value:
            case Mapping():
                yield from plain_secrets(value)
            case str() if is_sensitive(str(name)) and len(value) >= _SHORTEST:
                if not value.startswith("secret://"):
                    yield value

"""Examines one server: what must be right before changes are made, each finding with its reason and its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vtsconf.core.connection import Target
from vtsconf.core.errors import Invalid, Unreachable, VtsconfError
from vtsconf.core.outcome import Exit
from vtsconf.core.probe import Probe
from vtsconf.core.problem import Problem, errors
from vtsconf.core.secret import FingerprintKey
from vtsconf.engine.doctor import needs
from vtsconf.engine.doctor.check import Check, Verdict, fails, passes
from vtsconf.engine.doctor.judgement import ask_folders, judged
from vtsconf.engine.doctor.snippet import snippet, snippet_unreached
from vtsconf.engine.doctor.whereabouts import search, whereabouts_of
from vtsconf.engine.facts import facts_of, look
from vtsconf.engine.outline import Outline
from vtsconf.engine.reach import Reach

LOOK_IN = "/usr/local/tape"  # the product's own folder; that the configuration file is below it is inferred


@dataclass(frozen=True, kw_only=True)
class Examination:
    """All checks of one server, and what the documents still lack."""

    host: str
    checks: tuple[Check, ...]
    snippet: str = ""  # YAML for host_vars
    unreachable: bool = False

    @property
    def exit(self) -> Exit:
        if self.unreachable:
            return Exit.UNREACHABLE
        wrong = any(check.verdict is Verdict.ERROR for check in self.checks)
        return Exit.ERROR if wrong else Exit.DONE


def examine(
    outline: Outline,
    documents: Sequence[Problem],
    *,
    reach: Reach,
    clock: Callable[[], float],
    key: FingerprintKey,
    look_in: Sequence[str] = (),
) -> Examination:
    """Look at one server in one round trip and judge it. `documents` are the problems of what was written."""
    roots = tuple(look_in) or (outline.root + LOOK_IN,)
    try:
        seen = look(outline, reach, clock, _probes(outline, roots))
    except Unreachable as error:
        checks = (_documents(documents), *unreached(error, outline.target))
        return Examination(
            host=outline.name,
            checks=checks,
            snippet=snippet_unreached(outline.target, error),
            unreachable=True,
        )
    except VtsconfError as error:
        check = fails("connection", str(error), "the server could not be asked", error.remedy)
        return Examination(host=outline.name, checks=(_documents(documents), check))
    facts = facts_of(outline, seen, key)
    places = whereabouts_of(seen.reading, roots)
    return Examination(
        host=outline.name,
        checks=(_documents(documents), *judged(outline, seen.reading, facts, places)),
        snippet=snippet(outline, seen, facts, places),
    )


def _probes(outline: Outline, roots: Sequence[str]) -> tuple[Probe, ...]:
    vts = outline.vts
    return needs.query(vts.state_dir), ask_folders(outline), search(vts.config_file, roots)


def _documents(problems: Sequence[Problem]) -> Check:
    wrong = errors(problems)
    if not wrong:
        return passes("documents", "nothing in the documents stands in the way")
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    place = f"{wrong[0].place}: " if wrong[0].place else ""
    return fails(
        "documents",
        f"{place}{wrong[0].what}{more}",
        "without this no plan can be made; the sections that are in order are used below",
        wrong[0].remedy or "`vtsconf validate` shows all of them",
    )


_STAGES = {
    "network": "nothing answered at this address: neither SSH nor the login was tried",
    "jump host": "the way through the jump host does not lead to the server",
    "greeting": "the connection was opened, but an SSH greeting and key exchange did not come about",
    "algorithms": "both sides speak SSH, and have no algorithm in common that is allowed",
    "host key": "the encrypted connection stands, but nothing says that this is the right server; nothing was sent",
    "login": "the server is the right one, and it did not let us in",
    "become": "the login succeeded; becoming the other user failed, so nothing was run",
    "session": "the login succeeded; the connection was lost, or the server fell silent, while it worked for us",
    "protocol": "the login succeeded; the server did not run our sh program to its end",
}


def unreached(error: Unreachable, target: Target) -> Iterator[Check]:
    """The stages that were passed, and the one that failed."""
    skipped = {"jump host"} if target.become else {"jump host", "become"}
    order = [stage for stage in _STAGES if stage not in skipped]
    if error.stage in order:
        for stage in order[: order.index(error.stage)]:
            yield passes(stage, "passed")
    why = _STAGES.get(error.stage, "the connection did not come about, or was lost")
    yield fails(error.stage or "connection", str(error), why, error.remedy or "see the server's sshd log")


def refused(host: str, error: Invalid) -> Examination:
    """A host whose connection variables are wrong: nobody knows where to go."""
    checks = tuple(
        fails(
            "documents",
            f"{p.place}: {p.what}" if p.place else p.what,
            p.why or "without it the server is not contacted",
            p.remedy,
        )
        for p in error.problems
    )
    return Examination(host=host, checks=checks)


def to_json(hosts: Iterable[Examination]) -> dict[str, Any]:
    """The document `vtsconf/doctor/1`."""
    return {"format": "vtsconf/doctor/1", "hosts": [_host_json(host) for host in hosts]}


def _host_json(host: Examination) -> dict[str, Any]:
    checks = [
        {"name": c.name, "verdict": c.verdict.value, "what": c.what, "why": c.why, "remedy": c.remedy}
        for c in host.checks
    ]
    outcomes = {Exit.UNREACHABLE: "unreachable", Exit.ERROR: "error"}
    return {
        "host": host.host,
        "outcome": outcomes.get(host.exit, "ok"),
        "checks": checks,
        "snippet": host.snippet,
    }

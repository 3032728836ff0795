"""Checks of policies that become VTSPolicy lines, `submit: vtspolicy` (C16 to C20)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vtsconf.core.problem import Level, suggestion
from vtsconf.core.vtspolicy.facts import LATER, OPTFILE, TYPES, VERBS, doubt, verb_of
from vtsconf.resources.desired import PEERS
from vtsconf.resources.lints.defaults import version
from vtsconf.resources.lints.subject import Finding, Lint, Subject

if TYPE_CHECKING:
    from vtsconf.resources.policies import Policy


def _submitted(subject: Subject) -> Iterator[tuple[str, Policy]]:
    for name, policy in subject.vts.policies.items():
        if policy.submit == "vtspolicy":
            yield name, policy


def _of_tsm(subject: Subject) -> Iterator[tuple[str, Policy]]:
    return ((n, p) for n, p in _submitted(subject) if p.bma == "tsm" and p.action != "erase")


def _has_later_form(subject: Subject) -> bool:
    release = version(subject.vts.release)
    return release is None or release >= LATER


def _source(policy: Policy) -> str | None:
    source = policy.options.get("source", policy.options.get("s"))
    return None if source is None else str(source)


def _is_named(policy: Policy, subject: Subject) -> bool:
    """The line names this server by its name in the inventory, where that can be what its form asks for."""
    is_plain = policy.action != "erase" and (policy.bma != "tsm" or not _has_later_form(subject))
    return "." in subject.host or (is_plain and bool(subject.host))


def _cluster_without_source(subject: Subject) -> Iterator[Finding]:
    if not subject.after(PEERS):
        return
    for name, policy in _submitted(subject):
        if not (_source(policy) or _is_named(policy, subject)):
            yield Finding(
                what=f"the policy {name} does not say which server of the cluster is to act",
                why="in a cluster a VTSPolicy line must name it with s=",
                remedy="add options.source: the fully qualified name of this server",
                path=("vts", "policies", name),
            )


def _unknown_type(subject: Subject) -> Iterator[Finding]:
    for name, policy in _of_tsm(subject):
        kind = policy.options.get("type")
        if kind in TYPES or (kind is None and not _has_later_form(subject)):
            continue
        said = "does not say what kind of backup it wants" if kind is None else f"wants the backup `{kind}`"
        hint = suggestion(str(kind), TYPES) if kind is not None else ""
        yield Finding(
            what=f"the policy {name} {said}",
            why="VTSPolicy TSM knows archive and selective, and all its words are case-sensitive",
            remedy=hint or "write options.type: archive",
            path=("vts", "policies", name, "options", "type"),
        )


def _verb_not_offered(subject: Subject) -> Iterator[Finding]:
    for name, policy in _submitted(subject):
        verb = VERBS["Erase"] if policy.action == "erase" else verb_of(policy.bma or "")
        what = doubt(verb, subject.vts.release) if verb else f"VTSPolicy has no verb for {policy.bma}"
        if what:
            yield Finding(
                what=f"the policy {name}: {what}",
                why="the server may not understand the line",
                remedy="write submit: run",
                path=("vts", "policies", name, "submit"),
            )


def _short_source(subject: Subject) -> Iterator[Finding]:
    release = version(subject.vts.release)
    for name, policy in _submitted(subject):
        source = _source(policy)
        if release and release >= LATER and source and "." not in source:
            yield Finding(
                what=f"the policy {name} names the server `{source}` by its short name",
                why="from 6.04.04 the manual asks for the fully qualified name",
                remedy="write the name with its domain",
                path=("vts", "policies", name, "options"),
            )


def _relative_optfile(subject: Subject) -> Iterator[Finding]:
    for name, policy in _of_tsm(subject):
        for key in OPTFILE:
            value = policy.options.get(key)
            if value is not None and not str(value).startswith("/"):
                yield Finding(
                    what=f"the policy {name} gives the option file as `{value}`",
                    why="VTSPolicy wants an absolute path",
                    remedy="write it from the root",
                    path=("vts", "policies", name, "options", key),
                )


LINTS = (
    Lint(
        code="C16",
        title="a VTSPolicy line in a cluster without `s=`",
        level=Level.ERROR,
        source="8.2 Config p.77",
        check=_cluster_without_source,
    ),
    Lint(
        code="C17",
        title="the backup type of a VTSPolicy line is neither archive nor selective",
        level=Level.ERROR,
        source="8.2 Config p.77",
        check=_unknown_type,
    ),
    Lint(
        code="C18",
        title="a VTSPolicy verb is not offered by the release",
        level=Level.WARNING,
        source="6.02 Inst p.51; 6.03.41 Ops p.83; 8.2 Config p.77, 89",
        check=_verb_not_offered,
    ),
    Lint(
        code="C19",
        title="a short host name in `s=` on 6.04.04 or later",
        level=Level.WARNING,
        source="6.04.04 Ops p.89; 6.03.41 Ops p.83",
        check=_short_source,
    ),
    Lint(
        code="C20",
        title="`optfile` is not an absolute path",
        level=Level.ERROR,
        source="6.04.04 Ops p.89",
        check=_relative_optfile,
    ),
)

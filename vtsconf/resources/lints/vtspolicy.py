"""Checks of policies that become VTSPolicy lines, `submit: vtspolicy` (C16 to C20)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vtsconf.core.problem import Level, suggestion
from vtsconf.resources.desired import PEERS
from vtsconf.resources.lints.defaults import version
from vtsconf.resources.lints.subject import Finding, Lint, Subject

if TYPE_CHECKING:
    from vtsconf.resources.policies import Policy

# VTSPolicy's verb of each BMA, and the releases whose manuals are known to list it; None: all of them.
_VERBS: dict[str, tuple[str, tuple[str, str] | None]] = {
    "tsm": ("TSM", None),
    "netbackup": ("NBU", ("6.02", "6.03.41")),
    "networker": ("LEG", ("6.02", "6.03.41")),
}
_ERASE = ("6.02", "8.2")
_TYPES = ("archive", "selective")
_LATER_FORM = (6, 4, 4)  # from 6.04.04 the first word is the backup type, and names are fully qualified


def _submitted(subject: Subject) -> Iterator[tuple[str, Policy]]:
    for name, policy in subject.vts.policies.items():
        if policy.submit == "vtspolicy":
            yield name, policy


def _of_tsm(subject: Subject) -> Iterator[tuple[str, Policy]]:
    return ((n, p) for n, p in _submitted(subject) if p.bma == "tsm" and p.action != "erase")


def _has_later_form(subject: Subject) -> bool:
    release = version(subject.vts.release)
    return release is None or release >= _LATER_FORM


def _source(policy: Policy) -> str | None:
    source = policy.options.get("source", policy.options.get("s"))
    return None if source is None else str(source)


def _cluster_without_source(subject: Subject) -> Iterator[Finding]:
    if not subject.after(PEERS):
        return
    for name, policy in _submitted(subject):
        if not _source(policy):
            yield Finding(
                what=f"the policy {name} does not say which server of the cluster is to act",
                why="in a cluster a VTSPolicy line must name it with s=",
                remedy="add options.source: the fully qualified name of this server",
                path=("vts", "policies", name),
            )


def _unknown_type(subject: Subject) -> Iterator[Finding]:
    for name, policy in _of_tsm(subject):
        kind = policy.options.get("type")
        if kind in _TYPES or (kind is None and not _has_later_form(subject)):
            continue
        said = "does not say what kind of backup it wants" if kind is None else f"wants the backup `{kind}`"
        hint = suggestion(str(kind), _TYPES) if kind is not None else ""
        yield Finding(
            what=f"the policy {name} {said}",
            why="VTSPolicy TSM knows archive and selective, and all its words are case-sensitive",
            remedy=hint or "write options.type: archive",
            path=("vts", "policies", name, "options", "type"),
        )


def _verb_not_offered(subject: Subject) -> Iterator[Finding]:
    release = version(subject.vts.release)
    for name, policy in _submitted(subject):
        verb, span = (
            ("Erase", _ERASE) if policy.action == "erase" else _VERBS.get(policy.bma or "", ("", None))
        )
        first, last = (version(span[0]), version(span[1])) if span else (None, None)
        if not verb:
            what = f"VTSPolicy has no verb for {policy.bma}"
        elif release and first and last and not first <= release <= last:
            what = f"no manual that we know shows `VTSPolicy {verb}` for release {subject.vts.release}"
        else:
            continue
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
        if release and release >= _LATER_FORM and source and "." not in source:
            yield Finding(
                what=f"the policy {name} names the server `{source}` by its short name",
                why="from 6.04.04 the manual asks for the fully qualified name",
                remedy="write the name with its domain",
                path=("vts", "policies", name, "options"),
            )


def _relative_optfile(subject: Subject) -> Iterator[Finding]:
    for name, policy in _of_tsm(subject):
        for key in ("optfile", "o"):
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

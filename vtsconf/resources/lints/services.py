"""Checks that what is named elsewhere is there: services that must be restarted (C23), BMAs, policies."""

from __future__ import annotations

from collections.abc import Iterator

from vtsconf.core.problem import Level, suggestion
from vtsconf.core.sensitive import is_sensitive
from vtsconf.core.tree import Path
from vtsconf.resources.lints.subject import Finding, Lint, Subject


def _restarts(subject: Subject, service: str) -> bool:
    """We know how to restart this service."""
    known = subject.vts.services.get(service)
    return known is not None and known.restart is not None


def _unloaded(subject: Subject, *, ems: bool) -> Iterator[Finding]:
    """One finding a service: its parameters are wanted, and there is no way to load them."""
    missing: dict[str, list[str]] = {}
    for name, wanted in subject.wanted.items():
        for service in wanted.restart:
            if (
                (service == "ems") is ems
                and subject.changes(name) is not False
                and not _restarts(subject, service)
            ):
                missing.setdefault(service, []).append(name)
    for service, names in missing.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield Finding(
            what=f"`{names[0]}`{more} would be written and not loaded: nobody said how to restart {service}",
            why=f"a change counts only after the {service} service was restarted",
            remedy=f"add services.{service}.restart: [the, command], or restart it by hand afterwards",
            name=names[0],
        )


def _unknown_services(subject: Subject) -> Iterator[Finding]:
    for path, names in _restart_lists(subject):
        for name in names:
            if not _restarts(subject, name):
                hint = suggestion(name, subject.vts.services)
                yield Finding(
                    what=f"{'.'.join(str(p) for p in path)} names the service {name}, which cannot be restarted",
                    why="its restart command is not in vts.services",
                    remedy=hint or f"add services.{name}.restart: [the, command]",
                    path=path,
                )


def _restart_lists(subject: Subject) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for path, file in subject.vts.files.items():
        yield ("vts", "files", path, "restart"), file.restart
    for name, command in subject.vts.commands.items():
        yield ("vts", "commands", name, "restart"), command.restart


def _unknown_references(subject: Subject) -> Iterator[Finding]:
    vts = subject.vts
    for name, policy in vts.policies.items():
        if policy.bma is not None and policy.bma not in vts.bma:
            yield Finding(
                what=f"the policy {name} wants the BMA {policy.bma}, which is not under vts.bma",
                why="its client may be set up by hand; vtsconf does not know it",
                remedy=suggestion(policy.bma, vts.bma) or f"add bma.{policy.bma}",
                path=("vts", "policies", name, "bma"),
            )
    for name, rule in vts.rules.items():
        if rule.policy is not None and rule.policy not in vts.policies:
            yield Finding(
                what=f"the rule {name} names the policy {rule.policy}, which is not under vts.policies",
                why="the rule could do nothing",
                remedy=suggestion(rule.policy, vts.policies) or f"add policies.{rule.policy}",
                path=("vts", "ems", "rules", name, "policy"),
                level=Level.ERROR,
            )


def _plain_secrets(subject: Subject) -> Iterator[Finding]:
    for name, wanted in subject.wanted.items():
        if isinstance(wanted.text, str) and wanted.text and is_sensitive(name):
            yield Finding(
                what=f"`{name}` looks like a secret and is written out",
                why="the document is kept in version control, where a secret must never be",
                remedy="write where it is kept: secret://env/NAME, secret://file/PATH",
                name=name,
            )


LINTS = (
    Lint(
        code="C23",
        title="EMS parameters are changed and nobody said how to restart the EMS service",
        level=Level.WARNING,
        source="6.04.01 Ops p.41",
        check=lambda subject: _unloaded(subject, ems=True),
    ),
    Lint(
        code="restart",
        title="parameters, files or commands name a service that cannot be restarted",
        level=Level.WARNING,
        source="vts.services",
        check=lambda subject: [*_unloaded(subject, ems=False), *_unknown_services(subject)],
    ),
    Lint(
        code="reference",
        title="a policy or rule names a BMA or policy that is not there",
        level=Level.WARNING,
        source="the document",
        check=_unknown_references,
    ),
    Lint(
        code="plain-secret",
        title="a parameter whose name sounds like a secret is written out",
        level=Level.WARNING,
        source="a guess by the name",
        check=_plain_secrets,
    ),
)

"""Checks of the EMS parameters (C1 to C9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vtsconf.core.problem import Level
from vtsconf.core.tables import ANYSYS
from vtsconf.resources.desired import PEERS
from vtsconf.resources.lints.subject import Finding, Lint, Subject

HOSTNAMES = "ems_hostnames"


def _enabled_without_hosts(subject: Subject) -> Iterator[Finding]:
    if subject.after("ems_enable") != "YES" or subject.after(HOSTNAMES):
        return
    yield Finding(
        what="EMS is switched on and has no host to talk to",
        why="the manual calls both ems_enable and ems_hostnames required",
        remedy="add ems.hosts: {NAME: {}}, or write ems.enable: false",
        name="ems_enable",
        level=Level.WARNING if subject.unknown(HOSTNAMES) or not _is_ours(subject) else None,
    )


def _is_ours(subject: Subject) -> bool:
    """The document speaks of one of the two; a server that nobody described stops no other change."""
    return "ems_enable" in subject.wanted or HOSTNAMES in subject.wanted


def _per_host(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Name, host and text of every known per-host parameter that the file will hold."""
    for name, text in subject.all_after("ems_"):
        standing = subject.tables.standing(name)
        if standing.known and standing.host:
            yield name, standing.host, text


def _milder(subject: Subject, name: str) -> Level | None:
    """A live line that nobody asked for does not stop a change."""
    return None if name in subject.wanted else Level.WARNING


def _suffix_without_host(subject: Subject) -> Iterator[Finding]:
    hosts = subject.words(HOSTNAMES)
    for name, host, _ in _per_host(subject):
        row = subject.tables.standing(name).row
        if host == ANYSYS:
            if row and row.anysys == "never" and row.name != "ems_vaults":  # that one is C3
                yield Finding(
                    what=f"`{name}`: ANYSYS cannot stand for a host here",
                    why="the manual allows it for ems_resetdevs only",
                    remedy="name the host",
                    name=name,
                    level=_milder(subject, name),
                )
        elif hosts is not None and host not in hosts:
            yield Finding(
                what=f"`{name}` is for the host {host}, which is not in ems_hostnames",
                why="a per-host parameter counts only for a host that is listed",
                remedy=f"add {host} to ems.hosts, or write parameters: {{{name}: null}}",
                name=name,
                level=_milder(subject, name),
            )


def _vaults_of_anysys(subject: Subject) -> Iterator[Finding]:
    name = f"ems_vaults_{ANYSYS}"
    if subject.after(name) is not None:
        yield Finding(
            what=f"`{name}` is not valid",
            why="vaults are given to hosts one by one",
            remedy="name the host, or take it out: not set means all vaults",
            name=name,
            level=_milder(subject, name),
        )


def _resetdevs_of_anysys(subject: Subject) -> Iterator[Finding]:
    name = f"ems_resetdevs_{ANYSYS}"
    text = subject.after(name)
    if text is not None and text != "ALL":
        yield Finding(
            what=f"`{name}` is `{text}`",
            why="for ANYSYS only ALL is allowed",
            remedy="write ALL, or name the host",
            name=name,
            level=_milder(subject, name),
        )


def _resetdevs_without_switch(subject: Subject) -> Iterator[Finding]:
    if subject.after("ems_mount_reset") == "YES":
        return
    for name, _, text in _per_host(subject):
        if name.startswith("ems_resetdevs_") and text:
            yield Finding(
                what=f"`{name}` has no effect: ems_mount_reset is not on",
                why="the global switch must be on for drives to be reset",
                remedy="write ems.mount_reset: true",
                name=name,
            )


def _unknown_vaults(subject: Subject) -> Iterator[Finding]:
    vaults = {v.lstrip("/") for v in subject.vts.vaults}
    for name, _, _ in _per_host(subject):
        if not vaults or not name.startswith("ems_vaults_"):
            continue
        for vault in subject.words(name) or []:
            if vault.lstrip("/") not in vaults:
                yield Finding(
                    what=f"`{name}` names the vault {vault}, which vts.vaults does not",
                    why="a host that may use only a vault that is not there finds no tape",
                    remedy=f"write one of {', '.join(sorted(vaults))}, or add it to vts.vaults",
                    name=name,
                    level=_milder(subject, name),
                )


def _itself_as_peer(subject: Subject) -> Iterator[Finding]:
    own = {n.casefold() for n in (subject.host, subject.address) if n}
    short = {n.partition(".")[0] for n in own if not re.fullmatch(r"[0-9.:]+", n)}
    for peer in subject.words(PEERS) or []:
        folded = peer.casefold()
        if folded in own or ("." not in folded and folded in short):
            yield Finding(
                what=f"`{PEERS}` names {peer}, which is this server",
                why="the parameter lists the other VTS systems",
                remedy="take it out",
                name=PEERS,
            )


def _no_integers(subject: Subject) -> Iterator[Finding]:
    for name, text in subject.all_after("ems_"):
        row = subject.tables.standing(name).row
        if row and row.type == "integer" and not re.fullmatch(r"[0-9]+", text):
            yield Finding(
                what=f"`{name}` is `{text:.40}`",
                why="a whole number is wanted",
                remedy="write a whole number"
                if name in subject.wanted
                else "give it a value in the document",
                name=name,
                level=_milder(subject, name),
            )


LINTS = (
    Lint(
        code="C1",
        title="`ems_enable` is YES and `ems_hostnames` is empty",
        level=Level.ERROR,
        source="6.04.01 Ops p.41",
        check=_enabled_without_hosts,
    ),
    Lint(
        code="C2",
        title="a per-host parameter is for a host that is not in `ems_hostnames`",
        level=Level.ERROR,
        source="6.04.01 Ops p.41-44; 6.03.42 Ops p.44",
        check=_suffix_without_host,
    ),
    Lint(
        code="C3",
        title="`ems_vaults_ANYSYS` is there",
        level=Level.ERROR,
        source="6.03.42 Ops p.44",
        check=_vaults_of_anysys,
    ),
    Lint(
        code="C4",
        title="`ems_resetdevs_ANYSYS` is not ALL",
        level=Level.ERROR,
        source="6.03.42 Ops p.44",
        check=_resetdevs_of_anysys,
    ),
    Lint(
        code="C5",
        title="`ems_resetdevs_…` is set and `ems_mount_reset` is not on",
        level=Level.WARNING,
        source="6.03.42 Ops p.44",
        check=_resetdevs_without_switch,
    ),
    Lint(
        code="C6",
        title="a vault in `ems_vaults_…` is not in `vts.vaults`",
        level=Level.ERROR,
        source="inferred from 6.03.42 Ops p.44",
        check=_unknown_vaults,
    ),
    Lint(
        code="C8",
        title="`ems_InterSystemCommunication_hosts` names the server itself",
        level=Level.WARNING,
        source="6.04.01 Ops p.44",
        check=_itself_as_peer,
    ),
    Lint(
        code="C9",
        title="`ems_keep_alive`, `ems_mount_delay` or a time-out is no whole number",
        level=Level.ERROR,
        source="6.04.01 Ops p.43-44",
        check=_no_integers,
    ),
)

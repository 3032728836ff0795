"""The checks of a document against itself, against a live server, and against the manuals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from vtsconf.bma import ALL as ALL_BMAS
from vtsconf.core.problem import Problem
from vtsconf.core.tables import Tables
from vtsconf.resources.desired import Host, Vts, wanted
from vtsconf.resources.lints import cleanup, defaults, ems, paths, services, vtspolicy
from vtsconf.resources.lints.erase import could_erase
from vtsconf.resources.lints.subject import Finding, Lint, Subject

__all__ = ["ALL", "Finding", "Lint", "Subject", "could_erase", "judge", "lint"]

ALL: tuple[Lint, ...] = (
    *ems.LINTS,
    *defaults.LINTS,
    *paths.LINTS,
    *cleanup.LINTS,
    *vtspolicy.LINTS,
    *services.LINTS,
)


def lint(subject: Subject) -> list[Problem]:
    """Everything that every check finds; `could_erase` is not among them."""
    return [problem for check in ALL for problem in check.problems(subject)]


def judge(
    host: Host,
    vts: Vts,
    tables: Tables,
    *,
    live: Mapping[str, str] | None = None,
    tapes: Sequence[str] | None = None,
    rendered: Mapping[str, str] | None = None,
    allowed: Collection[str] = (),
) -> list[Problem]:
    """All that every check says of one host's document, with what is known of its server.

    `live`: parameters of its configuration file; `tapes`: paths of the files in its vaults (None: nobody
    looked); `rendered`: texts of whole files that would be written, by path; `allowed`: `--allow-erase`.
    """
    parameters = wanted(vts, tables, host.locate)
    address = host.variables.get("ansible_host", "")
    subject = Subject(
        vts=vts,
        wanted=parameters,
        tables=tables,
        live=live,
        tapes=tapes,
        host=host.name,
        address=address if isinstance(address, str) else "",
        locate=host.locate,
    )
    return [
        *lint(subject),
        *_of_bmas(subject),
        *could_erase(vts, parameters, live, allowed, host.locate, rendered=rendered, host=host.name),
    ]


def _of_bmas(subject: Subject) -> Iterator[Problem]:
    """What each backup application says of its own settings."""
    vaults = [vault.lstrip("/") for vault in subject.vts.vaults]
    for name, settings in subject.vts.bma.items():
        place = subject.locate(("vts", "bma", name), key=True)
        for problem in ALL_BMAS[name].lints(settings, vaults):
            yield replace(problem, place=place, host=subject.host, address=f"bma/{name}")

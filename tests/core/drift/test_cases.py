"""Runs tests/cases/drift: what is written, what our runs did, what is there now, and the class of every difference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vtsconf.core.change import Change
from vtsconf.core.diff import changes
from vtsconf.core.drift.classes import Evidence, Owned, findings
from vtsconf.core.drift.finding import Finding, Rule
from vtsconf.core.drift.past import Past
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.probe import DebtSeen, FileKind, FileSeen, QuerySeen, Reading
from vtsconf.core.resource import Keys
from vtsconf.core.secret import FingerprintKey, Secret, SecretRef
from vtsconf.core.step import PutFile, RunCommand
from vtsconf.core.tablefile import read_tables
from vtsconf.engine.share import parameter_tables
from vtsconf.resources import desired
from vtsconf.resources.build import resources_of
from vtsconf.resources.files import File

FOUND = sorted((Path(__file__).parents[2] / "cases" / "drift").glob("*.yaml"))
KEY = FingerprintKey(Secret(b"key"))
TABLES, _ = read_tables(parameter_tables(), {})


@dataclass(frozen=True, kw_only=True)
class Host:
    variables: dict[str, Any]
    name: str = "vts1"
    locate: Any = field(default=desired.nowhere)


def reading(server: Any) -> Reading:
    queries = {name: QuerySeen(exit=q["exit"]) for name, q in server.get("queries", {}).items()}
    debts = (DebtSeen(service=name, run=run, since=0) for name, run in server.get("debts", {}).items())
    files = {path: seen(**found) for path, found in server.get("files", {}).items()}
    return Reading(files=files, queries=queries, debts=tuple(debts))


def seen(text: str | None = None, kind: str = "file", mode: str = "0644", owner: str = "root") -> FileSeen:
    data = None if text is None else text.encode()
    return FileSeen(kind=FileKind(kind), data=data, owner=owner, group="root", mode=mode)


def resources(vts: Any, keys: Keys) -> tuple[Any, desired.Vts, Any]:
    host = Host(variables={"vts": vts})
    document, problems = desired.read(host, TABLES)
    assert document, problems
    wanted = desired.wanted(document, TABLES)
    return resources_of(document, {}, wanted.values(), keys, lambda name, _: name), document, wanted


def planned(vts: Any, server: Reading, keys: Keys) -> HostPlan:
    """What `plan` makes of it."""
    made: list[Change] = []
    steps: list[PutFile | RunCommand] = []
    for resource in resources(vts, keys)[0]:
        mine = changes(resource.observe(server), resource.desired(), keys)
        made += mine
        steps += resource.steps(mine, server)
    outcome = PlanOutcome.CHANGES if made else PlanOutcome.IN_SYNC
    return HostPlan(
        host="vts1", outcome=outcome, changes=tuple(made), steps=tuple(steps), pending_restarts=server.debts
    )


def pasts(runs: Any, keys: Keys) -> Iterator[Past]:
    for run in runs:
        end = run.get("end", "confirmed")
        if end != "reverted":
            plan = planned(run["vts"], reading(run["server"]), keys)
            yield Past(run=run["run"], plan=plan, confirmed=end == "confirmed")


def dress(file: File) -> frozenset[str]:
    return frozenset(name for name in ("owner", "group", "mode") if getattr(file, name))


def keys_of(case: Any) -> Keys:
    secrets = {SecretRef.parse(ref): Secret(v.encode()) for ref, v in case.get("secrets", {}).items()}
    return Keys(secrets=secrets, fingerprints=KEY)  # type: ignore[arg-type]


def judged(case: Any) -> tuple[Finding, ...]:
    keys = keys_of(case)
    server = reading(case["server"])
    made, document, wanted = resources(case["vts"], keys)
    owned = [Owned(path=r.path, address=r.address, dress=dress(r)) for r in made if isinstance(r, File)]
    return findings(
        Evidence(
            plan=planned(case["vts"], server, keys),
            files=server.files,
            wanted=wanted,
            tables=TABLES,
            config_file=document.config_file or "",
            owned=tuple(owned),
            pasts=tuple(pasts(case.get("runs", ()), keys)),
            key=KEY,
            secrets=tuple(keys.secrets.values()),
        )
    )


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = YAML(typ="safe").load(path)
    found = judged(case)
    told = {f.address: [f.cls.value, re.sub(r"keyed:\w{12}", "keyed:…", f.reason)] for f in found}
    mild = [f.address for f in found if f.stood]

    assert (case["findings"], case.get("mild", [])) == (told, mild)
    assert len(found) == len(told)
    assert [] == [word for word in case.get("hidden", ()) if word in repr(found)]


def test_there_are_cases_of_every_class() -> None:
    cases = [YAML(typ="safe").load(path) for path in FOUND]

    assert {"edited", "not-applied", "not-loaded", "unmanaged", "cosmetic"} == {
        cls for case in cases for cls, _ in case["findings"].values()
    }


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_a_plan_would_change_is_always_told(path: Path) -> None:
    case = YAML(typ="safe").load(path)
    found = judged(case)
    plan = planned(case["vts"], reading(case["server"]), keys_of(case))

    assert {change.address for change in plan.changes} <= {finding.address for finding in found}
    assert all(Rule(strict=True).counts(finding) for finding in found)

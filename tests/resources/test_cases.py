"""Runs tests/cases/{parameters,files,commands,services}: what was wished, what the host said, what must follow."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vtsconf.core.diff import changes
from vtsconf.core.probe import FileKind, FileSeen, QuerySeen, Reading
from vtsconf.core.problem import errors
from vtsconf.core.resource import Keys
from vtsconf.core.secret import FingerprintKey, Secret, SecretRef
from vtsconf.core.step import PutFile
from vtsconf.core.tablefile import read_tables
from vtsconf.engine.share import parameter_tables
from vtsconf.resources import desired
from vtsconf.resources.build import resources_of

CASES = Path(__file__).parent.parent / "cases"
FOUND = [
    path
    for kind in ("parameters", "files", "commands", "services")
    for path in sorted((CASES / kind).glob("*.yaml"))
]
KEY = FingerprintKey(Secret(b"key"))


@dataclass(frozen=True, kw_only=True)
class Host:
    variables: dict[str, Any]
    name: str = "vts1"
    locate: Any = field(default=desired.nowhere)


def _seen(found: Any) -> FileSeen:
    if "kind" in found:
        more = {key: found[key] for key in ("target", "folder_missing") if key in found}
        return FileSeen(kind=FileKind(found["kind"]), **more)
    data = base64.b64decode(found["base64"]) if "base64" in found else found["text"].encode()
    attributes = {
        key: found.get(key, usual)
        for key, usual in {"owner": "root", "group": "root", "mode": "0644"}.items()
    }
    return FileSeen(kind=FileKind.FILE, data=data, **attributes)


def _reading(server: Any) -> Reading:
    queries = {
        n: QuerySeen(exit=q["exit"], stdout=q.get("stdout", "").encode())
        for n, q in server.get("queries", {}).items()
    }
    return Reading(files={p: _seen(f) for p, f in server.get("files", {}).items()}, queries=queries)


def _state(state: Any) -> Any:
    if state is None:
        return None
    content = state.content
    text = "kept on the server" if content is None else content.redacted().decode(errors="backslashreplace")
    return {
        "text": text,
        "keyed": state.keyed,
        "owner": state.owner,
        "group": state.group,
        "mode": state.mode,
    }


def _step(step: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"restart": list(step.restart), "addresses": list(step.addresses)}
    if isinstance(step, PutFile):
        return {"put": step.path, "before": _state(step.before), "after": _state(step.after), **shown}
    return {"run": list(step.run), "check": list(step.check), "revert": list(step.revert), **shown}


def _change(change: Any) -> dict[str, Any]:
    shown = {
        "address": change.address,
        "action": str(change.action),
        "live": change.live,
        "desired": change.desired,
    }
    return shown | ({"secret": True} if change.secret else {})


def outcome(case: Any) -> dict[str, Any]:
    tables, _ = read_tables(parameter_tables(), {})
    vts, wrong = desired.read(Host(variables={"vts": case["vts"]}), tables)
    assert vts is not None, errors(wrong)
    secrets = {SecretRef.parse(ref): Secret(value.encode()) for ref, value in case.get("secrets", {}).items()}
    keys = Keys(secrets=secrets, fingerprints=KEY)
    resources = resources_of(vts, {}, desired.wanted(vts, tables).values(), keys, lambda name, _: name)
    reading = _reading(case["server"])
    problems = [p for r in resources for p in r.problems(reading)]
    assert all(p.what and p.why and p.remedy for p in problems)
    told = [{"level": str(p.level), "code": p.code, "what": p.what} for p in problems]
    if errors(problems):
        return {"changes": [], "steps": [], "problems": told}
    found = [(r, changes(r.observe(reading), r.desired(), keys)) for r in resources]
    steps = [_step(s) for r, own in found for s in r.steps(own, reading)]
    return {"changes": [_change(c) for _, own in found for c in own], "steps": steps, "problems": told}


@pytest.mark.parametrize("path", FOUND, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_case(path):
    case = YAML(typ="safe", pure=True).load(path.read_text())

    expected = {key: case.get(key, []) for key in ("changes", "steps", "problems")}
    assert expected == outcome(case)


def test_every_kind_has_cases():
    kinds = {path.parent.name for path in FOUND}

    assert kinds == {"parameters", "files", "commands", "services"}

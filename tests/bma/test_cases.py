"""Runs tests/cases/NAME for every backup application: settings in, files and lints out, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from vtsconf import bma
from vtsconf.core.resource import Keys
from vtsconf.core.templates import render
from vtsconf.core.validation import validated
from vtsconf.engine.share import template
from vtsconf.resources import desired
from vtsconf.resources.build import resources_of

CASES = Path(__file__).parent.parent / "cases"
FOUND = [path for name in bma.ALL for path in sorted((CASES / name).glob("*.yaml"))]
VAULTS = ("VAULT01",)


def rendered(name, variables):
    return render(template(name), name, variables)


@pytest.mark.parametrize("path", FOUND, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_case(path):
    name, case = path.parent.name, YAML(typ="safe", pure=True).load(path.read_text())
    settings, problems = validated(
        bma.ALL[name].Settings, case["settings"], path=("vts", "bma", name), locate=desired.nowhere
    )
    if "refused" in case:
        assert case["refused"] in " ".join(f"{p.what} {p.why} {p.remedy}" for p in problems)
        return
    assert problems == []

    files = resources_of(desired.Vts(bma={name: settings}), {}, (), Keys(), rendered)

    shown = {f.path: f.content.redacted().decode() for f in files}
    assert [(path, text) for path, text in case["files"].items()] == list(shown.items()) or case[
        "files"
    ] == shown
    assert case["lints"] == [p.code for p in bma.ALL[name].lints(settings, VAULTS)]


@pytest.mark.parametrize("name", bma.ALL)
def test_every_application_has_a_case_that_passes_and_one_that_is_refused(name):
    cases = [YAML(typ="safe", pure=True).load(path.read_text()) for path in (CASES / name).glob("*.yaml")]

    assert {True, False} == {"refused" in case for case in cases}

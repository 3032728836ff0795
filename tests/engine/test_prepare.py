"""What is wrong with a host's documents is told once, whoever finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtsconf.core.problem import errors
from vtsconf.engine.prepare import judge
from vtsconf.engine.project import Project


@pytest.mark.parametrize(
    ("vts", "code"),
    [
        ("{cleanup: {autoerase: false}}", "config-file"),
        ("{config_file: /etc/c, files: {/etc/c: {content: x}}}", "two-owners"),
        (
            "{bma: {tsm: {servers: {T: {tcpserveraddress: t}}, dsm_sys: /o/dsm.sys}}, files: {/o/dsm.sys: {content: x}}}",
            "two-owners",
        ),
        ("{config_file: /var/lib/vtsconf/c}", "state-dir"),
    ],
)
def test_one_mistake_is_one_error(tmp_path: Path, vts: str, code: str) -> None:
    (tmp_path / "inventory.yaml").write_text(f"all: {{hosts: {{vts1: {{vts: {vts}}}}}}}\n")
    project = Project.load(tmp_path)

    assert [code] == [problem.code for problem in errors(judge(project.hosts()[0], project))]

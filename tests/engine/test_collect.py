"""What a plan says of what was found on a server: whose it is, and where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtsconf.core.probe import FileKind, FileSeen, QuerySeen, Reading
from vtsconf.core.resource import Keys
from vtsconf.engine.collect import Wish, compare
from vtsconf.engine.prepare import prepare
from vtsconf.engine.project import Project
from vtsconf.resources.build import with_keys

DOCUMENT = """\
all:
  hosts:
    vts1:
      vts:
        config_file: /c
        parameters:
          lab_x: 1
        files:
          /no/x: {content: x}
        commands:
          odd: {check: [none], run: [none], revert: [none]}
"""


@pytest.mark.parametrize(
    ("address", "line"), [("files//no/x", 9), ("commands/odd", 11), ("parameters/lab_x", 7)]
)
def test_what_is_found_on_a_server_has_the_place_where_it_is_asked_for(
    tmp_path: Path, address: str, line: int
) -> None:
    (tmp_path / "inventory.yaml").write_text(DOCUMENT)
    project = Project.load(tmp_path)
    (ready,) = prepare(project, project.hosts()).ready
    reading = Reading(
        files={
            "/c": FileSeen(kind=FileKind.DIRECTORY),
            "/no/x": FileSeen(kind=FileKind.ABSENT, folder_missing=True),
        },
        queries={"commands/odd/check": QuerySeen(exit=127)},
    )

    plan = compare(ready, with_keys(ready.resources, Keys()), reading, Keys(), Wish())
    (found,) = (p for p in plan.problems if p.level == "error" and p.address == address)

    assert found.place is not None
    assert ("vts1", f"{tmp_path}/inventory.yaml", line) == (
        found.host,
        found.place.file,
        found.place.line,
    )

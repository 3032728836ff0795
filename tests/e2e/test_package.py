"""What is shipped works where nothing else is: the wheel and the sdist in a clean environment."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*argv: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, check=False, timeout=300, **options
    )


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, made from the files that Git knows."""
    folder = tmp_path_factory.mktemp("shipped")
    built = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)

    assert built.returncode == 0, built.stderr[-2000:]
    return folder


def test_the_wheel_carries_tables_schemas_templates_and_scripts(shipped: Path) -> None:
    (wheel,) = shipped.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        *(
            f"vtsconf/_share/schemas/{p.relative_to(ROOT / 'schemas')}"
            for p in (ROOT / "schemas").rglob("*.*")
        ),
        *(
            f"vtsconf/_share/templates/{p.relative_to(ROOT / 'templates')}"
            for p in (ROOT / "templates").rglob("*.j2")
        ),
        "vtsconf/transport/sh/lib.sh",
        "vtsconf/transport/sh/apply.sh",
        "vtsconf/transport/sh/confirm.sh",
    ]

    assert [name for name in wanted if name not in names] == []


def test_the_sdist_carries_what_is_needed_to_build_it_again(shipped: Path) -> None:
    (sdist,) = shipped.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert [
        name
        for name in (
            "pyproject.toml",
            "CONTRIBUTING.md",
            ".ci/run",
            "benchmarks/run.py",
            "README.md",
            "LICENSE",
            "schemas/vts.schema.json",
            "templates/tsm/dsm.sys.j2",
        )
        if name not in names
    ] == []


@pytest.mark.real
def test_an_installed_wheel_validates_an_example(shipped: Path, tmp_path: Path) -> None:
    (wheel,) = shipped.glob("*.whl")
    python = tmp_path / "clean" / "bin" / "python"
    assert run(sys.executable, "-m", "venv", tmp_path / "clean").returncode == 0
    installed = run(
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "-c",
        ROOT / "constraints.txt",
        wheel,
    )
    assert installed.returncode == 0, installed.stderr[-2000:]

    vtsconf = tmp_path / "clean" / "bin" / "vtsconf"
    checked = run(
        vtsconf, "validate", "-i", ROOT / "examples" / "first-server" / "inventory.yaml", cwd=tmp_path
    )

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("1 host")

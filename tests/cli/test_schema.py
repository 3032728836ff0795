import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def schema(*arguments, cwd):
    command = [sys.executable, "-m", "vtsconf.cli.main", "schema", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def site(tmp_path, table):
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "site.yaml").write_text(table)
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1: }}\n")
    return schema("-i", "inventory.yaml", cwd=tmp_path)


def test_it_prints_the_committed_schema(tmp_path):
    ran = schema(cwd=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == (ROOT / "schemas" / "vts.schema.json").read_text()


def test_it_prints_the_committed_schema_of_strategies(tmp_path):
    ran = schema("--rollout", cwd=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == (ROOT / "schemas" / "rollout.schema.json").read_text()


def test_strategies_know_no_inventory(tmp_path):
    ran = schema("--rollout", "-i", "inventory.yaml", cwd=tmp_path)

    assert (ran.returncode, ran.stdout) == (64, "")
    assert "leave --inventory out" in ran.stderr


def test_it_adds_the_rows_of_the_site(tmp_path):
    ran = site(tmp_path, "family: hsm\nrows: [{name: hsm_client, type: yes_no, meaning: Ours.}]\n")
    section = json.loads(ran.stdout)["properties"]["vts"]["properties"]["hsm"]

    assert section["properties"]["client"]["description"] == "hsm_client: Ours. (site)"


def test_a_site_table_with_an_error_gives_no_schema(tmp_path):
    ran = site(tmp_path, "family: hsm\nrows: [{name: hsm_client, typ: yes_no}]\n")

    assert (ran.returncode, ran.stdout) == (3, "")
    assert "did you mean `type`?" in ran.stderr

"""`vtsconf migrate plan` on a lab server: what is taken and left, why, and every way to ask."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.e2e.conftest import Vtsconf
from vtsconf.core.migrate.record import Proof
from vtsconf.engine.lab.host import Host
from vtsconf.engine.migrate.book import Book

POLICIES = """
vts:
  config_file: "{root}/usr/local/tape/lab/vts.conf"
  vaults: [VAULT01]
  bma: {tsm: {servers: {TSM1: {tcpserveraddress: tsm1.lab, nodename: VTS1}}}}
  policies:
    nightly: {action: migrate, bma: tsm, select: {pools: ["POOL*"]}, limits: {per_host: 2}}
    greedy: {action: migrate, bma: tsm, priority: 60, select: {pools: [POOL1]}}
    back: {action: restore, bma: tsm}
"""
WIPE = POLICIES + '    wipe: {action: erase, priority: 10, select: {migrated: "yes"}}\n'


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = project(POLICIES)
    monkeypatch.chdir(folder)
    return folder


def proven(folder: Path, host: Host, cartridge: str, **more: object) -> Proof:
    """As if this tape of the server had been migrated."""
    path = host.tree.root / cartridge
    seen = path.stat()
    known = Proof(
        **{
            "host": "vts1", "cartridge": str(path), "size": seen.st_size, "mtime": seen.st_mtime_ns,
            "inode": seen.st_ino, "bma": "tsm", "token": "vtsconf-1", "at": int(seen.st_mtime),
        } | more
    )  # fmt: skip
    (folder / ".vtsconf").mkdir(exist_ok=True)
    book = Book(f"sqlite:///{folder}/.vtsconf/vtsconf.db")
    book.prove(known)
    book.close()
    return known


def test_each_tape_is_taken_or_left_with_its_reason(here: Path, vts1: Host, vtsconf: Vtsconf) -> None:
    proven(here, vts1, "VAULT01/POOL2/B00001")
    ended = vtsconf("migrate", "plan", "--json")
    document = ended.json
    said = {(row["cartridge"].rpartition("/")[2], row["policy"]): row for row in document["decisions"]}

    assert (0, "vtsconf/migration-plan/1") == (ended.code, document["format"])
    assert 7 * 3 == len(document["decisions"])
    assert ["A00001", "A00002", "A00004", "B00002"] == sorted(
        job["cartridge"][-6:] for job in document["jobs"]
    )
    assert "take" == said["A00001", "nightly"]["verdict"]
    assert "wanted too, but it goes to nightly, which goes first" == said["A00001", "greedy"]["reason"]
    assert said["B00001", "nightly"]["reason"].startswith("proven on tsm since")
    assert "pool TEST does not match POOL*" == said["X00001", "nightly"]["reason"]
    assert said["A00003", "back"]["reason"].startswith("erased, and no copy of it is recorded")


def test_a_person_sees_counts_warnings_and_pictures(here: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("migrate", "plan", "--rate", "1kB/s")

    assert 0 == ended.code
    for words in (
        "nightly  migrate to tsm, priority 50",
        "  + takes 5 tapes, 270 kB",
        "left: 1 in another pool, 1 erased",
        "! greedy is wholly shadowed: all 3 tapes that it wants go to nightly, which goes first",
        "! back takes no tape: 6 not erased, 1 never proven on tape",
        "! 1 tape (4.1 kB) is wanted by no policy, and not proven on tape as it is",
        "Ages of tapes (█ taken, ░ left)",
        "Drives and time (assuming 1 kB/s a drive, and nothing else on the drives)",
        "5 jobs, 270 kB, 2 at once on 2 drives",
        "Migration plan: 1 host, 7 tapes (274 kB); 5 to migrate (270 kB).",
    ):
        assert words in ended.out
    assert "\x1b" not in ended.out


def test_it_says_that_a_rate_is_an_assumption_and_makes_none(here: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("migrate", "plan")

    assert "--rate 150MB/s would say when it ends" in ended.out
    assert "ends 2" not in ended.out


@pytest.mark.parametrize("columns", ["20", "40", "200"])
def test_a_picture_fits_its_terminal(
    here: Path, vtsconf: Vtsconf, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    bars = [line for line in vtsconf("migrate", "plan").out.splitlines() if line.strip("█░ ") != line.strip()]

    assert all(len(line) <= max(int(columns), 24) for line in bars if not line.startswith(("Ages", "Sizes")))


def test_the_plan_is_saved_whole_and_for_its_owner_only(here: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("migrate", "plan", "--out", "m.json")
    saved = json.loads((here / "m.json").read_text())

    assert "Saved: m.json" in ended.out
    assert 0o600 == (here / "m.json").stat().st_mode & 0o777
    assert saved | {"made": 0, "now": 0, "decisions": []} == vtsconf("migrate", "plan", "--json").json | {
        "made": 0,
        "now": 0,
        "decisions": [],
    }
    assert ["group_vars", "inventory.yaml", "m.json"] == sorted(
        path.name for path in here.iterdir() if not path.name.startswith(".vtsconf")
    )


def test_a_place_that_cannot_be_written_is_a_sentence(here: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("migrate", "plan", "--json", "--out", "/nonexistent/m.json")

    assert (1, "vtsconf/error/1") == (ended.code, ended.json["format"])
    assert "cannot be written to /nonexistent/m.json" in ended.json["what"]


@pytest.mark.parametrize(("which", "count"), [("all", 21), ("tapes", 7), ("none", 0)])
def test_decisions_may_be_fewer(here: Path, vtsconf: Vtsconf, which: str, count: int) -> None:
    assert count == len(vtsconf("migrate", "plan", "--json", "--decisions", which).json["decisions"])


def test_one_tape_is_explained(here: Path, vts1: Host, vtsconf: Vtsconf) -> None:
    path = vts1.tree.root / "VAULT01/POOL1/A00001"
    ended = vtsconf("migrate", "plan", "--explain", "A00001")

    assert [f"{path} on vts1", "  = leave  back:", "  + take  nightly:", "  = leave  greedy:"] == [
        line if line.startswith("/") else line[: line.index(":") + 1] for line in ended.out.splitlines()
    ]
    by_path = vtsconf("migrate", "plan", "--explain", str(path), "--json").json["decisions"]
    assert [(str(path), "back"), (str(path), "nightly"), (str(path), "greedy")] == [
        (row["cartridge"], row["policy"]) for row in by_path
    ]
    assert 3 == len(vtsconf("migrate", "plan", "--explain", "A00001", "--json").json["decisions"])


def test_a_tape_that_is_not_there_is_an_error(here: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("migrate", "plan", "--explain", "Z")

    assert (64, "") == (ended.code, ended.out)
    assert "no tape that was seen is called 'Z'" in ended.err
    in_json = vtsconf("migrate", "plan", "--explain", "Z", "--json")
    assert (64, []) == (in_json.code, in_json.json["decisions"])


def test_a_policy_can_be_asked_alone(here: Path, vtsconf: Vtsconf) -> None:
    document = vtsconf("migrate", "plan", "--policy", "greedy", "--json").json

    assert ["greedy"] == [rule["policy"] for rule in document["rules"]]
    assert 3 == len(document["jobs"])
    wrong = vtsconf("migrate", "plan", "--policy", "gredy")
    assert 64 == wrong.code
    assert "did you mean `greedy`?" in wrong.err


def test_another_moment_can_be_tried(here: Path, vtsconf: Vtsconf) -> None:
    late = vtsconf("migrate", "plan", "--at", "2099-01-01T00:00Z")
    early = vtsconf("migrate", "plan", "--at", "2001-01-01T00:00Z", "--json").json

    assert "Migration plan as of 2099-01-01 00:00 UTC" in late.out
    assert [] == early["jobs"]
    assert 6 == early["summary"]["unknown"]  # written after the moment that is asked about
    assert 64 == vtsconf("migrate", "plan", "--at", "2099-01-01T00:00").code


@pytest.mark.parametrize(
    "words", [("--at", "noon"), ("--rate", "fast"), ("--rate", "0"), ("--decisions", "some")]
)
def test_what_makes_no_sense_is_told_before_anything_is_read(
    here: Path, vtsconf: Vtsconf, words: tuple[str, ...]
) -> None:
    assert (64, "") == (vtsconf("migrate", "plan", *words).code, vtsconf("migrate", "plan", *words).out)


def test_an_erase_is_refused_unless_it_is_allowed_by_name(
    here: Path, project: Project, vts1: Host, vtsconf: Vtsconf
) -> None:
    project(WIPE)
    proven(here, vts1, "VAULT01/POOL1/A00001")
    refused = vtsconf("migrate", "plan", "--json")
    allowed = vtsconf("migrate", "plan", "--json", "--allow-erase", "wipe")

    assert (3, []) == (refused.code, [job for job in refused.json["jobs"] if job["action"] == "erase"])
    assert "vts.allow_erase does not name wipe" in json.dumps(refused.json["decisions"])
    assert (0, ["A00001"]) == (
        allowed.code,
        [job["cartridge"][-6:] for job in allowed.json["jobs"] if job["action"] == "erase"],
    )


def test_only_this_policy_is_as_if_it_were_alone(
    here: Path, project: Project, vts1: Host, vtsconf: Vtsconf
) -> None:
    project(WIPE)
    alone = vtsconf("migrate", "plan", "--json", "--policy", "nightly")
    codes = {problem["code"] for host in alone.json["hosts"] for problem in host["problems"]}

    assert (0, set()) == (alone.code, codes & {"erase", "erase-means"})
    assert 3 == vtsconf("migrate", "plan", "--policy", "wipe").code


@pytest.mark.parametrize(
    ("more", "code"),
    [({"size": 1}, "changed"), ({"witnesses": ("bma",)}, "one_witness"), ({"inode": 1}, "changed")],
)
def test_an_erase_needs_two_witnesses_and_the_very_same_tape(
    here: Path, project: Project, vts1: Host, vtsconf: Vtsconf, more: dict[str, object], code: str
) -> None:
    project(WIPE)
    proven(here, vts1, "VAULT01/POOL1/A00001", **more)
    document = vtsconf("migrate", "plan", "--json", "--allow-erase", "wipe", "--explain", "A00001").json

    assert [("leave", code)] == [
        (r["verdict"], r["code"]) for r in document["decisions"] if r["policy"] == "wipe"
    ]
    assert [] == [job for job in document["jobs"] if job["action"] == "erase"]


def test_an_erased_tape_that_is_proven_comes_back_with_its_token(
    here: Path, vts1: Host, vtsconf: Vtsconf
) -> None:
    proven(here, vts1, "VAULT01/POOL1/A00003", size=12_345, token="vtsconf-copy")
    document = vtsconf("migrate", "plan", "--json").json
    first = document["jobs"][0]

    assert ("restore", "vtsconf-copy", 12_345, 0) == (
        first["action"],
        first["token"],
        first["moves"],
        first["bytes"],
    )


def test_names_of_every_kind_are_decided(here: Path, vts1: Host, vtsconf: Vtsconf) -> None:
    folder = os.fsencode(vts1.tree.root / "VAULT01/TEST2")
    Path(os.fsdecode(folder)).mkdir()
    names = [b"-rf", b"a b", b"new\nline", b"\xff\xfe", b"'", b"x" * 255, b"$(x)"]
    try:
        for name in names:
            Path(os.fsdecode(folder + b"/" + name)).write_bytes(b"1")
        document = vtsconf("migrate", "plan", "--json").json
        shown = vtsconf("migrate", "plan", "--explain", os.fsdecode(b"\xff\xfe"))
    finally:
        for name in names:
            Path(os.fsdecode(folder + b"/" + name)).unlink(missing_ok=True)
        Path(os.fsdecode(folder)).rmdir()
    rows = {
        r["cartridge"]: r
        for r in document["decisions"]
        if "/TEST2/" in r["cartridge"] and r["policy"] == "back"
    }

    assert {os.fsdecode(folder + b"/" + name) for name in names} == set(rows)
    assert {"new\nline", "\udcff\udcfe"} == {
        path.rpartition("/")[2] for path, r in rows.items() if r["code"] == "unspeakable"
    }
    assert 0 == shown.code
    assert "\\udcff\\udcfe" in shown.out


def test_a_server_that_cannot_be_reached_is_told_and_the_others_are_judged(
    here: Path, project: Project, vtsconf: Vtsconf
) -> None:
    inventory = json.loads((here / "inventory.yaml").read_text())
    hosts = inventory["all"]["hosts"]
    hosts["vts9"] = hosts["vts1"] | {"ansible_port": 1}
    (here / "inventory.yaml").write_text(json.dumps(inventory))
    ended = vtsconf("migrate", "plan", "--json")

    assert 4 == ended.code
    assert {"vts1": "judged", "vts9": "unreachable"} == {h["host"]: h["outcome"] for h in ended.json["hosts"]}
    assert 5 == len(ended.json["jobs"])
    assert "vts9  unreachable" in vtsconf("migrate", "plan").out


def test_nothing_is_changed_on_the_server(here: Path, vts1: Host, vtsconf: Vtsconf) -> None:
    def tree() -> list[tuple[str, int, int]]:
        files = (path for path in vts1.tree.root.rglob("*") if path.is_file() and "VAULT" in str(path))
        return sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)

    before = tree()
    vtsconf("migrate", "plan", "--out", "m.json")

    assert before == tree()


def test_a_vault_that_is_a_link_is_told_and_not_listed(
    here: Path, project: Project, vts1: Host, vtsconf: Vtsconf
) -> None:
    project(POLICIES.replace("[VAULT01]", "[VAULT01, VAULT02]"))
    link = vts1.tree.root / "VAULT02"
    link.symlink_to("VAULT01")
    try:
        document = vtsconf("migrate", "plan", "--json").json
    finally:
        link.unlink()

    assert 7 == document["summary"]["tapes"]
    assert ["tapes"] == [p["code"] for p in document["hosts"][0]["problems"]]
    assert "symbolic link" in document["hosts"][0]["problems"][0]["what"]


def test_whoever_lets_vts_erase_by_itself_is_told_what_is_on_record(
    here: Path, project: Project, vts1: Host, vtsconf: Vtsconf
) -> None:
    config = POLICIES.partition("  vaults:")[0]  # no more than the configuration file
    project(config + "  cleanup: {autoerase: true}\n")
    none = vtsconf("plan")
    proven(here, vts1, "VAULT01/POOL1/A00001")
    one = vtsconf("plan")

    assert (3, 3) == (none.code, one.code)
    assert "the store has a proven copy of no tape of vts1" in none.out + none.err
    assert "the store has a proven copy of 1 tape of vts1" in one.out + one.err
    assert "`vtsconf migrate plan` lists" in one.out + one.err

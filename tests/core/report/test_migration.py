"""The report of a run of jobs: nothing that is not done is hidden, nothing hostile gets through, and it stays small."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.core.report.markup import read
from tests.core.report.migrations import HOSTILE, MADE, RUN, START, events, row
from vtsconf.core.migrate.job import Status
from vtsconf.core.report.clock import Clock
from vtsconf.core.report.document import digest, text
from vtsconf.core.report.migration import document
from vtsconf.core.report.migrationpicture import picture
from vtsconf.core.report.migrationview import page
from vtsconf.core.runs import Event
from vtsconf.engine.share import template

TROUBLE = ("bma", "tsm", 7, START, "ANS1017E password=geheim1")


def told(
    rows: list[dict[str, Any]], *, ended: bool = True, troubles: tuple = (), **more: Any
) -> dict[str, Any]:
    return document(RUN, events(rows, ended=ended, **more), rows, list(troubles), MADE)


def html(document_: dict[str, Any]) -> str:
    return page(document_, template, ZoneInfo("Europe/Berlin"))


def test_who_when_and_how_many() -> None:
    found = told([row(0), row(1), row(2, Status.FAILED)])

    assert ("migrate", "ops@control1", START, START + 5000) == tuple(
        found[key] for key in ("command", "by", "started", "finished")
    )
    assert {"done": 2, "failed": 1} == found["summary"]
    assert "2 of 3 jobs done, 1 GB archived; 1 failed." == found["verdict"]
    assert ("vts0", 1, 1, 10**9, 10**9) == tuple(
        found["hosts"][0][key] for key in ("host", "jobs", "done", "bytes", "bytes_done")
    )
    assert (["nightly"], ["tsm"]) == (
        [r["policy"] for r in found["policies"]],
        [r["bma"] for r in found["bmas"]],
    )
    assert (START + 0.5, START + 12.5) == (found["jobs"][0]["started"], found["jobs"][0]["ended"])


def test_a_checksum_is_shown_where_there_is_one() -> None:
    sums = [f"sha256:{str(n) * 64}" for n in range(2)]
    rows = [row(1, checksum=sums[0]), row(2), row(3, Status.UNPROVEN, checksum=sums[1]), row(4)]
    del rows[3]["checksum"]  # as jobs had none before
    found = told(rows)
    shown = html(found)

    assert [*sums[:1], None, sums[1], None] == [job.get("checksum") for job in found["jobs"]]
    assert [1, 1, 2] == [shown.count(text) for text in (*sums, "checksum: ")]


def test_a_run_that_has_not_ended_says_so() -> None:
    found = told([row(0), row(1, Status.RUNNING)], ended=False)

    assert "the run has not ended" in found["verdict"]
    assert None is found["finished"]
    assert ["1 not at their end yet: `vtsconf migrate run` goes on with them."] == found["next"]


def test_a_run_without_jobs() -> None:
    found = told([])

    assert "Nothing was to be done." == found["verdict"]
    assert "Nothing was to be done." in html(found)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
def test_whatever_is_not_done_is_told_with_its_reason_and_attempts(status: Status) -> None:
    rows = [row(0), row(1, status, attempts=2, said="ANS1017E no session\n", exit=12)]
    retry = Event(
        at=START + 5, run=RUN, host="vts1", action="job-retry",
        body={"job": rows[1]["id"], "attempt": 1, "reason": "no room", "after": 30},
    )  # fmt: skip
    shown = html(document(RUN, [*events(rows), retry], rows, [], MADE))

    for said in (
        "/VAULT01/POOL1/T00001",
        "it did not go well: 1",
        "ANS1017E no session",
        "no room",
        "2 attempts",
    ):
        assert said in shown


def test_done_jobs_show_their_witnesses() -> None:
    assert "bma: ended with 0; catalogue: 1,000 bytes on A00001; file: unchanged" in html(told([row(0)]))


def test_parked_applications_and_what_to_do() -> None:
    found = told([row(0, Status.PARKED)], troubles=(TROUBLE,))
    shown = html(found)

    assert "BMA tsm failed 7 times in a row: see to it, then `vtsconf migrate retry --bma tsm`." in shown
    assert "1 parked: They failed as often as they may." in shown


def test_nothing_that_looks_like_a_secret_leaves_the_house() -> None:
    rows = [row(0, Status.FAILED, reason="token=geheim2 refused", said="dsmc -password geheim3\nfine\n")]
    found = told(rows, troubles=(TROUBLE,))

    assert "geheim" not in text(found) + html(found)
    assert "fine" in html(found)


def test_hostile_text_stays_text() -> None:
    rows = [
        row(0, Status.FAILED, cartridge=f"/V/P/{HOSTILE}", reason=HOSTILE, said=HOSTILE, bma=HOSTILE, policy=HOSTILE),
        row(1, cartridge=f"/V/P/{HOSTILE}", host=HOSTILE, witnesses={"bma": HOSTILE, "catalogue": "", "file": None}),
    ]  # fmt: skip
    found = told(rows, troubles=(("bma", HOSTILE, 3, START, HOSTILE),), by=HOSTILE)
    shown = html(found)

    assert [] == list(read(shown).all("script"))
    assert not {"\x1b", "\u202e", "\udcff"} & set(shown)
    assert shown.encode()
    assert json.loads(text(found)) == found


def test_ten_thousand_jobs_stay_below_five_megabytes() -> None:
    statuses = [Status.DONE, Status.FAILED, Status.PARKED, Status.UNPROVEN]
    long = "&" * 3000
    rows = [row(n, statuses[n % 4], reason=long, said=long) for n in range(10_000)]
    found = told(rows)
    shown = html(found)

    assert 5_000_000 > len(shown.encode())
    assert 10_000 == len(found["jobs"])
    assert "2,300 more jobs that are not done: in the JSON document." in shown
    assert "1,500 more done jobs" in shown


def test_every_job_that_is_not_done_of_a_usual_night_is_on_the_page() -> None:
    rows = [row(n, Status.FAILED if n % 3 == 0 else Status.DONE) for n in range(10_000)]
    shown = html(told(rows))

    assert 5_000_000 > len(shown.encode())
    assert [] == [r["cartridge"] for r in rows if r["status"] == "failed" and r["cartridge"] not in shown]


def test_the_picture_climbs_to_all_of_it() -> None:
    drawn = picture(told([row(n) for n in range(1000)]), Clock(zone=ZoneInfo("UTC"), day=START))

    assert drawn is not None
    points = [tuple(map(float, point.split(","))) for point in drawn["jobs"].split()]
    assert ((0.0, 180.0), (800.0, 0.0)) == (points[0], points[-1])
    assert points == sorted(points, key=lambda p: (p[0], -p[1]))
    assert 500 > len(points)
    assert ("1,000 jobs", "100 GB") == (drawn["total"], drawn["archived"])


def test_without_a_done_job_there_is_no_picture() -> None:
    assert None is picture(told([row(0, Status.FAILED)]), Clock())


def test_ages_and_sizes_of_what_was_to_be_migrated() -> None:
    found = told([row(0), row(1, Status.FAILED), row(2, action="restore", bytes=0)])["histograms"]

    assert [("< 1 MB", 1, 0), ("1 - 10 GB", 1, 1)] == [
        (r["class"], r["tapes"], r["taken"]) for r in found["sizes"] if r["tapes"]
    ]


def test_the_digest_is_of_the_content_only() -> None:
    found = told([row(0)])
    later = document(RUN, events([row(0)]), [row(0)], [], MADE | {"at": START + 99_999})

    assert found["digest"] == digest(found) == later["digest"]
    assert found["digest"] != told([row(1)])["digest"]

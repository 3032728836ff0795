"""The page of a migration run: what it shows, made from the document alone. It is bounded, and says what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.words import sized
from vtsconf.core.report.clock import Clock, length
from vtsconf.core.report.migrationpicture import picture
from vtsconf.core.report.migrationwords import LOOKS, WORDS, tone
from vtsconf.core.report.view.text import cut
from vtsconf.core.templates import Loader
from vtsconf.core.templates.page import page as render

TEMPLATE = "report/migration.html.j2"
_FULL = 200  # jobs that are not done, with what was said and every attempt
_BRIEF = 5000  # more of them, on one line each
_DONE = 1000  # done ones, folded
_SUMS = 500  # rows of a table of servers
_LINES, _TRIES = 12, 20  # of output, of attempts
_NAME, _SHORT = 300, 120  # characters


def page(document: Mapping[str, Any], loader: Loader, zone: tzinfo | None = None) -> str:
    """The text of the page, to be written as UTF-8. `loader` gives the templates; `zone` None: this machine's."""
    return render(TEMPLATE, loader, view(document, zone))


def view(document: Mapping[str, Any], zone: tzinfo | None = None) -> dict[str, Any]:
    """The names that the page's template knows."""
    clock, jobs = Clock(zone=zone, day=document["started"]), document["jobs"]
    order = {status: number for number, status in enumerate(LOOKS)}
    bad = sorted((job for job in jobs if job["status"] != Status.DONE), key=lambda job: order[job["status"]])
    done = [job for job in jobs if job["status"] == Status.DONE]
    return {
        "run": document["run"],
        "tone": tone(jobs),
        "verdict": cut(document["verdict"], 1200),
        "facts": _facts(document, clock),
        "counts": _counts(document),
        "next": [cut(step) for step in document["next"]],
        "troubles": [_trouble(one, clock) for one in document["troubles"]],
        "picture": picture(document, clock),
        "sums": _all_sums(document),
        "bad": [_full(job, clock) for job in bad[:_FULL]],
        "brief": [_brief(job) for job in bad[_FULL : _FULL + _BRIEF]],
        "more_bad": max(0, len(bad) - _FULL - _BRIEF),
        "done": [_done(job, clock) for job in done[:_DONE]],
        "all_done": len(done),
        "more_done": max(0, len(done) - _DONE),
        "histograms": _histograms(document["histograms"]),
        "notes": document["notes"],
        "digest": document["digest"],
        "made": {**document["made"], "at": clock.full(document["made"]["at"])},
    }


def _facts(document: Mapping[str, Any], clock: Clock) -> list[dict[str, Any]]:
    started, finished = document["started"], document["finished"]
    ended = {"time": clock.full(finished)} if finished else {"text": "it has not ended"}
    took = length((finished or int(document["made"]["at"])) - started)
    found = [
        {"label": "Run", "text": document["run"]},
        {"label": "Command", "text": document["command"] or "unknown"},
        {"label": "Git revision", "text": document["revision"] or "none: the documents were in no checkout"},
        {"label": "Started by", "text": document["by"] or "unknown"},
        {"label": "Started", "time": clock.full(started)},
        {"label": "Ended", **ended},
        {"label": "Duration" if finished else "So far", "text": took},
        {"label": "Jobs", "text": f"{len(document['jobs']):,}"},
        {"label": "Longest job", "text": length(max((j["seconds"] or 0 for j in document["jobs"]), default=0))},
    ]  # fmt: skip
    return [{**fact, "text": cut(fact["text"])} if "text" in fact else fact for fact in found]


def _counts(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    total = max(1, len(document["jobs"]))
    return [
        {
            "count": n,
            "word": WORDS[status],
            "look": LOOKS[status],
            "share": round(n / total * 100, 3),
        }
        for status in LOOKS
        if (n := document["summary"].get(status, 0))
    ]


def _trouble(one: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    name = cut(one["name"], _SHORT)
    return {**one, "name": name, "since": clock.full(one["since"]), "reason": cut(one["reason"])}


def _all_sums(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for title, word, member in (
        ("Servers", "hosts", "host"),
        ("Policies", "policies", "policy"),
        ("Backup applications", "bmas", "bma"),
    ):
        rows = document[word]
        if rows:
            shown = [_sum(row, member) for row in rows[:_SUMS]]
            found.append({"title": title, "rows": shown, "more": max(0, len(rows) - _SUMS)})
    return found


def _sum(row: Mapping[str, Any], member: str) -> dict[str, Any]:
    others = ", ".join(
        f"{n:,} {WORDS[status]}"
        for status in LOOKS
        if status != Status.DONE and (n := row["statuses"].get(status, 0))
    )
    return {
        "name": cut(str(row[member]), _SHORT) or "none",
        "jobs": row["jobs"],
        "done": row["done"],
        "share": round(row["done"] / row["jobs"] * 100, 2),
        "archived": f"{sized(row['bytes_done'])} of {sized(row['bytes'])}",
        "others": others,
    }


def _brief(job: Mapping[str, Any]) -> dict[str, Any]:
    status = Status(job["status"])
    return {
        "id": str(job["id"])[:8],
        "tape": f"{cut(str(job['host']), _SHORT)} {str(job['cartridge'])[:_NAME]}",
        "action": job["action"],
        "word": WORDS[status],
        "look": LOOKS[status],
        "attempts": job["attempts"],
        "reason": cut(str(job["reason"]), _SHORT),
    }


def _full(job: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    tries = job.get("tries", [])
    return _brief(job) | {
        "size": sized(int(job["bytes"])),
        "bma": job["bma"],
        "policy": job["policy"],
        "reason": cut(str(job["reason"])),
        "lines": [cut(line, 300) for line in str(job["said"]).splitlines()[-_LINES:] if line.strip()],
        "exit": job.get("exit"),
        "witnesses": _witnesses(job),
        "tries": [
            {"at": clock.brief(one["at"]), "attempt": one["attempt"], "word": one["action"].removeprefix("job-"),
             "reason": cut(str(one.get("reason", "")), 200)}
            for one in tries[-_TRIES:]
        ],
    }  # fmt: skip


def _done(job: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    return {
        "tape": f"{cut(str(job['host']), _SHORT)} {str(job['cartridge'])[:_NAME]}",
        "action": job["action"],
        "size": sized(int(job["bytes"])),
        "ended": clock.brief(job["ended"]),
        "took": length(job["seconds"]),
        "attempts": job["attempts"],
        "witnesses": _witnesses(job),
    }


def _witnesses(job: Mapping[str, Any]) -> str:
    """With the checksum, where there is one: a document of before has no such key."""
    told = {name: said for name, said in job["witnesses"].items() if said}
    if job.get("checksum"):
        told["checksum"] = job["checksum"]
    return "; ".join(f"{name}: {cut(str(said), _SHORT)}" for name, said in told.items())


def _histograms(told: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Those that hold something, with each class's share of the fullest."""
    titles = {"ages": "Ages of the tapes to migrate", "sizes": "Their sizes"}
    found = []
    for name, rows in told.items():
        most = max(row["tapes"] for row in rows)
        if most:
            shares = [{**row, "share": round(row["tapes"] / most * 100, 1)} for row in rows]
            found.append({"title": titles[name], "rows": shares})
    return found

"""Builds the events and plans of runs, as the journal would hold them: small ones, hostile ones, thousands of servers.

run = Run("20261125-0900-ab12", hosts=["vts1", "vts2"], waves=[["vts1"], ["vts2"]], strategy=Strategy(...))
run.wave(1); run.change("vts1", 4.2); run.ask(1, "first", [...]); run.finish("done")
run.events, run.plans
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from vtsconf.core import plan as plans
from vtsconf.core.change import Action, Change
from vtsconf.core.content import Content
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan, Plan, base_of
from vtsconf.core.rollout.gate import Answer, Verdict, worst
from vtsconf.core.rollout.strategy import Gates, Share, Strategy
from vtsconf.core.rollout.strategy import to_json as strategy_json
from vtsconf.core.runs import Event
from vtsconf.core.secret import SecretRef
from vtsconf.core.step import FileState, PutFile

START = 1_795_593_600.0  # 2026-11-25 08:00:00 UTC
OPS, BOSS = "mara@ctl1.bank", "jon@ctl2.bank"


class Run:
    """One run that is being told. The clock `now` goes on with what happens."""

    def __init__(
        self,
        name: str,
        hosts: Sequence[str],
        waves: Sequence[Sequence[str]] = (),
        strategy: Strategy | None = None,
        command: str = "rollout",
        by: str = OPS,
        canary: bool = False,
    ) -> None:
        self.name, self.by, self.now = name, by, START
        self.waves = [list(wave) for wave in waves]
        self.events: list[Event] = []
        self.plans: dict[str, str] = {}
        self.of = {host: number for number, wave in enumerate(self.waves, 1) for host in wave}
        body: dict[str, Any] = {
            "command": command,
            "by": by,
            "revision": "4f1c09a7be21",
            "hosts": list(hosts),
        }
        if waves:
            chosen = strategy_json(strategy or Strategy())
            body |= {"strategy": chosen, "waves": self.waves, "canary": canary}
        self.add("run-started", **body)

    def add(self, action: str, host: str = "", *, after: float = 0.0, **body: Any) -> None:
        self.now += after
        self.events.append(
            Event(
                id=len(self.events) + 1,
                at=int(self.now),
                run=self.name,
                host=host,
                action=action,
                body=body | {"time": self.now},
            )
        )

    def wave(self, number: int) -> None:
        self.add("wave-started", after=0.3, wave=number, marks={}, by=self.by)

    def begin(self, host: str, by: str = "") -> None:
        self.add("host-started", host, **{"as": self.name, "wave": self.of.get(host, 0), "by": by or self.by})

    def end(
        self, host: str, outcome: str = "changed", *, after: float = 0.0, seconds: float = 0.0, **more: Any
    ) -> None:
        changes = {"changes": 2 if outcome == "changed" else 0}
        self.add("host-finished", host, after=after, outcome=outcome, seconds=seconds, **(changes | more))

    def change(self, hosts: Sequence[str], seconds: Sequence[float], **others: dict[str, Any]) -> None:
        """All at once; each takes its time. `others`: what is special, by host."""
        began = self.now
        for host in hosts:
            self.begin(host)
        for took, host in sorted(zip(seconds, hosts, strict=True)):
            self.now = began + took
            self.end(host, **({"outcome": "changed", "seconds": took} | others.get(host, {})))

    def ask(self, wave: int, ask: str, answers: Sequence[Answer], *, after: float = 1.0) -> None:
        verdict = worst(answers).value
        told = [answer.to_json() for answer in answers]
        self.add("gate-asked", after=after, wave=wave, ask=ask, answers=told, verdict=verdict, by=self.by)

    def finish(self, state: str, why: str = "", *, after: float = 0.5) -> None:
        self.add("run-finished", after=after, state=state, why=why, summary={})

    def plan(self, host: str, *changes: Change, password: str = "") -> None:
        self.plans[host] = plan_of(host, changes or CHANGES, password=password)

    def to_json(self) -> dict[str, Any]:
        told = [
            {k: getattr(event, k) for k in ("id", "at", "run", "host", "action", "body")}
            for event in self.events
        ]
        return {"run": self.name, "events": told, "plans": self.plans}


CHANGES = (
    Change(address="ems/ems_keep_alive", action=Action.UPDATE, live="120", desired="300"),
    Change(
        address="files//etc/motd",
        action=Action.UPDATE,
        live={"content": "This is a tape server.\nAsk the VTS team.\n", "mode": "0644"},
        desired={"content": "This is a tape server.\nAsk the VTS team before you log in.\n", "mode": "0644"},
    ),
    Change(
        address="bma/tsm/password",
        action=Action.UPDATE,
        live="keyed:1c2d3e4f5a6b",
        desired="keyed:99aa88bb77cc",
        secret=True,
    ),
)
CONFIG = "/usr/local/tape/vts.conf"


def plan_of(host: str, changes: Sequence[Change] = CHANGES, *, password: str = "") -> str:
    """A plan document as the journal keeps it; `password` is never in it, only its reference."""
    before = FileState(
        content=Content.plain(f"{host}\nems_keep_alive 120\n".encode(errors="replace")),
        digest=_digest(host, "before"),
    )
    after = FileState(
        content=Content.plain(f"{host}\nems_keep_alive 300\n".encode(errors="replace")),
        digest=_digest(host, "after"),
    )
    opt = Content((b"PASSWORD ", SecretRef("env", "TSM_PASSWORD"), b"\n"))
    keyed = FileState(
        content=opt, digest=_digest(host, password or "key"), keyed=True, mode="0600", owner="root"
    )
    steps = (
        PutFile(path=CONFIG, before=before, after=after, restart=("ems",)),
        PutFile(path="/opt/tsm/dsm.opt", before=None, after=keyed),
    )
    part = HostPlan(
        host=host,
        outcome=PlanOutcome.CHANGES,
        endpoint=f"root@{host}:22",
        changes=tuple(changes),
        steps=steps,
        base=(base_of(CONFIG, before), base_of("/opt/tsm/dsm.opt", None)),
        restarts=("ems",),
    )
    return json.dumps(
        plans.to_json(Plan(made=int(START) - 900, by=OPS, revision="4f1c09a7be21", hosts=(part,)))
    )


def _digest(*words: str) -> str:
    return hashlib.sha256(" ".join(words).encode(errors="replace")).hexdigest()


def answers(hosts: Sequence[str], **others: tuple[Verdict, str]) -> list[Answer]:
    """Services and health pass on each server, but for what `others` say of the services."""
    found = []
    for host in hosts:
        verdict, reason = others.get(host, (Verdict.PASS, "exit 0"))
        found.append(Answer(gate="services/ems", verdict=verdict, reason=reason, host=host, seconds=0.21))
        found.append(
            Answer(gate="health/mounts", verdict=Verdict.PASS, reason="exit 0", host=host, seconds=0.08)
        )
    return found


CAREFUL = Strategy(
    name="careful",
    canary="1",
    canary_soak=1800,
    waves=(Share(number=3), Share(percent=50.0)),
    soak=300,
    apart=("pairs_*",),
    max_failures=Share(percent=10.0),
    on_failure="keep",
    approve=("canary",),
    four_eyes=True,
    gates=Gates(event_log=True, ignore=("tape drive [0-9]+ cleaned",)),
)


def stopped(count: int = 20) -> Run:
    """A canary, an approval, a wave that a gate stops; a server reverted, some never tried."""
    hosts = [f"vts{number:02}" for number in range(1, count + 1)]
    waves = [hosts[:1], hosts[1:4], hosts[4:-1]]
    run = Run("20261125-080000-ab12", hosts, waves, CAREFUL, canary=True)
    for host in hosts[:-1]:
        run.plan(host)
    gates = _questions()
    for host in hosts[:-1]:
        run.add("questions", host, questions=gates)
    run.wave(1)
    run.change(hosts[:1], [4.1])
    run.ask(1, "first", answers(hosts[:1]))
    run.ask(1, "last", answers(hosts[:1]), after=1800)
    run.add("approved", after=420, by=BOSS, why="canary looks good, CHG0031337", wave=2)
    run.wave(2)
    reason = "health/mounts: exit 1 after the change; the old bytes are back"
    detail = "mount: /VAULT02: can't read superblock\nexit status 1\n"
    run.change(
        hosts[1:4],
        [3.8, 9.4, 5.2],
        vts03={
            "outcome": "reverted",
            "seconds": 9.4,
            "reason": reason,
            "detail": detail,
            "remedy": "look at /VAULT02",
        },
    )
    run.add("paused", after=20, by=BOSS, why="looking at vts03", cause="asked")
    run.add("resumed", after=600, by=BOSS, why="a disk, not us")
    fail = (Verdict.FAIL, "exit 3: ems is not running (pid file is stale)")
    run.ask(2, "first", answers(hosts[1:4], vts04=fail))
    why = "gate services/ems after wave 2 on vts04: exit 3: ems is not running (pid file is stale)"
    run.add("stopped", after=0.1, why=why, cause="gate", revert=False)
    for host in hosts[4:-1]:
        run.end(host, "skipped", reason="the rollout was stopped before its turn", changes=0)
    run.end(hosts[-1], "unchanged", changes=0)
    run.finish("stopped", why)
    return run


def _questions() -> list[dict[str, Any]]:
    from vtsconf.core.rollout.gate import Question

    return [
        Question(gate="services/ems", argv=("/usr/local/tape/ems", "status")).to_json(),
        Question(gate="health/mounts", argv=("mountpoint", "-q", "/VAULT01")).to_json(),
    ]


def done(count: int = 3) -> Run:
    """All well: a wave for each server."""
    hosts = [f"vts{number}" for number in range(1, count + 1)]
    run = Run(
        "20261125-090000-cd34", hosts, [[host] for host in hosts], Strategy(name="serial", gates=Gates())
    )
    for number, host in enumerate(hosts, 1):
        run.plan(host)
        run.wave(number)
        run.change([host], [3.0 + number])
        run.ask(number, "first", answers([host]))
    run.finish("done")
    return run


def paused() -> Run:
    """A gate that could not be asked; a server in doubt; nothing has ended."""
    hosts = ["vts1", "vts2", "vts3"]
    run = Run("20261125-100000-ef56", hosts, [hosts[:2], hosts[2:]], Strategy(name="half", gates=Gates()))
    for host in hosts:
        run.plan(host)
    run.wave(1)
    run.change(hosts[:1], [3.3])
    run.begin("vts2")
    run.ask(1, "first", answers(["vts1"], vts1=(Verdict.INCONCLUSIVE, "no answer within 60 s")), after=30)
    why = "inconclusive: gate services/ems after wave 1 on vts1: no answer within 60 s"
    run.add("paused", by="", why=why, cause="gate")
    return run


def applied() -> Run:
    """A plain apply as older versions wrote it: no waves, no fractions of a second, no words about who."""
    hosts = ["vts1", "vts2", "vts3"]
    run = Run("20261120-070000-0001", hosts, command="apply")
    for host in hosts[:2]:
        run.plan(host)
    run.change(hosts[:2], [2.0, 5.0], vts2={"outcome": "unreachable", "reason": "connection refused"})
    run.end("vts3", "unchanged", changes=0)
    run.finish("done")
    run.events = [_old(event) for event in run.events]
    return run


def _old(event: Event) -> Event:
    dropped = ("time", "by", "wave", "as", "state") if event.host else ("time", "state")
    body = {key: value for key, value in event.body.items() if key not in dropped}
    return Event(id=event.id, at=event.at, run=event.run, host=event.host, action=event.action, body=body)


EVIL = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "vts\x1b[31m\x00\x07red",
    "vts\u202egpj.exe\u2066\u200f",
    "a\udc80b\udfff",
    "{{ 7*7 }}{% raw %}",
    "</style></title></svg>",
    "]]><!--",
    "javascript:alert(1)",
    "https://evil.example/x.css",
]
LEAKS = [
    "login failed: password=hunter2, user root",
    "token: tok-abcdef12345 has expired",
    'secret = "s3cr3t w0rd"',
]
LEAKED = ("hunter2", "tok-abcdef12345", "s3cr3t w0rd", "MIIEvQIBADANBg", "p4ssw0rd-in-a-value", "opensesame")


def hostile(names: Sequence[str] = tuple(EVIL)) -> Run:
    """Names, reasons, outputs and values that want to be code, or should not be shown."""
    hosts = [*names, *(f"leak{number}" for number in range(len(LEAKS) + 2))]
    strategy = Strategy(name=EVIL[0], gates=Gates(), apart=(EVIL[1],))
    run = Run("20261125-110000-6666", hosts, [hosts[:6], hosts[6:]], strategy, by=EVIL[1])
    for host in hosts:
        evil = Change(
            address=f"files//{host}", action=Action.CREATE, desired={"content": f"{host}\n{host}\n"}
        )
        run.plan(
            host, evil, Change(address=f"parameters/{host}", action=Action.UPDATE, live=host, desired=host)
        )
    value = Change(
        address="parameters/site_password", action=Action.UPDATE, live="x", desired="p4ssw0rd-in-a-value"
    )
    run.plan("leak0", value)
    run.add(
        "questions",
        EVIL[0],
        questions=[{"gate": EVIL[0], "argv": [EVIL[1], EVIL[4]], "on": "server", "timeout": 5}],
    )
    run.wave(1)
    long = EVIL[0] * 400
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END RSA PRIVATE KEY-----"
    special: dict[str, dict[str, Any]] = {
        host: {
            "outcome": "failed",
            "reason": f"{host} {long}",
            "detail": f"{host}\npassword opensesame\n{key}",
            "debts": [host],
        }
        for host in EVIL
    }
    special |= {
        f"leak{n}": {"outcome": "failed", "reason": reason, "remedy": reason}
        for n, reason in enumerate(LEAKS)
    }
    special["leak3"] = {"outcome": "failed", "reason": key}
    run.change(hosts[:6], [3.0] * 6, **special)
    run.ask(1, "first", [Answer(gate=e, verdict=Verdict.FAIL, reason=e, host=e) for e in EVIL])
    run.add("paused", by=EVIL[2], why=EVIL[3], cause="asked")
    run.add("resumed", by=EVIL[4], why=EVIL[5])
    run.wave(2)
    run.change(hosts[6:], [3.0] * len(hosts[6:]), **special)
    run.add("stopped", why=f"gate {EVIL[0]} after wave 1: {EVIL[6]}", cause="gate", revert=True)
    run.add("host-settled", hosts[-1], outcome="reverted", reason=EVIL[0])
    run.finish("stopped", EVIL[7])
    return run


def fleet(count: int, per_wave: int, *, bad: int = 97, planned: int = 0) -> Run:
    """A long rollout: waves of so many servers, fifty at once; every `bad`th server fails; the last wave is never
    begun; only the first `planned` have a plan, because plans are slow to build."""
    hosts = [f"vts{number:05}.dc{number % 3}.bank" for number in range(1, count + 1)]
    waves = [hosts[:1], *(hosts[start : start + per_wave] for start in range(1, count, per_wave))]
    strategy = Strategy(name="fleet", canary="1", waves=(Share(number=per_wave),), soak=600, gates=Gates())
    run = Run("20261125-120000-f1ee", hosts, waves, strategy, canary=True)
    for number, wave in enumerate(waves[:-1], 1):
        run.wave(number)
        for start in range(0, len(wave), 50):
            part = wave[start : start + 50]
            took = [3.0 + (int(host[3:8]) * 7919 % 500) / 100 for host in part]
            run.change(
                part,
                took,
                **{h: _bad(h, t) for h, t in zip(part, took, strict=True) if int(h[3:8]) % bad == 0},
            )
        run.ask(number, "first", answers(wave))
        run.ask(number, "last", answers(wave), after=600)
    run.add("abort-asked", by=OPS, why="change window ends", revert=False)
    run.add("stopped", why=f"aborted by {OPS}: change window ends", cause="abort", revert=False)
    for host in waves[-1]:
        run.end(host, "skipped", reason="aborted by mara@ctl1.bank: change window ends", changes=0)
    for host in hosts[:planned]:
        run.plan(host)
    run.finish("aborted")
    return run


def _bad(host: str, took: float) -> dict[str, Any]:
    outcome = ("failed", "unreachable", "reverted")[int(host[3:8]) % 3]
    return {
        "outcome": outcome,
        "seconds": took,
        "reason": f"{outcome}: {host} gave no good answer",
        "changes": 0,
    }

"""A fleet of real OpenSSH servers, a project about them, and controllers that are processes of their own.

    fleet = Fleet.start(tmp_path, 3)                      # vts1, vts2, vts3; about a third of a second
    plan = fleet.fresh(folder)                            # all is as in the beginning; a new project, a new store
    fleet.strategy("nights", "waves: [1, 100%]")
    fleet["vts2"].hold("restart")                         # whoever comes there waits until `let_go`
    with fleet.start_rollout("nights") as first:          # `vtsconf rollout start … --lines`
        first.until("host-finished", "vts1")              # an event that it has printed
        fleet["vts2"].until("at", "restart")
        first.kill()                                      # and no process of it lives on
    fleet["vts2"].let_go("restart")
    fleet.run("rollout", "resume").code

Each server has a configuration file, one service and an event log. What the service has loaded at each of its restarts, and
every change that was ever armed there, is counted on the server itself: so nobody who forgot something can hide it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.e2e.conftest import Ended
from tests.real.openssh import OpenSsh
from tests.real.sshkeys import keys
from vtsconf.core.rollout.state import Rollout
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal

ROOT = "/usr/local/tape"
STATE = "/var/lib/vtsconf"
CONFIG = f"{ROOT}/vts.conf"
SERVICE = f"{ROOT}/service"
LOG = f"{ROOT}/log/event.log"
OLD, NEW = "old", "new"
PATIENCE = 60.0  # seconds; a machine under load is slow

# Ours, and nobody's real command. `hold-POINT` beside it holds whoever comes to that point.
_SERVICE = f"""\
#!/bin/sh
cd {ROOT} || exit 1
at() {{
  [ ! -e "hold-$1" ] || {{ : >"at-$1"; while [ -e "hold-$1" ]; do sleep 0.05; done; rm -f "at-$1"; }}
}}
log() {{ printf '%s|%s|620900|LAB-1|127.0.0.1|vts|vtsa||%s\\n' "$(date '+%F %T')" "$1" "$2" >>log/event.log; }}
case $1 in
  restart)
    value=$(sed -n "s/^option_one='\\(.*\\)'/\\1/p" vts.conf)
    echo "$value" >>restarts
    at restart
    if [ -e fails ] && [ "$value" = {NEW} ]; then echo "it does not start" >&2; exit 1; fi
    echo "$value" >loaded
    if [ -e complains ]; then log ERROR "lost its NonStop host"; else log INFO restarted; fi ;;
  status) [ -e loaded ] && [ ! -e down ] ;;
  health) at health; [ ! -e sick ] ;;
  ready) at ready; exit "$(cat ready 2>/dev/null || echo 0)" ;;
esac
"""

DESIRED = f"""\
vts:
  config_file: {CONFIG}
  confirm_within: 60s
  services:
    tapes: {{restart: [{SERVICE}, restart], status: [{SERVICE}, status]}}
  parameters: {{option_one: {NEW}}}
  health:
    alive: {{run: [{SERVICE}, health]}}
"""
PARAMETERS = "family: site\nrows: [{name: option_one, type: text, restart: tapes}]\n"


def wait_until(holds: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    """Look until it is so. `what`: told where it never is."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen in time: {what()}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Box:
    """One server of the fleet."""

    name: str
    server: OpenSsh

    def path(self, remote: str) -> Path:
        return self.server.path(remote)

    def put(self, name: str, text: str = "") -> None:
        """A file beside the service: fails, complains, down, sick, or `ready` with an exit code."""
        self.path(f"{ROOT}/{name}").write_text(text)

    def remove(self, name: str) -> None:
        self.path(f"{ROOT}/{name}").unlink(missing_ok=True)

    def hold(self, point: str) -> None:
        """`restart` of the service, `health` before the change is confirmed, `ready`: the site's check."""
        self.put(f"hold-{point}")

    def let_go(self, point: str) -> None:
        self.remove(f"hold-{point}")

    def is_at(self, point: str) -> bool:
        """Somebody is at a point that is held."""
        return self.path(f"{ROOT}/at-{point}").exists()

    def until_at(self, point: str) -> None:
        """Somebody has come there."""
        wait_until(lambda: self.is_at(point), lambda: (self.name, point, self.journal))

    def until(self, event: str) -> None:
        """The server's own journal tells of it."""
        wait_until(lambda: self.runs(event), lambda: (self.name, event, self.journal))

    @property
    def journal(self) -> list[list[str]]:
        """What the server itself wrote down: [time, run, event, …words]."""
        path = self.path(f"{STATE}/journal")
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def runs(self, event: str) -> list[str]:
        """The runs of which the server's journal tells this event, in their order."""
        return [words[1] for words in self.journal if words[2] == event]

    @property
    def restarts(self) -> list[str]:
        """What the service has loaded, at each restart."""
        path = self.path(f"{ROOT}/restarts")
        return path.read_text().split() if path.exists() else []

    @property
    def config(self) -> str:
        """ "old" or "new"; the whole text where it is neither."""
        text = self.path(CONFIG).read_text()
        return next((value for value in (OLD, NEW) if text == _configured(value)), text)

    @property
    def is_free(self) -> bool:
        """Neither locked nor armed, and nothing of ours lies about."""
        state, root = self.path(STATE), self.path(ROOT)
        beside = [path.name for path in root.iterdir() if "vtsconf" in path.name]
        return not (state / "lock").exists() and not list((state / "pending").glob("*")) and not beside

    def assert_whole(self) -> None:
        """Nothing is left half done: the service runs what the file says, and no change restarted it twice."""
        assert self.is_free, self.journal
        assert self.path(f"{ROOT}/loaded").read_text().split() == [self.config]
        swapped = len(self.runs("swapped"))
        assert self.restarts.count(NEW) <= swapped - self._backwards, (self.restarts, self.journal)

    @property
    def _backwards(self) -> int:
        """Runs that took another one back: they swap too, and load what is old."""
        return sum(1 for run in self.runs("swapped") if run.endswith("-back"))

    def reset(self) -> None:
        """As in the beginning."""
        if len(self.server.processes()) > 1:
            self.server.kill()
            self.server.restart()
        for folder in (ROOT, STATE):
            for path in self.path(folder).iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.path(LOG).parent.mkdir()
        self.path(LOG).write_text("2026-11-25 09:00:00|INFO|220900|LAB-1|127.0.0.1|vts|vtsa||restarted\n")
        self.path(CONFIG).write_text(_configured(OLD))
        self.put("loaded", OLD)
        self.put("service", _SERVICE)
        self.path(SERVICE).chmod(0o755)


def _configured(value: str) -> str:
    return f"option_one='{value}'\noption_other='kept'\n"


_PEOPLE = {"ops": 61001, "eve": 61002, "ann": 61003}
_AS = 'mount --bind "$1" /etc/passwd && shift && exec unshare --user "$@"'


def _as_person(name: str, folder: Path) -> list[str]:
    """Words before a command: the system knows its user as `name`, and the files of root are that user's."""
    known = folder.parent / f"{folder.name}-passwd"
    if not known.exists():
        lines = [f"{person}:x:{uid}:0::/root:/bin/sh\n" for person, uid in _PEOPLE.items()]
        known.write_text(Path("/etc/passwd").read_text() + "".join(lines))
    return [
        "unshare",
        "--mount",
        "sh",
        "-c",
        _AS,
        "sh",
        str(known),
        f"--map-user={_PEOPLE[name]}",
        "--map-group=0",
        "--",
    ]


class Controller:
    """A `vtsconf` in a process of its own, and what it has said so far. `with`: it is gone at the end."""

    def __init__(
        self, words: Sequence[str], folder: Path, environ: Mapping[str, str], before: Sequence[str] = ()
    ) -> None:
        self.words = words
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", "vtsconf", *words],
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._news = threading.Condition()
        streams = ((self._process.stdout, self.out), (self._process.stderr, self.err))
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._news:
                lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has told with `--lines`."""
        return [json.loads(line) for line in self.out if line.startswith('{"format": "vtsconf/event/1"')]

    def until(self, action: str, host: str | None = None, **body: object) -> dict[str, Any]:
        """Wait until it has told of such an event."""

        def found() -> dict[str, Any] | None:
            return next((event for event in self.events if _is(event, action, host, body)), None)

        return self._wait(found, f"{action} {host or ''} {body or ''}")

    def until_says(self, words: str) -> None:
        """Wait until it has said so to the person at its terminal."""
        self._wait(lambda: any(words in line for line in self.err), words)

    def _wait(self, found: Callable[[], Any], what: str) -> Any:
        with self._news:
            done = self._news.wait_for(lambda: found() or self._is_over, PATIENCE)
            answer = found() if done else None
        assert answer, f"{what!r} did not come: {self._told}"
        return answer

    @property
    def _is_over(self) -> bool:
        return not any(
            reader.is_alive() for reader in self._readers if reader is not threading.current_thread()
        )

    @property
    def _told(self) -> str:
        return f"{self.words}\n{''.join(self.out)}\n{''.join(self.err)}"

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """At once, and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def is_over_within(self, seconds: float) -> bool:
        """It has ended by itself; or so much time has passed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def ended(self) -> Ended:
        """How it ended, once it has."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end: {self._told}") from None
        for reader in self._readers:
            reader.join()
        ended = Ended(code, "".join(self.out), "".join(self.err))
        assert "Traceback" not in ended.err, self._told
        return ended

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _is(event: Mapping[str, Any], action: str, host: str | None, body: Mapping[str, object]) -> bool:
    return (
        event["action"] == action
        and host in (None, event["host"])
        and all(event.get(key) == value for key, value in body.items())
    )


@dataclass
class Fleet:
    """`boxes` by name. `fresh` begins a test; `project` is its folder, `environ` what its controllers get."""

    boxes: dict[str, Box]
    project: Path = field(default_factory=Path)
    environ: dict[str, str] = field(default_factory=dict)
    store: str = ""

    @classmethod
    def start(cls, tmp_path: Path, count: int) -> Self:
        """`count` servers, vts1 … ; vts1 and vts2 are pair_1, vts3 and vts4 pair_2, …"""

        def one(number: int) -> Box:
            return Box(f"vts{number}", OpenSsh.start(tmp_path, own=(ROOT, STATE)))

        keys()  # before several threads want them
        with ThreadPoolExecutor(4) as pool:
            return cls({box.name: box for box in pool.map(one, range(1, count + 1))})

    def __getitem__(self, name: str) -> Box:
        return self.boxes[name]

    def __iter__(self) -> Iterator[Box]:
        return iter(self.boxes.values())

    def stop(self) -> None:
        for box in self:
            box.server.stop()

    # ---- the project

    def fresh(self, folder: Path, *, store: str = "") -> None:
        """All servers as in the beginning, and a new project in `folder` with a new store."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Box.reset, self))
        self.project, self.environ, self.store = folder, {}, store
        self.write("inventory.yaml", json.dumps(self._inventory()))
        self.write("known_hosts", "".join(box.server.known_hosts() for box in self))
        self.write("group_vars/all.yaml", DESIRED)
        self.write("parameters/site.yaml", PARAMETERS)
        if store:
            self.write("vtsconf.toml", f'store = "{store}"\n')

    def _inventory(self) -> dict[str, Any]:
        names = list(self.boxes)
        pairs = {f"pair_{n // 2 + 1}": names[n : n + 2] for n in range(0, len(names), 2)}
        variables = {
            "ansible_host": "127.0.0.1",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(keys().user),
            "vts_ssh_known_hosts": str(self.project / "known_hosts"),
            "vts_ssh_config": "",
            "vts_ssh_agent": False,
        }
        hosts = {box.name: {"ansible_port": box.server.port} for box in self}
        children = {name: {"hosts": dict.fromkeys(members)} for name, members in pairs.items()}
        return {"all": {"vars": variables, "hosts": hosts, "children": children}}

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def strategy(self, name: str, text: str) -> None:
        self.write(f"rollouts/{name}.yaml", text)

    def impatient(self, name: str) -> None:
        """A server that takes itself back soon, and is soon given up."""
        variables = {"vts_ssh_idle_timeout": "2s", "ansible_timeout": 2, "vts": {"confirm_within": "2s"}}
        self.write(f"host_vars/{name}.yaml", json.dumps(variables))

    def plan(self, *words: str, out: str = "friday.json") -> str:
        """Make the plan of what the documents say: the name of its file."""
        ended = self.run("plan", "--out", out, *words)
        assert ended.code == 0, ended
        return out

    # ---- controllers

    def run(self, *words: str, by: str = "") -> Ended:
        """One command, to its end. `by`: another user."""
        with self.spawn(*words, by=by) as controller:
            return controller.ended()

    def spawn(self, *words: str, by: str = "") -> Controller:
        return Controller(words, self.project, self.environ, _as_person(by, self.project) if by else ())

    def start_rollout(self, strategy: str, *words: str, by: str = "") -> Controller:
        """Plan, and start; its events come as lines."""
        plan = self.plan()
        return self.spawn("rollout", "start", plan, "--strategy", strategy, "--yes", "--lines", *words, by=by)

    # ---- what is so

    @property
    def journal(self) -> Journal:
        """The store, as nobody's process."""
        return Journal(self.store or f"sqlite:///{self.project}/.vtsconf/vtsconf.db")

    @property
    def has_begun(self) -> bool:
        """There is a run in the store."""
        return bool(self.journal.run_names())

    @property
    def rollout(self) -> Rollout:
        """The only rollout of the store."""
        journal = self.journal
        name = next(name for name in journal.run_names() if not name.endswith("-back"))
        rollout = Rollout.of(name, journal.events(name))
        journal.close()
        return rollout

    @property
    def events(self) -> list[Event]:
        """All that the store knows of all runs."""
        journal = self.journal
        events = list(journal.events())
        journal.close()
        return events

    @property
    def outcomes(self) -> dict[str, str]:
        rollout = self.rollout
        return {name: rollout.outcome(name) or "open" for name in rollout.seen.hosts}

    def reason(self, name: str) -> str:
        return str(self.rollout.seen.hosts[name]["reason"])

    @property
    def configs(self) -> dict[str, str]:
        return {box.name: box.config for box in self}

    def claimed(self) -> set[str]:
        """The servers that a run holds."""
        journal = self.journal
        held = set(journal.claims(list(self.boxes)))
        journal.close()
        return held

    def assert_ended(self, state: str, *outcomes: str) -> None:
        """The rollout has ended; every server in its one outcome, which tells the truth; all are free again.

        What has "changed" is new, restarted, confirmed once, and was never changed twice; anything else is as before.
        """
        told = self.outcomes

        assert (state, dict(zip(self.boxes, outcomes, strict=True))) == (self.rollout.state, told)
        finished = Counter(
            event.host
            for event in self.events
            if event.action == "host-finished" and event.run == self.rollout.run
        )
        assert dict.fromkeys(self.boxes, 1) == finished
        assert {name: NEW if outcome == "changed" else OLD for name, outcome in told.items()} == self.configs
        assert set() == self.claimed()
        for box in self:
            box.assert_whole()
            if told[box.name] == "changed":
                assert 1 == len(box.runs("confirmed")), box.journal
            if told[box.name] == "skipped":
                assert [] == box.journal

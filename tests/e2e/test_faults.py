"""Everything that can go wrong in the middle, on real processes: afterwards the report, the tree and the services agree.

Each fault strikes at every event of a change: one server of the lab for each, all in one run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.conftest import Ended, Vtsconf
from vtsconf.engine.lab.faults import EVENTS
from vtsconf.engine.lab.lab import Host, Lab

FILES = (
    "/usr/local/tape/lab/vts.conf", "/opt/tivoli/tsm/client/ba/bin/dsm.sys", "/opt/tivoli/tsm/client/ba/bin/dsm.opt",
)  # fmt: skip
Tree = dict[str, bytes | None]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Lab]:
    """A server for every event."""
    with Lab.up(tmp_path / "fleet", servers=len(EVENTS)) as lab:
        yield lab


def managed(host: Host) -> Tree:
    return {p: bytes_of(host.path(p)) for p in FILES}


def bytes_of(path: Path) -> bytes | None:
    """What stands there now; it may be taken back while we look."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def tree(host: Host) -> Tree:
    """What is managed there, and whatever of ours lies beside it."""
    found = managed(host)
    for folder in {host.path(p).parent for p in FILES}:
        found |= {str(p): b"" for p in folder.iterdir() if "vtsconf" in p.name}
    return found


def is_free(host: Host) -> bool:
    state = host.path("/var/lib/vtsconf")
    return not (state / "lock").exists() and not list((state / "pending").glob("*"))


def wait_until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def tells_the_truth(host: Host) -> bool:
    """Every managed service runs what the tree says, or is on record as one that does not."""
    debts = {p.name for p in host.path("/var/lib/vtsconf/restart-debt").glob("*")}
    return all(host.service(name) == "current" or name in debts for name in ("ems", "tapeserver"))


def run(lab: Lab, *words: str, timeout: float = 120) -> Ended:
    done = subprocess.run(
        [sys.executable, "-m", "vtsconf", *words], cwd=lab.folder, capture_output=True, text=True, check=False,
        timeout=timeout, stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def outcomes(ended: Ended) -> dict[str, str]:
    return {host["host"]: host["outcome"] for host in ended.json["hosts"]}


def assert_all_goes_on(lab: Lab) -> None:
    """The next plan looks at every server, the next apply brings all to the same end, and then there is nothing to do."""
    planned = run(lab, "plan", "--json")
    assert set(outcomes(planned).values()) <= {"changes", "in_sync"}, planned.out
    for host in lab.hosts:
        assert is_free(host)
    assert run(lab, "apply", "-y").code == 0
    again = run(lab, "plan", "--json", "--detailed-exitcode")
    assert (again.code, set(outcomes(again).values())) == (0, {"in_sync"})
    assert [host.service("ems") for host in lab.hosts] == ["current"] * len(lab.hosts)


WITHIN = "4s"


# ---- the connection, the server


@pytest.mark.parametrize("fault", ["drop-after", "kill-after", "reboot-after"])
def test_struck_at_every_event(fleet: Lab, fault: str) -> None:
    old = {host.name: tree(host) for host in fleet.hosts}
    for host, event in zip(fleet.hosts, EVENTS, strict=True):
        host.break_(fault, event, once=True)
    ended = run(fleet, "apply", "-y", "--json", "--confirm-within", WITHIN, "-p", "16")

    told = outcomes(ended)
    through = {
        name for name, outcome in told.items() if outcome == "changed"
    }  # had ended before it was struck
    assert (ended.code, set(told.values()) - {"changed"}) == (4, {"unreachable"})
    assert {h["reason"].partition(":")[0] for h in ended.json["hosts"] if h["host"] not in through} == {
        "in doubt"
    }
    assert len(through) <= 4  # most are struck in the middle, whatever the machine does meanwhile
    for name in through:
        old[name] = tree(fleet.host(name))
    if fault != "reboot-after":  # the server lives: what was armed goes back without anybody
        wait_until(
            lambda: all(managed(host) == {p: old[host.name][p] for p in FILES} for host in fleet.hosts)
        )
    planned = run(fleet, "plan", "--json")
    assert planned.code == 0, [(h["host"], h["outcome"], h["reason"]) for h in planned.json["hosts"]]
    if fault == "reboot-after":  # nobody else has: this contact took it back, and says so
        said = {h["host"]: " ".join(p["what"] for p in h["problems"]) for h in planned.json["hosts"]}
        cut_off = [name for name in said if name not in through]
        assert [name for name in cut_off if "this contact has settled it" not in said[name]] == []
    wait_until(lambda: all(is_free(host) for host in fleet.hosts))
    assert {host.name: tree(host) for host in fleet.hosts} == old
    assert all(tells_the_truth(host) for host in fleet.hosts)
    history = run(fleet, "history", "--json").json["runs"][0]
    assert {host["host"]: host["outcome"] for host in history["hosts"]} == told
    assert_all_goes_on(fleet)


# ---- the controller


def apply_until(
    lab: Lab, host: str, event: str, strike: Callable[[subprocess.Popen[str]], None], *more: str
) -> Ended:
    """Apply on one server; when its event is told, `strike`."""
    words = ("apply", "-y", "-v", "--json", "-l", host, "--confirm-within", WITHIN, *more)
    child = subprocess.Popen(
        [sys.executable, "-m", "vtsconf", *words], cwd=lab.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stderr
    assert child.stdout
    said, struck = [], False
    for line in child.stderr:
        said.append(line)
        if not struck and line.strip().startswith(f"{host}: {event}"):
            strike(child)
            struck = True
    out = child.stdout.read()
    assert struck, "".join(said)
    return Ended(child.wait(), out, "".join(said))


def test_the_controller_is_killed_at_every_event(fleet: Lab) -> None:
    old = {host.name: tree(host) for host in fleet.hosts}

    def kill_at(pair: tuple[Host, str]) -> int:
        host, event = pair
        return apply_until(fleet, host.name, event, lambda child: child.kill()).code

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(kill_at, zip(fleet.hosts, EVENTS, strict=True)))
    assert set(codes) == {-signal.SIGKILL}
    wait_until(lambda: all(tree(host) == old[host.name] and is_free(host) for host in fleet.hosts))
    assert all(tells_the_truth(host) for host in fleet.hosts)
    runs = run(fleet, "history", "--json").json["runs"]
    assert len(runs) == len(EVENTS)
    assert all(seen["finished"] == 0 for seen in runs)
    assert_all_goes_on(fleet)


def test_the_controller_is_killed_while_it_confirms(lab: Lab) -> None:
    """Kept or taken back, by whom ever: one or the other."""
    host = lab.host("vts1")
    old = tree(host)
    apply_until(lab, "vts1", "confirming", lambda child: child.kill())
    wait_until(lambda: is_free(host))
    state = host.path("/var/lib/vtsconf/backup")
    word = next(state.glob("*/outcome")).read_text().split()[0]

    assert (tree(host) == old) == (word == "reverted")
    assert tells_the_truth(host)
    assert_all_goes_on(lab)


def test_the_connection_is_refused_while_it_confirms(lab: Lab) -> None:
    """A change that cuts off its own controller is not kept."""
    host = lab.host("vts1")
    old = tree(host)
    ended = apply_until(lab, "vts1", "done", lambda _: host.break_("refuse"))

    assert (ended.code, outcomes(ended)) == (4, {"vts1": "unreachable"})
    assert "in doubt" in ended.json["hosts"][0]["reason"]
    wait_until(lambda: is_free(host))
    host.mend()
    assert tree(host) == old
    assert tells_the_truth(host)
    assert_all_goes_on(lab)


def test_one_connection_that_fails_while_it_confirms_is_tried_again(lab: Lab) -> None:
    host = lab.host("vts1")
    ended = apply_until(lab, "vts1", "done", lambda _: host.break_("refuse", once=True))

    assert (ended.code, outcomes(ended)) == (0, {"vts1": "changed"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_what_has_begun_is_finished_and_the_rest_is_not_begun(fleet: Lab, number: int) -> None:
    old = {host.name: tree(host) for host in fleet.hosts}
    words = ("apply", "-y", "-v", "--json", "-p", "2")
    child = subprocess.Popen(
        [sys.executable, "-m", "vtsconf", *words], cwd=fleet.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stderr
    assert child.stdout
    for line in child.stderr:
        if "armed" in line:
            child.send_signal(number)
            break
    drain = threading.Thread(target=child.stderr.read)
    drain.start()
    document = json.loads(child.stdout.read())
    code = child.wait()
    drain.join()
    ended = {host["host"]: host["outcome"] for host in document["hosts"]}

    assert code in (5, 130)
    assert set(ended.values()) == {"changed", "skipped"}
    assert {name for name, outcome in ended.items() if tree(fleet.host(name)) != old[name]} == {
        name for name, outcome in ended.items() if outcome == "changed"
    }
    assert all(is_free(host) for host in fleet.hosts)
    assert_all_goes_on(fleet)


def test_interrupted_twice_it_leaves_at_once(lab: Lab) -> None:
    """The server takes back what nobody waits for."""
    old = {host.name: tree(host) for host in lab.hosts}
    lab.host("vts1").break_("slow", 400)
    child = subprocess.Popen(
        [sys.executable, "-m", "vtsconf", "apply", "-y", "-v", "-l", "vts1", "--confirm-within", "3s"],
        cwd=lab.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stderr
    for line in child.stderr:
        if "locked" in line:
            child.send_signal(signal.SIGINT)
        if "stopping" in line:
            child.send_signal(signal.SIGINT)
            break
    began = time.monotonic()
    child.stderr.read()
    code = child.wait(timeout=20)

    assert code == 130
    assert time.monotonic() - began < 3
    lab.host("vts1").mend()
    wait_until(lambda: is_free(lab.host("vts1")))
    assert tree(lab.host("vts1")) in (old["vts1"], tree(lab.host("vts1")))
    assert_all_goes_on(lab)


# ---- two at once, and other hands


def test_two_controllers_at_once(lab: Lab) -> None:
    documents = lab.folder / "group_vars" / "all.yaml"
    text = documents.read_text()
    for number in range(2):
        documents.write_text(
            text.replace("tcpserveraddress: tsm1.lab", f"tcpserveraddress: tsm1{number}.lab")
        )
        assert run(lab, "plan", "--out", "plan.json").code == 0
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: run(lab, "apply", "plan.json", "--json"), range(2)))
        for host in lab.hosts:
            assert sorted(outcomes(one)[host.name] for one in both) in (
                ["changed", "locked"],
                ["changed", "stale"],
            )
        assert sorted(one.code for one in both) in ([0, 6], [0, 7], [6, 6], [6, 7], [7, 7])
        assert_all_goes_on(lab)


def test_a_hand_edit_between_plan_and_apply(lab: Lab) -> None:
    assert run(lab, "plan", "--out", "plan.json").code == 0
    path = lab.host("vts1").path(FILES[0])
    path.write_bytes(path.read_bytes() + b"# by hand\n")
    edited, other = tree(lab.host("vts1")), tree(lab.host("vts2"))
    ended = run(lab, "apply", "plan.json", "--json")

    assert (ended.code, outcomes(ended)) == (6, {"vts1": "stale", "vts2": "changed"})
    assert tree(lab.host("vts1")) == edited
    assert tree(lab.host("vts2")) != other
    assert_all_goes_on(lab)
    assert b"# by hand\n" in path.read_bytes()


# ---- what a server can refuse


def test_a_disk_that_is_full(lab: Lab) -> None:
    host = lab.host("vts1")
    old = tree(host)
    host.break_("disk-full", 1024)
    ended = run(lab, "apply", "-y", "--json")

    assert (ended.code, outcomes(ended)) == (5, {"vts1": "failed", "vts2": "changed"})
    assert "disk full" in ended.json["hosts"][0]["reason"] or "disk" in ended.json["hosts"][0]["reason"]
    host.mend()
    assert tree(host) == old
    assert_all_goes_on(lab)


@pytest.mark.parametrize(
    ("fault", "reason"), [("service-fails", "restart of ems"), ("status-fails", "status check of ems")]
)
def test_a_service_that_does_not_come_up(lab: Lab, fault: str, reason: str) -> None:
    host = lab.host("vts1")
    old = tree(host)
    host.break_(fault, "ems")
    ended = run(lab, "apply", "-y", "--json", "-l", "vts1")

    assert (ended.code, outcomes(ended)) == (8, {"vts1": "reverted"})
    assert reason in ended.json["hosts"][0]["reason"]
    assert tree(host) == old
    assert host.service("ems") == "current" or ended.json["hosts"][0]["debts"] == ["ems"]
    host.mend()
    assert_all_goes_on(lab)


def test_a_validator_that_says_no(lab: Lab) -> None:
    documents = lab.folder / "host_vars" / "vts1.yaml"
    documents.parent.mkdir(exist_ok=True)
    documents.write_text(
        "vts:\n  files:\n"
        '    "{{ vts_root }}/etc/checked.conf":\n'
        "      {content: wrong, owner: root, validate: [grep, -q, right, '{}']}\n".replace(
            "owner: root, ", ""
        )
    )
    old = tree(lab.host("vts1"))
    ended = run(lab, "apply", "-y", "--json", "-l", "vts1")

    assert (ended.code, outcomes(ended)) == (5, {"vts1": "failed"})
    assert "the validator of" in ended.json["hosts"][0]["reason"]
    assert tree(lab.host("vts1")) == old


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_clock_that_is_an_hour_off(lab: Lab, seconds: int) -> None:
    for host in lab.hosts:
        host.break_("clock-skew", seconds)
    assert run(lab, "apply", "-y", "--no-confirm", "--confirm-within", "60s", "--json").code == 9
    assert all(not is_free(host) for host in lab.hosts)
    assert run(lab, "confirm").code == 0
    assert_all_goes_on(lab)


# ---- not confirmed


def test_the_reverter_against_confirm(lab: Lab, vtsconf: Vtsconf) -> None:
    """Just when it goes back: the answer is what the tree says."""
    host = lab.host("vts1")
    old = tree(host)
    assert vtsconf("apply", "-y", "--no-confirm", "--confirm-within", "1s", "-l", "vts1").code == 9
    confirmed = vtsconf("confirm", "vts1", "--json")
    wait_until(lambda: is_free(host))

    assert confirmed.code in (0, 8)
    kept = tree(host) != old
    told = confirmed.json["hosts"][0]["outcome"]
    assert told in (("changed",) if kept else ("reverted", "unchanged"))
    assert_all_goes_on(lab)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(40))
def test_killed_at_any_time(lab: Lab, number: int) -> None:
    """The controller, the connection or the server goes at a random moment."""
    import random

    chance = random.Random(f"{os.environ.get('VTSCONF_SEED', '1')}/{number}")
    host = lab.host("vts1")
    old = tree(host)
    child = subprocess.Popen(
        [sys.executable, "-m", "vtsconf", "apply", "-y", "-l", "vts1", "--confirm-within", "3s"],
        cwd=lab.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(chance.uniform(0.3, 1.8))
    victim = chance.choice(["controller", "server", "both"])
    if victim != "server":
        child.kill()
    if victim != "controller":
        host.break_("reboot")
    child.wait()
    time.sleep(4)
    assert run(lab, "plan").code == 0
    wait_until(lambda: is_free(host))

    assert tree(host) == old or next(
        host.path("/var/lib/vtsconf/backup").glob("*/outcome")
    ).read_text().startswith("confirmed")
    assert tells_the_truth(host)
    assert_all_goes_on(lab)

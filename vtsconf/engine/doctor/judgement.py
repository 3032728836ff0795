"""What a server's answers are worth: pure, from one reading to the checks."""

from __future__ import annotations

from collections.abc import Iterator

from vtsconf.core.printable import printable
from vtsconf.core.probe import Query, Reading
from vtsconf.engine.doctor import needs
from vtsconf.engine.doctor.check import Check, fails, passes, untold, warns
from vtsconf.engine.doctor.whereabouts import Whereabouts
from vtsconf.engine.facts import Facts, size
from vtsconf.engine.outline import Outline

_SKEW = 5  # seconds
_MB = 1_000_000
_FOLDERS = "doctor/folders"
_SCRIPT = (
    'n=0; for p in "$@"; do if [ -d "$p" ]; then s=readonly; [ -w "$p" ] && [ -x "$p" ] && s=writable; '
    'else s=absent; q=$p; while [ -n "$q" ] && [ ! -e "$q" ]; do q=${q%/*}; done; q=${q:-/}; '
    '[ -d "$q" ] && [ -w "$q" ] && s=creatable; fi; echo "$n $s"; n=$((n+1)); done'
)


def ask_folders(outline: Outline) -> Query:
    """Which of the folders there are, and which can be written to."""
    return Query(_FOLDERS, ("sh", "-c", _SCRIPT, "sh", *_folders(outline)))


def _folders(outline: Outline) -> tuple[str, ...]:
    """The state directory first, then where the managed files stand."""
    parents = (path.rpartition("/")[0] or "/" for path in outline.managed)
    return tuple(dict.fromkeys((outline.vts.state_dir, *parents)))


def judged(outline: Outline, reading: Reading, facts: Facts, places: Whereabouts) -> Iterator[Check]:
    """Pure: every check of a server that answered."""
    yield from _connection(outline, facts)
    yield passes("rights", f"{facts.user or 'someone'} (uid {facts.uid}) on {facts.release}, {facts.kernel}")
    yield from _writable(outline, reading)
    yield from _programs(reading)
    yield from _disks(outline, facts)
    yield _clock(facts)
    yield _config_file(facts, places)
    yield from _services(outline, facts, reading)
    yield from _clients(facts)
    yield from _ledger(facts)


def _connection(outline: Outline, facts: Facts) -> Iterator[Check]:
    ssh = facts.ssh
    if ssh is None:
        yield passes("connection", "this machine itself, without SSH")
        return
    jumps = f", through {', '.join(ssh.jumps)}" if ssh.jumps else ""
    yield passes(
        "connection", f"{ssh.user}@{ssh.address}:{ssh.port} by {ssh.auth}{jumps}; {ssh.server_version}"
    )
    if ssh.outdated:
        yield warns(
            "algorithms",
            f"OUTDATED SSH ALGORITHMS: {', '.join(ssh.outdated)}",
            "SHA-1 and CBC can be broken by someone between us and the server; vts_ssh_legacy allows them here",
            "update the server's SSH; until then keep the way to it inside a network that you trust",
        )
    elif outline.target.legacy:
        yield warns(
            "algorithms",
            f"{ssh.kex}, {ssh.cipher}: of today, although vts_ssh_legacy is set",
            "with it a weaker connection could be forced on us",
            "take vts_ssh_legacy out",
        )
    else:
        yield passes("algorithms", ", ".join(filter(None, (ssh.kex, ssh.host_key, ssh.cipher, ssh.mac))))


def _writable(outline: Outline, reading: Reading) -> Iterator[Check]:
    paths = _folders(outline)
    seen = reading.queries.get(_FOLDERS)
    states = dict(line.split(" ", 1) for line in (seen.text if seen else "").splitlines() if " " in line)
    for n, path in enumerate(paths):
        name = "state directory" if n == 0 else "folder"
        yield _folder(name, path, states.get(str(n), ""), may_be_made=n == 0)


def _folder(name: str, path: str, state: str, *, may_be_made: bool) -> Check:
    shown = printable(path)
    match state:
        case "writable":
            return passes(name, f"{shown} can be written to")
        case "creatable" if may_be_made:
            return passes(name, f"{shown} is not there yet; the first change makes it")
        case "creatable" | "absent" if not may_be_made:
            return fails(
                name,
                f"{shown} does not exist",
                "a file of the documents is to stand there, and folders are not made",
                "correct the path, install what brings the folder, or make it",
            )
        case "readonly" | "absent":
            return fails(
                name,
                f"{shown} cannot be {'written to' if state == 'readonly' else 'made'} by this user",
                "a change is staged, swapped and taken back there",
                "set ansible_become: true (or ansible_user), or vts.state_dir to a folder of this user",
            )
    return untold(name, f"{shown}: the server did not tell")


def _programs(reading: Reading) -> Iterator[Check]:
    seen = reading.queries.get(needs.PROBE)
    able = needs.abilities(seen.text if seen else "")
    if able.folder or any(need is needs.NEEDS[0] for need in able.unmet):
        where = f" in {printable(able.folder)}" if able.folder else ""
        yield fails(
            "programs",
            f"no file can be written{where}",
            "the disk is full, over its quota, or mounted read-only: nothing can be staged or saved",
            "make room there, then run doctor again",
        )
    elif able.untried:
        yield untold("programs", "the server did not end the trial of its programs", "run doctor again")
    elif able.missing:
        for need in able.missing:
            yield fails("programs", f"it cannot: {need.name}", need.why, "install GNU coreutils there")
    else:
        yield passes("programs", f"{len(able.met)} of {len(needs.NEEDS)} abilities; all that are required")
        for need in able.unmet:
            yield passes("programs", f"without {need.name}: {need.why}")


def _disks(outline: Outline, facts: Facts) -> Iterator[Check]:
    if not facts.disks:
        yield untold("disk", "`df` told nothing")
    vts = outline.vts
    for disk in facts.disks:
        own = disk.path == vts.state_dir or bool(vts.config_file and vts.config_file.startswith(disk.path))
        free = f"{disk.path}: {size(disk.free)} free of {size(disk.total)} on {disk.mount}"
        if not disk.present and not own:
            yield warns(
                "disk",
                f"{disk.path} is not there",
                "vts.vaults names this vault",
                "correct vts.vaults; on a real server a vault is /VAULTxx",
            )
        elif own and disk.free < 10 * _MB:
            yield fails("disk", free, "old and new bytes need room while a change is made", "make room")
        elif own and disk.free < 100 * _MB:
            yield warns("disk", free, "backups of the last 20 runs stay there", "make room soon")
        else:
            yield passes("disk", free)


def _clock(facts: Facts) -> Check:
    if facts.skew is None:
        return untold("clock", "`date` told nothing")
    if abs(facts.skew) <= _SKEW:
        return passes("clock", "as ours" if not facts.skew else f"{facts.skew:+} s against ours")
    return warns(
        "clock",
        f"{abs(facts.skew)} s {'ahead of' if facts.skew > 0 else 'behind'} ours",
        "times in journals and logs do not fit together, and ages of tapes are counted wrong",
        "set the server's clock, best by NTP; or ours",
    )


def _config_file(facts: Facts, places: Whereabouts) -> Check:
    file, name = facts.config_file, "config file"
    if file is None:
        return warns(
            name,
            f"vts.config_file is not set; {places.sentence}",
            "no manual that we know says where the VTS configuration file is, so there is no default",
            "look into the files below, decide which one the server reads, and set vts.config_file"
            if places.candidates
            else "name the folder to search with --look-in, or ask whoever set the server up",
        )
    path = printable(file.path)
    if file.kind == "absent":
        return fails(
            name,
            f"{path} does not exist; {places.sentence}",
            "the server brings this file with it, so the path is wrong or VTS is not set up",
            "correct vts.config_file",
        )
    if file.kind != "file":
        return fails(
            name, f"{path}: {file.kind}", "it is no file that we can read", "correct the path, or become root"
        )
    counts = ", ".join(f"{n} {family}" for family, n in file.parameters.items())
    if "ems" not in file.parameters:
        return warns(
            name,
            f"{path} sets no ems_ parameter ({counts or 'no parameters at all'})",
            "the VTS configuration file usually does: it may be another file",
            "look into it; see whether it is the one that the server reads",
        )
    twice = f"; set more than once: {', '.join(file.duplicates)}" if file.duplicates else ""
    return passes(name, f"{path}: {file.size} bytes, {counts}{twice}")


def _services(outline: Outline, facts: Facts, reading: Reading) -> Iterator[Check]:
    for service in facts.services:
        name = f"service {service.name}"
        seen = reading.queries.get(f"services/{service.name}/status")
        if service.status == "ok":
            yield passes(name, service.said or "its status command says yes")
        elif service.status == "unknown":
            yield untold(name, "no status command is given", f"set vts.services.{service.name}.status")
        elif seen and seen.exit in (126, 127):
            yield fails(
                name,
                f"its status command cannot be run: {service.said}",
                "every change that restarts it would be taken back",
                f"correct vts.services.{service.name}.status",
            )
        else:
            yield warns(
                name,
                f"{service.status}: {service.said or 'it said nothing'}",
                "a change that restarts it is taken back when its status is not good afterwards",
                "look at the service before you change anything",
            )
    for missing in outline.lacking:
        yield warns(
            f"service {missing}",
            "the documents do not say how it is restarted",
            "its parameters are read only when it starts; they stay “written but not loaded”",
            f"set vts.services.{missing}.restart",
        )


def _clients(facts: Facts) -> Iterator[Check]:
    for client in facts.clients:
        said = f"{client.fact}: {client.text}"
        if client.ok:
            yield passes(client.bma, said)
        elif client.fact == "version":
            yield fails(
                client.bma,
                said,
                "the backup client is not installed, or stands somewhere else",
                f"install it, or correct the paths under vts.bma.{client.bma}",
            )
        else:
            yield warns(
                client.bma,
                said,
                "no tape can be migrated while its server is not reached",
                "apply its settings first; then check the network and the node's registration",
            )


def _ledger(facts: Facts) -> Iterator[Check]:
    for sentence in facts.settled:
        yield warns(
            "earlier runs",
            printable(sentence),
            "a run had died here; this look finished it",
            "see `vtsconf history`",
        )
    if facts.pending:
        yield warns(
            "earlier runs",
            f"a change of run {printable(facts.pending.run)} by {printable(facts.pending.holder)} is armed",
            "it takes itself back unless it is confirmed",
            "`vtsconf confirm` or `vtsconf rollback`",
        )
    elif facts.lock:
        yield warns(
            "earlier runs",
            f"locked by {printable(facts.lock.holder)}, run {printable(facts.lock.run)}",
            "no change can be made meanwhile",
            "wait for it; `vtsconf unlock` when it is dead",
        )
    for debt in facts.debts:
        yield warns(
            "earlier runs",
            f"{printable(debt.service)}: written but not loaded since run {printable(debt.run)}",
            "the service still runs with what was there before",
            "`vtsconf apply` restarts it, where the documents say how",
        )

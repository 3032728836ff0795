"""The faults a lab server can have. Each is a file in its faults/, read when a connection or a command arrives.

`faults/NAME` holds the arguments and stays on; `faults/NAME.once` goes out when it has fired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vtsconf.core.errors import Usage
from vtsconf.core.problem import suggestion

# What a command says of itself on stdout, "NONCE event NAME", while it applies a change.
EVENTS = (
    "locked", "compared", "staged", "validated", "saved", "indebted", "armed", "swapped", "restarted",
    "checked", "done",
)  # fmt: skip
SERVICES = ("ems", "isc", "tapeserver")


@dataclass(frozen=True)
class Kind:
    """A fault's name, what may follow it, how that is checked, and what it does."""

    name: str
    takes: str
    check: Callable[[Sequence[str]], str]  # "" or what is wrong
    does: str


@dataclass(frozen=True)
class Fault:
    """A fault that is on."""

    name: str
    arguments: tuple[str, ...]
    once: bool

    def __str__(self) -> str:
        return " ".join((self.name, *self.arguments, *(("(once)",) if self.once else ())))


def _nothing(words: Sequence[str]) -> str:
    return "it takes no arguments" if words else ""


def _numbers(least: int, most: int, *, signed: bool = False) -> Callable[[Sequence[str]], str]:
    """Check that there are `least` to `most` whole numbers."""

    def check(words: Sequence[str]) -> str:
        if not least <= len(words) <= most:
            return f"it takes {least if least == most else f'{least} to {most}'} whole number(s)"
        wrong = [w for w in words if not (w.removeprefix("-") if signed else w).isdecimal()]
        return f"`{wrong[0]}` is not a whole number" if wrong else ""

    return check


def _event(words: Sequence[str]) -> str:
    if len(words) != 1:
        return "it takes one event"
    if words[0] in EVENTS or words[0].isdecimal():
        return ""
    return f"there is no event `{words[0]}`; {suggestion(words[0], EVENTS) or 'one of: ' + ' '.join(EVENTS)}"


def _services(words: Sequence[str]) -> str:
    unknown = [w for w in words if w not in SERVICES]
    return "" if words and not unknown else f"it takes services, of: {' '.join(SERVICES)}"


# How a backup client can fail; without an action it does so in all but the probe.
BMA = {
    "exit": "it ends with the exit code NUMBER",
    "partial": "the last tape is left out, or a restore leaves half a file",
    "prompt": "it asks a question and waits",
    "hang": "it never ends",
    "silent": "it does nothing and says nothing, with exit 0",
    "flood": "it says 10 MB before it comes to the point",
    "german": "sums and catalogue in German",
    "cut": "the answer of the catalogue ends in the middle",
    "changes": "the tape changes while it is read, and the client sees it",
    "changes-silently": "the tape grows while it is read, and the client says that all is well",
    "rewrites": "bytes of the tape change while it is read, its size and time do not, and the client says that all is well",
    "full": "the tape library has no room left",
    "no-server": "its server cannot be reached",
    "lies": "it says that all is well and has saved nothing",
    "short": "the copy is one byte short",
    "rounds": "the catalogue gives sizes in KB",
    "dies": "it is killed when the copy is safe, before it can say so",
    "slow": "it takes NUMBER seconds",
}
_ACTIONS = ("archive", "restore", "locate", "probe")


def _bma(words: Sequence[str]) -> str:
    """Check HOW, a number, and actions."""
    how, *others = words or ("",)
    if how not in BMA:
        return f"there is no `{how}`; {suggestion(how, BMA) or 'one of: ' + ' '.join(BMA)}"
    if how == "exit" and not (others and others[0].isdecimal()):
        return "exit takes a code"
    wrong = [w for w in others if w not in _ACTIONS and not w.isdecimal()]
    return f"`{wrong[0]}` is neither a number nor one of {' '.join(_ACTIONS)}" if wrong else ""


# How the server's VTSPolicy command can fail.
VTSPOLICY = {
    "refuses": "it does nothing, and ends with 1",
    "accepts-only": "it ends with 0, and nothing comes of the line",
    "fails-late": "all is done, and it ends with 1",
    "slow": "it takes NUMBER seconds before it begins",
    "hang": "it takes the line, does nothing and never ends",
}


def _vtspolicy(words: Sequence[str]) -> str:
    """Check HOW, and a number."""
    how, *others = words or ("",)
    if how not in VTSPOLICY:
        return f"there is no `{how}`; {suggestion(how, VTSPOLICY) or 'one of: ' + ' '.join(VTSPOLICY)}"
    return _numbers(0, 1 if how == "slow" else 0)(others)


KINDS = (
    Kind("refuse", "", _nothing, "every connection is closed at once"),
    Kind("hang", "", _nothing, "connections are accepted and never answered"),
    Kind("drop-on-connect", "", _nothing, "the connection is cut as soon as someone has logged in"),
    Kind(
        "drop",
        "[BYTES]",
        _numbers(0, 1),
        "the connection is cut after BYTES of a command's stdin (0: before it)",
    ),
    Kind(
        "drop-after", "EVENT", _event, "the connection is cut when the change says EVENT (or its n-th event)"
    ),
    Kind("kill-after", "EVENT", _event, "the command is killed then; what it has detached lives on"),
    Kind("reboot-after", "EVENT", _event, "the server is rebooted then"),
    Kind("reboot", "", _nothing, "now: every process of the server dies, files stay, services start again"),
    Kind("slow", "MILLISECONDS [BYTES/S]", _numbers(1, 2), "each packet is late, and the line is narrow"),
    Kind(
        "disk-full",
        "[BYTES]",
        _numbers(0, 1),
        "no file can grow beyond BYTES (default 0): writes fail in the middle, with 'File too large' for want of"
        " a disk to fill",
    ),
    Kind("service-fails", "SERVICE…", _services, "the service does not start"),
    Kind("status-fails", "SERVICE…", _services, "the service runs and its status check fails"),
    Kind("logs-error", "SERVICE…", _services, "the service starts, and writes an ERROR into the event log"),
    Kind(
        "bma",
        "HOW [NUMBER] [archive|restore|locate|probe]",
        _bma,
        "the stand-ins of backup clients: " + "; ".join(f"{mode}: {does}" for mode, does in BMA.items()),
    ),
    Kind(
        "vtspolicy",
        "HOW [NUMBER]",
        _vtspolicy,
        "the stand-in of the VTSPolicy command: "
        + "; ".join(f"{how}: {does}" for how, does in VTSPOLICY.items()),
    ),
    Kind("clock-skew", "SECONDS", _numbers(1, 1, signed=True), "`date` is so many seconds off"),
    Kind("old-algorithms", "", _nothing, "SHA-1 host key, key exchange and MAC only, as on a very old Linux"),
)
NAMES = tuple(kind.name for kind in KINDS)


def check(name: str, arguments: Sequence[str]) -> None:
    """Raise Usage when there is no such fault, or it does not take these arguments."""
    kind = next((k for k in KINDS if k.name == name), None)
    if kind is None:
        raise Usage(
            f"there is no fault `{name}`", remedy=suggestion(name, NAMES) or f"one of: {', '.join(NAMES)}"
        )
    if wrong := kind.check(arguments):
        raise Usage(f"fault {name}: {wrong}", remedy=f"{name} {kind.takes}: {kind.does}")


@dataclass(frozen=True)
class Faults:
    """The faults of one server, in `folder`."""

    folder: Path

    def on(self) -> list[Fault]:
        """All that are on, by name."""
        found = [p for p in self.folder.iterdir() if p.name.removesuffix(".once") in NAMES]
        return [
            Fault(p.name.removesuffix(".once"), tuple(_words(p) or ()), p.suffix == ".once")
            for p in sorted(found)
        ]

    def turn_on(self, name: str, arguments: Sequence[str] = (), *, once: bool = False) -> None:
        """Raises Usage for a fault that does not exist. The same fault, already on, is replaced."""
        check(name, arguments)
        self.turn_off(name)
        path = self.folder / (f"{name}.once" if once else name)
        staged = self.folder / f".{path.name}.new"
        staged.write_text(" ".join(arguments) + "\n")
        staged.replace(path)

    def turn_off(self, name: str) -> None:
        for path in (self.folder / name, self.folder / f"{name}.once"):
            path.unlink(missing_ok=True)

    def peek(self, name: str) -> list[str] | None:
        """The arguments of a fault that is on; None when it is off."""
        words = _words(self.folder / name)
        return words if words is not None else _words(self.folder / f"{name}.once")

    def claim(self, name: str) -> bool:
        """Does it fire now? One that fires once goes out by this: of two claims only one is true."""
        if (self.folder / name).exists():
            return True
        try:
            (self.folder / f"{name}.once").unlink()
        except FileNotFoundError:
            return False
        return True

    def fire(self, name: str) -> list[str] | None:
        """Its arguments if it fires now, else None."""
        words = self.peek(name)
        return words if words is not None and self.claim(name) else None


def _words(path: Path) -> list[str] | None:
    try:
        return path.read_text().split()
    except FileNotFoundError:
        return None

"""The same thing again and again beside other work: what is slow, or fails, delays nobody but itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from vtsconf.core.errors import VtsconfError, bug

Told = Callable[[str, str], None]  # the name of what it is about, and a sentence


@dataclass(kw_only=True)
class Every:
    """A context manager: inside, a thread of its own does `turn` at once, and again `pause` seconds after its end.

    A turn that raises is told, and the next one comes: later each time, up to `longest` seconds. At the end nobody waits
    for a turn: whatever it does must bear to be cut off.
    """

    name: str
    turn: Callable[[], object]
    pause: float
    longest: float
    told: Told
    _halt: threading.Event = field(default_factory=threading.Event)
    _complaint: str = ""

    def __enter__(self) -> Self:
        threading.Thread(target=self._go_on, name=self.name, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()

    def _go_on(self) -> None:
        failures = 0
        while not self._halt.is_set():
            failures = 0 if self._turn() else failures + 1
            self._halt.wait(min(self.pause * 2.0 ** min(failures, 30), max(self.longest, self.pause)))

    def _turn(self) -> bool:
        """Whether it went well. The same complaint is told once."""
        try:
            self.turn()
        except Exception as error:  # noqa: BLE001 whatever it was, the next turn comes
            self._say(_sentence(error))
            return False
        self._say("")
        return True

    def _say(self, complaint: str) -> None:
        if complaint != self._complaint and not self._halt.is_set():
            self.told(self.name, complaint or "it goes on")
        self._complaint = complaint


def _sentence(error: Exception) -> str:
    if not isinstance(error, VtsconfError):
        return f"{bug(error)}; it is tried again later"
    return f"{error}{f'; to do: {error.remedy}' if error.remedy else ''}; it is tried again later"

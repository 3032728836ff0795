"""The process behind `vtsconf lab up`: serves one lab until it is told to end. `python -m … FOLDER`.

SIGUSR1: look at the lab's folder again (new servers, reboots). SIGTERM: switch all off and end.
"""

from __future__ import annotations

import logging
import queue
import signal
import sys
from datetime import datetime

from vtsconf.core.errors import VtsconfError
from vtsconf.engine.lab.home import Home
from vtsconf.engine.lab.serving import Serving

LOG = logging.getLogger("vtsconf.lab")


def main(folder: str) -> int:
    """Serve the lab in `folder`; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    LOG.setLevel(logging.INFO)
    logging.getLogger("vtsconf.sshd").setLevel(logging.CRITICAL)  # what callers do wrong is their business
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # nothing is blocked here, or in what is started from here
    wishes: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, lambda received, _: wishes.put(received))
    signal.signal(signal.SIGHUP, lambda *_: None)  # ignored here, and not by what is started from here
    try:
        serving = Serving(Home.at(folder), lambda: datetime.now().astimezone(), detached=True)
    except VtsconfError as error:
        LOG.error("action=refuse %s", error)  # noqa: TRY400 a sentence, not a traceback
        return int(error.exit)
    try:
        serving.look()
        while (wish := wishes.get()) == signal.SIGUSR1:
            _look(serving)
        LOG.info("action=end signal=%d", wish)
    finally:
        serving.stop()
    return 0


def _look(serving: Serving) -> None:
    """Whatever goes wrong with a later look, the servers that are on stay on."""
    try:
        serving.look()
    except (OSError, VtsconfError):
        LOG.exception("action=look")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

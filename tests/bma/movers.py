"""The backup applications that can move tapes, each with settings to do it with: the built-in ones and one of a site."""

from __future__ import annotations

import re
from pathlib import Path

from vtsconf import bma
from vtsconf.bma import site

DOCS = Path(__file__).parent.parent.parent / "docs/bmas.md"
SETTINGS = {
    "tsm": {"servers": {"TSM1": {"tcpserveraddress": "a"}}},
    "netbackup": {"servers": ["master"], "client_name": "vts1"},
    "networker": {"servers": ["nsr1"], "client": "vts1"},
}


def example():
    """The complete example of docs/bmas.md."""
    (text,) = re.findall(r"```yaml\n(# bmas/shelf.yaml.*?)```", DOCS.read_text(), re.DOTALL)
    application, problems = site.read(text, "bmas/shelf.yaml")
    assert problems == []
    return application


def _mover(name):
    settings = bma.ALL[name].Settings.model_validate(SETTINGS[name])
    return settings, bma.migrator(name, settings)


SHELF = example()
MOVERS = {name: _mover(name) for name in SETTINGS}
MOVERS["shelf"] = (SHELF.Settings.model_validate({}), SHELF)
# What each may be told by a policy; a migration with none of it is refused for NetBackup.
OPTIONS = {"netbackup": {"policy": "VTS"}}

"""The work that every tool is given: six files, one service, one fact. One text of each, whoever writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

ROOT = "/usr/local/tape"
TSM = "/opt/tivoli/tsm/client/ba/bin"
CRON = "/etc/cron.d"
OWN = (ROOT, TSM, CRON)  # folders that each server has for itself, and that we see

CONFIG = f"{ROOT}/etc/vts.conf"
DSM_SYS = f"{TSM}/dsm.sys"
DSM_OPT = f"{TSM}/dsm.opt"
INCLEXCL = f"{TSM}/vts.inclexcl"
RULES = f"{ROOT}/etc/ems.rules"
CRONTAB = f"{CRON}/vts-archive"
FILES = (CONFIG, DSM_SYS, DSM_OPT, INCLEXCL, RULES, CRONTAB)
DIFFERING = (CONFIG, DSM_OPT, RULES)  # these are out of date before an apply

SERVICE_NAME = "ems"
SERVICE = f"{ROOT}/bin/ems-service"
RESTARTS = f"{ROOT}/log/restarts"  # one line a restart
FACT = ("uname", "-r")

EMS = {"enable": True, "keep_alive": 300, "notify_wait_timeout": 30, "mount_delay": 10, "mount_reset": True}
EMS_HOSTS = {
    "DEV2": {"response_timeout": 10, "resetdevs": "ALL"},
    "PROD1": {"response_timeout": 15, "resetdevs": "ALL"},
}
HSM = {f"hsm_site_{n:02}": 100 + n for n in range(30)}
MANAGED = {
    **{f"ems_{name}": "YES" if value is True else str(value) for name, value in EMS.items()},
    "ems_hostnames": " ".join(EMS_HOSTS),
    **{f"ems_{name}_{host}": str(value) for host, of in EMS_HOSTS.items() for name, value in of.items()},
    **{name: str(value) for name, value in HSM.items()},
}
"""The 40 values that are managed in the configuration file."""

_OTHERS = [
    f"site_option_{n:02}='value {n}'" if n % 8 else f"# section {n // 8} of the site's own" for n in range(80)
]

RESTART_PROGRAM = f'#!/bin/sh\n# restart | status\n[ "$1" = status ] && exit 0\ndate >>{RESTARTS}\n'

RULES_TEXT = "".join(
    f"rule {n:02} event {4000 + n} subsystem TAPE action mount-delay {n}\n" for n in range(30)
)
CRON_TEXT = (
    "SHELL=/bin/sh\n"
    f"5 22 * * * root {ROOT}/bin/archive --server {{{{ inventory_hostname }}}} >/dev/null 2>&1\n"
    f"35 5 * * 0 root {ROOT}/bin/reconcile --server {{{{ inventory_hostname }}}} >/dev/null 2>&1\n"
)
RULES_LIST = tuple(f'include.archive "/VAULT01/POOL{n:02}/*" MC{n % 5}Y' for n in range(20))


@dataclass(frozen=True, slots=True)
class Server:
    """One server as a client sees it."""

    name: str
    address: str
    port: int


def first_config() -> str:
    """120 lines `name='value'`; the managed ones already have their values."""
    managed = [f"{name}='{value}'" for name, value in MANAGED.items()]
    lines = []
    for number in range(40):
        lines += [_OTHERS[2 * number], managed[number], _OTHERS[2 * number + 1]]
    return "\n".join(lines) + "\n"


def out_of_date(path: str, text: str) -> str:
    """What an apply has to put right: five other values, or a missing last line."""
    if path == CONFIG:
        return re.sub(r"^hsm_site_0([0-4])='.*'$", r"hsm_site_0\1='7'", text, flags=re.MULTILINE)
    return "".join(text.splitlines(keepends=True)[:-1])


def templates(server: Server, texts: dict[str, str]) -> dict[str, str]:
    """The files of one server as templates for peers: `@name@`, `@NAME@` and `@parameter:…@` stand for variables."""
    made = {}
    for path, text in texts.items():
        made[path] = text.replace(server.name.upper(), "@NAME@").replace(server.name, "@name@")
    for name in MANAGED:
        line = rf"^{name}='.*'$"
        made[CONFIG] = re.sub(line, f"{name}='@parameter:{name}@'", made[CONFIG], flags=re.MULTILINE)
    return made


def filled(template: str, name: str, upper: str, parameter: Callable[[str], str]) -> str:
    """A tool's own template: its expressions for the server's name and for a value."""
    template = template.replace("@name@", name).replace("@NAME@", upper)
    return re.sub(r"@parameter:(\w+)@", lambda m: parameter(m[1]), template)


def rendered(template: str, server: Server) -> str:
    """What must stand on a server."""
    return filled(template, server.name, server.name.upper(), MANAGED.__getitem__)


def file_name(path: str) -> str:
    return path.rpartition("/")[2]

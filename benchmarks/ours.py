"""vtsconf as a user runs it: its own program, a project on disk, every check on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from benchmarks import work
from benchmarks.measure import Sample
from benchmarks.tool import Call, Job, Site, Tool, write

PROGRAM = Path(os.environ.get("VTSCONF_PROGRAM") or Path(sys.executable).with_name("vtsconf"))


class Ours(Tool):
    name = "vtsconf"

    def write(self, site: Site) -> None:
        hosts = {s.name: {"ansible_host": s.address, "ansible_port": s.port} for s in site.servers}
        variables = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(site.key),
            "vts_ssh_known_hosts": str(site.known_hosts),
            "vts_ssh_config": "",
        }
        write(site.folder / "inventory.yaml", _yaml({"all": {"vars": variables, "hosts": hosts}}))
        write(site.folder / "group_vars/all.yaml", _yaml({"vts": _desired()}))
        write(site.folder / "parameters/hsm.yaml", _yaml(_table()))
        write(site.folder / "templates/ems.rules.j2", work.RULES_TEXT)
        write(site.folder / "templates/vts-archive.j2", work.CRON_TEXT)

    def call(self, job: Job, site: Site) -> Call:
        del site
        words = ("plan", "--detailed-exitcode") if job is Job.PLAN else ("apply", "--yes")
        return Call((PROGRAM, *words))

    def complaint(self, job: Job, sample: Sample) -> str:
        if job is not Job.APPLY and not sample.exit and "↻" in sample.output:
            return "it found something to do"
        return super().complaint(job, sample)


def _yaml(value: object) -> str:
    """JSON with one entry a line is YAML, and lets a reader's line numbers cost what they cost."""
    return json.dumps(value, indent=2) + "\n"


def _desired() -> dict[str, object]:
    restart = [work.SERVICE_NAME]
    return {
        "release": "8.3",
        "config_file": work.CONFIG,
        "services": {work.SERVICE_NAME: {"restart": [work.SERVICE, "restart"]}},
        "vaults": ["VAULT01"],
        "ems": {**work.EMS, "hosts": work.EMS_HOSTS},
        "hsm": work.HSM,
        "bma": {
            "tsm": {
                "servers": {
                    "TSM1": {
                        "tcpserveraddress": "tsm1.bank.example",
                        "tcpport": 1500,
                        "nodename": "{{ inventory_hostname | upper }}",
                    }
                },
                "options": {"tapeprompt": "no", "scrollprompt": "no", "subdir": "yes"},
                "include_exclude": list(work.RULES_LIST),
                "restart": restart,
            }
        },
        "files": {
            work.RULES: {"template": "ems.rules.j2", "restart": restart},
            work.CRONTAB: {"template": "vts-archive.j2", "restart": restart},
        },
        "commands": {"kernel": {"check": list(work.FACT), "run": ["false"]}},
    }


def _table() -> dict[str, object]:
    row = {"type": "integer", "restart": work.SERVICE_NAME, "source": "benchmark", "meaning": "A value."}
    return {"family": "hsm", "rows": [{"name": name, **row} for name in work.HSM]}

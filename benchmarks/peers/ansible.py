"""Ansible: as installed, tuned as its manual advises, and with mitogen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType

from benchmarks import work
from benchmarks.measure import Sample
from benchmarks.tool import Call, Job, Site, Tool, close_masters, write

_VERSION = "ansible-core==2.19.14"


class AnsibleDefault(Tool):
    name = "ansible, default"
    packages = (_VERSION,)
    venv = "ansible"
    slow = True
    largest = 10
    facts = True
    config = ""
    variables: Mapping[str, str] = MappingProxyType({})

    def write(self, site: Site) -> None:
        hosts = {s.name: {"ansible_host": s.address, "ansible_port": s.port} for s in site.servers}
        options = f"-o UserKnownHostsFile={site.known_hosts} -o IdentitiesOnly=yes"
        variables = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(site.key),
            "ansible_ssh_common_args": options,
            "parameters": work.MANAGED,
            **self.variables,
        }
        write(
            site.folder / "inventory.json", json.dumps({"all": {"vars": variables, "hosts": hosts}}, indent=1)
        )
        config = self.config.format(
            site_packages=next(self._bin.parent.glob("lib/python3*/site-packages"), "")
        )
        write(
            site.folder / "ansible.cfg",
            f"[defaults]\ninventory = inventory.json\nretry_files_enabled = no\n{config}",
        )
        write(site.folder / "site.yml", json.dumps([self._play()], indent=1))
        for path, template in site.templates.items():
            text = work.filled(
                template,
                "{{ inventory_hostname }}",
                "{{ inventory_hostname | upper }}",
                lambda n: f"{{{{ parameters.{n} }}}}",
            )
            write(site.folder / f"templates/{work.file_name(path)}.j2", text)

    def _play(self) -> dict[str, object]:
        kernel = {
            "name": "kernel",
            "ansible.builtin.command": {"argv": list(work.FACT)},
            "register": "kernel",
            "changed_when": False,
            "check_mode": False,
        }
        files = [
            {
                "name": work.file_name(path),
                "ansible.builtin.template": {
                    "src": f"{work.file_name(path)}.j2",
                    "dest": path,
                    "owner": "root",
                    "group": "root",
                    "mode": "0644",
                },
                "notify": "restart",
            }
            for path in work.FILES
        ]
        restart = {"name": "restart", "ansible.builtin.command": {"argv": [work.SERVICE, "restart"]}}
        return {
            "hosts": "all",
            "gather_facts": self.facts,
            "tasks": [*([] if self.facts else [kernel]), *files],
            "handlers": [restart],
        }

    def call(self, job: Job, site: Site) -> Call:
        words = (self._bin / "ansible-playbook", "site.yml", *(("--check",) if job is Job.PLAN else ()))
        env = {
            "ANSIBLE_HOME": str(site.folder / "home"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(site.folder / "cp"),
            "ANSIBLE_NOCOLOR": "1",
        }
        return Call(words, env)

    def complaint(self, job: Job, sample: Sample) -> str:
        changed = {int(n) for n in re.findall(r"changed=(\d+)", sample.output)}
        if sample.exit == 0 and job is not Job.APPLY and changed != {0}:
            return f"it found something to do: changed={sorted(changed)}"
        return super().complaint(job, sample)

    def forget(self, site: Site) -> None:
        close_masters(site.folder / "cp")


class AnsibleTuned(AnsibleDefault):
    """Pipelining, 50 forks, connections kept open, no facts, the interpreter named."""

    name = "ansible, tuned"
    largest = 50
    facts = False
    variables = MappingProxyType({"ansible_python_interpreter": "/usr/bin/python3"})
    config = (
        "forks = 50\ngathering = explicit\n"
        "[ssh_connection]\npipelining = True\nssh_args = -o ControlMaster=auto -o ControlPersist=60s\n"
    )


class AnsibleMitogen(AnsibleTuned):
    name = "ansible + mitogen"
    packages = (_VERSION, "mitogen==0.3.54")
    venv = "mitogen"
    config = (
        "forks = 50\ngathering = explicit\nstrategy = mitogen_linear\n"
        "strategy_plugins = {site_packages}/ansible_mitogen/plugins/strategy\n"
        "[ssh_connection]\npipelining = True\n"
    )

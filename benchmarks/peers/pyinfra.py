"""pyinfra: operations over SSH, facts read first."""

from __future__ import annotations

import re

from benchmarks import work
from benchmarks.measure import Sample
from benchmarks.tool import Call, Job, Site, Tool, write

_DEPLOY = """\
from pyinfra import host
from pyinfra.facts.server import KernelVersion
from pyinfra.operations import files, server
from pyinfra.operations.util import any_changed

host.get_fact(KernelVersion)
done = [
    files.template(
        name=name, src=f"templates/{{name}}.j2", dest=path, user="root", group="root", mode="644",
        server=host.name, parameters=host.data.parameters,
    )
    for name, path in {files!r}
]
server.shell(name="restart", commands={restart!r}, _if=any_changed(*done))
"""


class Pyinfra(Tool):
    name = "pyinfra"
    packages = ("pyinfra==3.10.0",)
    venv = "pyinfra"

    def write(self, site: Site) -> None:
        shared = {
            "ssh_user": "root",
            "ssh_key": str(site.key),
            "ssh_known_hosts_file": str(site.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
            "parameters": work.MANAGED,
        }
        hosts = [(s.name, {"ssh_hostname": s.address, "ssh_port": s.port}) for s in site.servers]
        write(site.folder / "inventory.py", f"servers = ({hosts!r}, {shared!r})\n")
        files = [(work.file_name(path), path) for path in work.FILES]
        write(site.folder / "deploy.py", _DEPLOY.format(files=files, restart=[f"{work.SERVICE} restart"]))
        for path, template in site.templates.items():
            text = work.filled(
                template, "{{ server }}", "{{ server | upper }}", lambda n: f"{{{{ parameters.{n} }}}}"
            )
            write(site.folder / f"templates/{work.file_name(path)}.j2", text)

    def call(self, job: Job, site: Site) -> Call:
        del site
        return Call(
            (self._bin / "pyinfra", "inventory.py", "deploy.py", "--dry" if job is Job.PLAN else "-y")
        )

    def complaint(self, job: Job, sample: Sample) -> str:
        if sample.exit == 0 and job is Job.PLAN and re.search(r"^ *Change|to be changed", sample.output):
            return "it found something to do"
        return super().complaint(job, sample)

"""BundleWrap: items that are compared over the OpenSSH client."""

from __future__ import annotations

import re

from benchmarks import work
from benchmarks.measure import Sample
from benchmarks.tool import Call, Job, Site, Tool, close_masters, write

_ITEMS = """\
files = {{
    path: {{
        "source": name, "content_type": "mako", "owner": "root", "group": "root", "mode": "0644",
        "triggers": ["action:restart"],
    }}
    for name, path in {files!r}
}}
actions = {{
    "kernel": {{"command": "true", "unless": {fact!r}}},
    "restart": {{"command": {restart!r}, "triggered": True}},
}}
"""


class BundlewrapDefault(Tool):
    name = "bundlewrap, default"
    packages = ("bundlewrap==5.2.0",)
    venv = "bundlewrap"
    slow = True
    largest = 10
    ssh = ""
    workers: tuple[str, ...] = ()

    def write(self, site: Site) -> None:
        nodes = {
            s.name: {
                "hostname": s.name,
                "os": "debian",
                "bundles": ["vts"],
                "metadata": {"vts": work.MANAGED},
            }
            for s in site.servers
        }
        write(site.folder / "nodes.py", f"nodes = {nodes!r}\n")
        write(site.folder / "groups.py", "groups = {'all': {'member_patterns': ['.*']}}\n")
        files = [(work.file_name(path), path) for path in work.FILES]
        items = _ITEMS.format(files=files, fact=" ".join(work.FACT), restart=f"{work.SERVICE} restart")
        write(site.folder / "bundles/vts/items.py", items)
        for path, template in site.templates.items():
            text = work.filled(
                template,
                "${node.name}",
                "${node.name.upper()}",
                lambda n: f"${{node.metadata.get('vts/{n}')}}",
            )
            write(site.folder / f"bundles/vts/files/{work.file_name(path)}", text)
        lines = [f"Host {s.name}\n  HostName {s.address}\n  Port {s.port}\n" for s in site.servers]
        shared = (
            f"Host *\n  User root\n  IdentityFile {site.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {site.known_hosts}\n" + self.ssh.format(folder=site.folder)
        )
        write(site.folder / "ssh_config", "".join([*lines, shared]))
        (site.folder / "cp").mkdir(exist_ok=True)

    def call(self, job: Job, site: Site) -> Call:
        words = ("verify",) if job is Job.PLAN else ("apply",)
        ssh = f"-F {site.folder}/ssh_config"
        env = {"BW_SSH_ARGS": ssh, "BW_SCP_ARGS": ssh, "BW_COLORS": "0", "BW_REPO_PATH": str(site.folder)}
        return Call((self._bin / "bw", *words, *self.workers, "all"), env)

    def complaint(self, job: Job, sample: Sample) -> str:
        rows = re.findall(r"│ vts\d+ +│ +(\d+) │ +(\d+) │", sample.output)
        if job is Job.PLAN and sample.exit == 0 and not (rows and all(items == good for items, good in rows)):
            return "not every item was found good"
        return super().complaint(job, sample)

    def forget(self, site: Site) -> None:
        close_masters(site.folder / "cp")


class BundlewrapTuned(BundlewrapDefault):
    """Connections shared by all commands of a run, and 50 nodes at once."""

    name = "bundlewrap, tuned"
    slow = False
    largest = 50
    ssh = "  ControlMaster auto\n  ControlPath {folder}/cp/%C\n  ControlPersist 60\n"
    workers = ("-p", "50")

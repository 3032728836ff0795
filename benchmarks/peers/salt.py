"""salt-ssh: states over the OpenSSH client, with Salt's own code carried to the server."""

from __future__ import annotations

import json

from benchmarks import work
from benchmarks.tool import Call, Job, Site, Tool, write


class SaltSsh(Tool):
    name = "salt-ssh"
    packages = ("salt==3008.3",)
    venv = "salt"
    slow = True
    largest = 10

    def write(self, site: Site) -> None:
        folder = site.folder
        options = [
            f"UserKnownHostsFile={site.known_hosts}",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
        ]
        roster = {
            s.name: {
                "host": s.address,
                "port": s.port,
                "user": "root",
                "priv": str(site.key),
                "ssh_options": options,
            }
            for s in site.servers
        }
        write(folder / "roster", json.dumps(roster, indent=1))
        master = {
            "root_dir": str(folder / "root"),
            "file_roots": {"base": [str(folder / "states")]},
            "pillar_roots": {"base": [str(folder / "pillar")]},
            "ssh_log_file": str(folder / "ssh.log"),
            "log_file": str(folder / "master.log"),
        }
        write(folder / "master", json.dumps(master, indent=1))
        write(folder / "pillar/top.sls", json.dumps({"base": {"*": ["vts"]}}))
        write(folder / "pillar/vts.sls", json.dumps({"parameters": work.MANAGED}))
        write(folder / "states/vts.sls", json.dumps(_states(), indent=1))
        for path, template in site.templates.items():
            text = work.filled(
                template,
                "{{ grains.id }}",
                "{{ grains.id | upper }}",
                lambda n: f"{{{{ pillar.parameters.{n} }}}}",
            )
            write(folder / f"states/files/{work.file_name(path)}.j2", text)

    def call(self, job: Job, site: Site) -> Call:
        del site
        config = ("-c", ".", "--roster-file=roster", "--max-procs=50", "--no-color", "--state-output=terse")
        test = ("test=True",) if job is Job.PLAN else ()
        return Call((self._bin / "salt-ssh", *config, "*", "state.apply", "vts", *test))


def _states() -> dict[str, object]:
    files = {
        path: {
            "file.managed": [
                {"source": f"salt://files/{work.file_name(path)}.j2"},
                {"template": "jinja"},
                {"user": "root"},
                {"group": "root"},
                {"mode": "0644"},
            ]
        }
        for path in work.FILES
    }
    restart = {
        "cmd.run": [
            {"name": f"{work.SERVICE} restart"},
            {"onchanges": [{"file": path} for path in work.FILES]},
        ]
    }
    kernel = {"cmd.run": [{"name": " ".join(work.FACT)}, {"unless": " ".join(work.FACT)}]}
    return {"kernel": kernel, **files, "restart": restart}
